"""flask-smorest: blueprints with arguments and responses of marshmallow schemas."""

from __future__ import annotations

from random import randint
from typing import Any

from flask import Flask, render_template
from flask_smorest import Api, Blueprint, abort
from flask_smorest.fields import Upload
from marshmallow import Schema, fields, validate
from sqlalchemy import func, select

from peers.services.tables import (
    EMAIL,
    LATE_FORTUNE,
    LIST_SIZE,
    PAGE_SIZE,
    WORLDS,
    Fortune,
    Item,
    User,
    World,
    drawn,
    in_order,
    sessions,
)

Session = sessions()
app = Flask(__name__)
app.config.update(
    API_TITLE="Bench", API_VERSION="1", OPENAPI_VERSION="3.1.0", OPENAPI_URL_PREFIX="/"
)
blueprint = Blueprint("bench", __name__)


class WorldOut(Schema):
    """A world as it is answered."""

    id = fields.Integer()
    randomNumber = fields.Integer(attribute="randomnumber")  # noqa: N815 - as it is sent


class QueriesIn(Schema):
    """How many worlds are wanted."""

    queries = fields.Integer(load_default=1)


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

    id = fields.Integer()


class Users(Schema):
    """The first users."""

    items = fields.List(fields.Nested(UserOut))


class ItemOut(Schema):
    """An item as it is answered."""

    id = fields.Integer()
    name = fields.String()
    value = fields.Integer()


class PageIn(Schema):
    """Which page is wanted."""

    page = fields.Integer(load_default=1)


class Items(Schema):
    """A page of items."""

    items = fields.List(fields.Nested(ItemOut))
    page = fields.Integer()
    total = fields.Integer()


class UploadIn(Schema):
    """A form with a file."""

    file = Upload(required=True)


@blueprint.route("/json")
def hello() -> dict[str, str]:
    """Greet."""
    return {"message": "Hello, World!"}


@blueprint.route("/db")
@blueprint.response(200, WorldOut)
def one_world() -> World:
    """Read one row."""
    with Session() as session:
        return session.get_one(World, randint(1, WORLDS))


@blueprint.route("/queries")
@blueprint.arguments(QueriesIn, location="query")
@blueprint.response(200, WorldOut(many=True))
def many_worlds(args: dict[str, int]) -> list[World]:
    """Read rows one by one."""
    with Session() as session:
        return [session.get_one(World, key) for key in drawn(args["queries"])]


@blueprint.route("/updates")
@blueprint.arguments(QueriesIn, location="query")
@blueprint.response(200, WorldOut(many=True))
def updates(args: dict[str, int]) -> list[World]:
    """Read rows one by one and change them."""
    with Session() as session:
        worlds = [session.get_one(World, key) for key in drawn(args["queries"])]
        for world in worlds:
            world.randomnumber = randint(1, WORLDS)
        session.commit()
        return worlds


@blueprint.route("/fortunes")
def fortunes() -> str:
    """Show a page."""
    with Session() as session:
        found = list(session.scalars(select(Fortune)))
    shown = in_order([*found, Fortune(id=0, message=LATE_FORTUNE)])
    return render_template("fortunes.html", fortunes=shown)


@blueprint.route("/users", methods=["POST"])
@blueprint.arguments(UserIn)
@blueprint.response(201, UserOut)
def create_user(data: dict[str, Any]) -> User:
    """Check a user and keep it."""
    user = User(**data)
    with Session() as session:
        session.add(user)
        session.commit()
    return user


@blueprint.route("/users")
@blueprint.response(200, Users)
def list_users() -> dict[str, Any]:
    """Read the first users."""
    with Session() as session:
        found = session.scalars(select(User).order_by(User.id).limit(LIST_SIZE))
        return {"items": list(found)}


@blueprint.route("/users/<int:key>")
@blueprint.response(200, UserOut)
def read_user(key: int) -> User:
    """Read a user by its id."""
    with Session() as session:
        return session.get(User, key) or abort(404)


@blueprint.route("/items")
@blueprint.arguments(PageIn, location="query")
@blueprint.response(200, Items)
def page_of_items(args: dict[str, int]) -> dict[str, Any]:
    """Read a page of the long table."""
    page = args["page"]
    with Session() as session:
        total = session.scalar(select(func.count()).select_from(Item))
        rows = select(Item).order_by(Item.id).limit(PAGE_SIZE).offset((page - 1) * PAGE_SIZE)
        return {"items": list(session.scalars(rows)), "page": page, "total": total}


@blueprint.route("/upload", methods=["POST"])
@blueprint.arguments(UploadIn, location="files")
def upload(files: dict[str, Any]) -> dict[str, int]:
    """Take a file."""
    return {"size": len(files["file"].read())}


Api(app).register_blueprint(blueprint)
