"""Carboy with everything on: request id, metrics, access log, security headers, CORS, health.

Users and items are resources; TechEmpower's views are written by hand.
"""

from __future__ import annotations

from random import randint
from typing import Any

from flask import render_template, request
from marshmallow import fields, validate
from sqlalchemy import bindparam, select, update

from carboy import (
    Bare,
    Blueprint,
    Carboy,
    Cursor,
    Database,
    File,
    Flask,
    Pages,
    Resource,
    Schema,
    page,
)
from peers.services.tables import (
    EMAIL,
    LATE_FORTUNE,
    LIST_SIZE,
    PAGE_SIZE,
    WORLDS,
    Fortune,
    Item,
    Model,
    User,
    World,
    drawn,
    in_order,
)

db = Database(Model.metadata)
api = Blueprint("bench", __name__)


# Made once: a view fills in the values.
world_by_id = select(World).where(World.id == bindparam("key"))
fortunes_all = select(Fortune)


class WorldOut(Schema):
    """A world as it is answered."""

    id = fields.Integer(required=True)
    randomNumber = fields.Integer(required=True, attribute="randomnumber")  # noqa: N815


class UserIn(Schema):
    """What a caller may write."""

    name = fields.String(required=True, validate=validate.Length(1, 80))
    email = fields.String(
        required=True, validate=[validate.Length(max=120), validate.Regexp(EMAIL)]
    )
    age = fields.Integer(required=True, strict=True, validate=validate.Range(0, 150))
    city = fields.String(required=True, validate=validate.Length(1, 80))
    active = fields.Boolean(required=True, truthy={True}, falsy={False})
    born = fields.Date(required=True)


class UserOut(UserIn):
    """A user as it is answered."""

    id = fields.Integer(required=True)


class ItemOut(Schema):
    """An item as it is answered."""

    id = fields.Integer(required=True)
    name = fields.String(required=True)
    value = fields.Integer(required=True)


class Users(Resource):
    """Users."""

    model = User
    schema = UserOut
    writable = UserIn
    only = ("list", "create", "read")
    paging = Cursor(limit=LIST_SIZE)


class ItemsByNumber(Resource):
    """The long table, in numbered pages."""

    model = Item
    schema = ItemOut
    only = ("list",)
    paging = Pages(limit=PAGE_SIZE)


class ItemsByCursor(ItemsByNumber):
    """The long table, in pages that say where the next begins."""

    paging = Cursor(limit=PAGE_SIZE, limit_max=10_000)


api.resource("/users", Users)
api.resource("/items", ItemsByNumber)
api.resource("/items-by-cursor", ItemsByCursor)


@api.get("/json")
def hello() -> dict[str, str]:
    """Greet."""
    return {"message": "Hello, World!"}


@api.get("/db")
@api.output(WorldOut)
def one_world() -> Any:
    """Read one row."""
    return db.row(world_by_id, key=randint(1, WORLDS))


@api.get("/queries")
@api.output(WorldOut(many=True))
def many_worlds() -> list[Any]:
    """Read rows one by one."""
    ids = drawn(request.args.get("queries", 1, type=int))
    return [db.row(world_by_id, key=key) for key in ids]


@api.get("/updates")
@api.output(WorldOut(many=True))
def updates() -> list[Any]:
    """Read rows one by one and change them."""
    with db.writing() as session:
        ids = drawn(request.args.get("queries", 1, type=int))
        read = [db.row(world_by_id, key=key) for key in ids]
        changed = [{"id": row.id, "randomnumber": randint(1, WORLDS)} for row in read]
        session.execute(update(World), changed)
    return changed


@api.get("/fortunes")
@page
def fortunes() -> str:
    """Show a page."""
    found = db.rows(fortunes_all)
    shown = in_order([*found, Fortune(id=0, message=LATE_FORTUNE)])
    return render_template("fortunes.html", fortunes=shown)


@api.post("/upload")
@api.input({"file": File()}, location="files")
def upload(files: dict[str, Any]) -> dict[str, int]:
    """Take a file."""
    return {"size": len(files["file"].stream.read())}


def create_app() -> Flask:
    """Make the app; settings come from the environment."""
    made = Flask(__name__)
    Carboy(made, envelope=Bare())
    db.init_app(made)
    made.register_blueprint(api)
    return made


app = create_app()
