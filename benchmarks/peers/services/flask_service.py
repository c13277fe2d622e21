"""Flask with the extensions that services usually have: what Carboy has in it, by hand.

CORS by Flask-CORS, metrics by prometheus_flask_exporter, security headers by Flask-Talisman,
a request id and one line per request by structlog; bodies are checked by marshmallow.
"""

from __future__ import annotations

import time
import uuid
from random import randint
from typing import Any

import structlog
from flask import Flask, Response, abort, g, render_template, request
from flask_cors import CORS
from flask_talisman import Talisman
from marshmallow import Schema, ValidationError, fields, validate
from prometheus_flask_exporter import PrometheusMetrics
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
structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso"),
        structlog.processors.JSONRenderer(),
    ],
    cache_logger_on_first_use=True,
)
log = structlog.get_logger()
app = Flask(__name__)
CORS(app, origins=["https://app.example.com"])
Talisman(app, force_https=False, session_cookie_secure=False)
PrometheusMetrics(app, group_by="url_rule")


class WorldOut(Schema):
    """A world as it is answered."""

    id = fields.Integer()
    randomNumber = fields.Integer(attribute="randomnumber")  # noqa: N815 - as it is sent


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


class ItemOut(Schema):
    """An item as it is answered."""

    id = fields.Integer()
    name = fields.String()
    value = fields.Integer()


world_out, worlds_out = WorldOut(), WorldOut(many=True)
user_in, user_out, users_out = UserIn(), UserOut(), UserOut(many=True)
items_out = ItemOut(many=True)


@app.before_request
def begin() -> None:
    """Give the request its id."""
    g.started = time.perf_counter()
    g.request_id = request.headers.get("X-Request-ID") or uuid.uuid4().hex
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)


@app.after_request
def end(response: Response) -> Response:
    """Write the line of the request."""
    response.headers["X-Request-ID"] = g.request_id
    log.info(
        "request",
        method=request.method,
        path=request.path,
        status=response.status_code,
        client=request.remote_addr,
        milliseconds=round((time.perf_counter() - g.started) * 1000, 3),
    )
    return response


@app.get("/health")
def health() -> str:
    """Say that the process lives."""
    return "OK"


@app.get("/json")
def hello() -> dict[str, str]:
    """Greet."""
    return {"message": "Hello, World!"}


@app.get("/db")
def one_world() -> Any:
    """Read one row."""
    with Session() as session:
        return world_out.dump(session.get_one(World, randint(1, WORLDS)))


@app.get("/queries")
def many_worlds() -> Any:
    """Read rows one by one."""
    ids = drawn(request.args.get("queries", 1, type=int))
    with Session() as session:
        return worlds_out.dump([session.get_one(World, key) for key in ids])


@app.get("/updates")
def updates() -> Any:
    """Read rows one by one and change them."""
    ids = drawn(request.args.get("queries", 1, type=int))
    with Session() as session:
        worlds = [session.get_one(World, key) for key in ids]
        for world in worlds:
            world.randomnumber = randint(1, WORLDS)
        session.commit()
        return worlds_out.dump(worlds)


@app.get("/fortunes")
def fortunes() -> str:
    """Show a page."""
    with Session() as session:
        found = list(session.scalars(select(Fortune)))
    shown = in_order([*found, Fortune(id=0, message=LATE_FORTUNE)])
    return render_template("fortunes.html", fortunes=shown)


@app.post("/users")
def create_user() -> Any:
    """Check a user and keep it."""
    try:
        data = user_in.load(request.get_json())
    except ValidationError as error:
        return error.normalized_messages(), 422
    user = User(**data)
    with Session() as session:
        session.add(user)
        session.commit()
        return user_out.dump(user), 201


@app.get("/users")
def list_users() -> Any:
    """Read the first users."""
    with Session() as session:
        found = session.scalars(select(User).order_by(User.id).limit(LIST_SIZE))
        return {"items": users_out.dump(found)}


@app.get("/users/<int:key>")
def read_user(key: int) -> Any:
    """Read a user by its id."""
    with Session() as session:
        return user_out.dump(session.get(User, key) or abort(404))


@app.get("/items")
def page_of_items() -> Any:
    """Read a page of the long table."""
    page = request.args.get("page", 1, type=int)
    with Session() as session:
        total = session.scalar(select(func.count()).select_from(Item))
        rows = select(Item).order_by(Item.id).limit(PAGE_SIZE).offset((page - 1) * PAGE_SIZE)
        return {"items": items_out.dump(session.scalars(rows)), "page": page, "total": total}


@app.post("/upload")
def upload() -> dict[str, int]:
    """Take a file."""
    return {"size": len(request.files["file"].read())}
