"""APIFlask: inputs and outputs declared with marshmallow schemas."""

from __future__ import annotations

from random import randint
from typing import Any

from apiflask import APIFlask, Schema, abort
from apiflask.fields import Boolean, Date, File, Integer, List, Nested, String
from apiflask.validators import Length, Range, Regexp
from flask import render_template
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
app = APIFlask(__name__)


class WorldOut(Schema):
    """A world as it is answered."""

    id = Integer()
    randomNumber = Integer(attribute="randomnumber")  # noqa: N815 - as it is sent


class QueriesIn(Schema):
    """How many worlds are wanted."""

    queries = Integer(load_default=1)


class UserIn(Schema):
    """What a caller may write."""

    name = String(required=True, validate=Length(1, 80))
    email = String(required=True, validate=[Length(max=120), Regexp(EMAIL)])
    age = Integer(required=True, strict=True, validate=Range(0, 150))
    city = String(required=True, validate=Length(1, 80))
    active = Boolean(required=True, truthy={True}, falsy={False})
    born = Date(required=True)


class UserOut(UserIn):
    """A user as it is answered."""

    id = Integer()


class Users(Schema):
    """The first users."""

    items = List(Nested(UserOut))


class ItemOut(Schema):
    """An item as it is answered."""

    id = Integer()
    name = String()
    value = Integer()


class PageIn(Schema):
    """Which page is wanted."""

    page = Integer(load_default=1)


class Items(Schema):
    """A page of items."""

    items = List(Nested(ItemOut))
    page = Integer()
    total = Integer()


class UploadIn(Schema):
    """A form with a file."""

    file = File(required=True)


@app.get("/json")
def hello() -> dict[str, str]:
    """Greet."""
    return {"message": "Hello, World!"}


@app.get("/db")
@app.output(WorldOut)
def one_world() -> World:
    """Read one row."""
    with Session() as session:
        return session.get_one(World, randint(1, WORLDS))


@app.get("/queries")
@app.input(QueriesIn, location="query")
@app.output(WorldOut(many=True))
def many_worlds(query_data: dict[str, int]) -> list[World]:
    """Read rows one by one."""
    with Session() as session:
        return [session.get_one(World, key) for key in drawn(query_data["queries"])]


@app.get("/updates")
@app.input(QueriesIn, location="query")
@app.output(WorldOut(many=True))
def updates(query_data: dict[str, int]) -> list[World]:
    """Read rows one by one and change them."""
    with Session() as session:
        worlds = [session.get_one(World, key) for key in drawn(query_data["queries"])]
        for world in worlds:
            world.randomnumber = randint(1, WORLDS)
        session.commit()
        return worlds


@app.get("/fortunes")
def fortunes() -> str:
    """Show a page."""
    with Session() as session:
        found = list(session.scalars(select(Fortune)))
    shown = in_order([*found, Fortune(id=0, message=LATE_FORTUNE)])
    return render_template("fortunes.html", fortunes=shown)


@app.post("/users")
@app.input(UserIn)
@app.output(UserOut, status_code=201)
def create_user(json_data: dict[str, Any]) -> User:
    """Check a user and keep it."""
    user = User(**json_data)
    with Session() as session:
        session.add(user)
        session.commit()
    return user


@app.get("/users")
@app.output(Users)
def list_users() -> dict[str, Any]:
    """Read the first users."""
    with Session() as session:
        found = session.scalars(select(User).order_by(User.id).limit(LIST_SIZE))
        return {"items": list(found)}


@app.get("/users/<int:key>")
@app.output(UserOut)
def read_user(key: int) -> User:
    """Read a user by its id."""
    with Session() as session:
        return session.get(User, key) or abort(404)


@app.get("/items")
@app.input(PageIn, location="query")
@app.output(Items)
def page_of_items(query_data: dict[str, int]) -> dict[str, Any]:
    """Read a page of the long table."""
    page = query_data["page"]
    with Session() as session:
        total = session.scalar(select(func.count()).select_from(Item))
        rows = select(Item).order_by(Item.id).limit(PAGE_SIZE).offset((page - 1) * PAGE_SIZE)
        return {"items": list(session.scalars(rows)), "page": page, "total": total}


@app.post("/upload")
@app.input(UploadIn, location="files")
def upload(files_data: dict[str, Any]) -> dict[str, int]:
    """Take a file."""
    return {"size": len(files_data["file"].read())}
