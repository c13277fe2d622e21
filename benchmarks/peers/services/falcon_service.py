"""Falcon with orjson, as its documentation sets it up; bodies are checked by msgspec.

Sources: falcon.readthedocs.io, "Prettifying and faster JSON handlers" and the recipe
"Request validation with msgspec".
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from random import randint
from typing import Annotated, Any

import falcon
import falcon.media
import msgspec
import orjson
from jinja2 import Environment, FileSystemLoader
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
templates = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True
)
fortunes_page = templates.get_template("fortunes.html")


class UserIn(msgspec.Struct, forbid_unknown_fields=True):
    """What a caller may write."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=80)]
    email: Annotated[str, msgspec.Meta(max_length=120, pattern=EMAIL)]
    age: Annotated[int, msgspec.Meta(ge=0, le=150)]
    city: Annotated[str, msgspec.Meta(min_length=1, max_length=80)]
    active: bool
    born: date


def world_of(world: World) -> dict[str, Any]:
    """Show a world."""
    return {"id": world.id, "randomNumber": world.randomnumber}


def user_of(user: User) -> dict[str, Any]:
    """Show a user."""
    return {
        "id": user.id,
        "name": user.name,
        "email": user.email,
        "age": user.age,
        "city": user.city,
        "active": user.active,
        "born": user.born,
    }


class Hello:
    """A constant."""

    def on_get(self, _request: falcon.Request, response: falcon.Response) -> None:
        """Greet."""
        response.media = {"message": "Hello, World!"}


class OneWorld:
    """TechEmpower's single query."""

    def on_get(self, _request: falcon.Request, response: falcon.Response) -> None:
        """Read one row."""
        with Session() as session:
            response.media = world_of(session.get_one(World, randint(1, WORLDS)))


class ManyWorlds:
    """TechEmpower's multiple queries."""

    def on_get(self, request: falcon.Request, response: falcon.Response) -> None:
        """Read rows one by one."""
        ids = drawn(request.get_param_as_int("queries", default=1))
        with Session() as session:
            response.media = [world_of(session.get_one(World, key)) for key in ids]


class Updates:
    """TechEmpower's updates."""

    def on_get(self, request: falcon.Request, response: falcon.Response) -> None:
        """Read rows one by one and change them."""
        ids = drawn(request.get_param_as_int("queries", default=1))
        with Session() as session:
            worlds = [session.get_one(World, key) for key in ids]
            for world in worlds:
                world.randomnumber = randint(1, WORLDS)
            session.commit()
            response.media = [world_of(world) for world in worlds]


class Fortunes:
    """TechEmpower's fortunes."""

    def on_get(self, _request: falcon.Request, response: falcon.Response) -> None:
        """Show a page."""
        with Session() as session:
            found = list(session.scalars(select(Fortune)))
        shown = in_order([*found, Fortune(id=0, message=LATE_FORTUNE)])
        response.content_type = falcon.MEDIA_HTML
        response.text = fortunes_page.render(fortunes=shown)


class Users:
    """All users."""

    def on_get(self, _request: falcon.Request, response: falcon.Response) -> None:
        """Read the first users."""
        with Session() as session:
            found = session.scalars(select(User).order_by(User.id).limit(LIST_SIZE))
            response.media = {"items": [user_of(user) for user in found]}

    def on_post(self, request: falcon.Request, response: falcon.Response) -> None:
        """Check a user and keep it."""
        try:
            data = msgspec.json.decode(request.bounded_stream.read(), type=UserIn)
        except msgspec.ValidationError as error:
            raise falcon.HTTPUnprocessableEntity(description=str(error)) from error
        user = User(**msgspec.structs.asdict(data))
        with Session() as session:
            session.add(user)
            session.commit()
            response.media = user_of(user)
        response.status = falcon.HTTP_201


class OneUser:
    """One user."""

    def on_get(self, _request: falcon.Request, response: falcon.Response, key: int) -> None:
        """Read a user by its id."""
        with Session() as session:
            user = session.get(User, key)
            if user is None:
                raise falcon.HTTPNotFound
            response.media = user_of(user)


class Items:
    """The long table."""

    def on_get(self, request: falcon.Request, response: falcon.Response) -> None:
        """Read a page."""
        page = request.get_param_as_int("page", default=1)
        with Session() as session:
            total = session.scalar(select(func.count()).select_from(Item))
            rows = select(Item).order_by(Item.id).limit(PAGE_SIZE).offset((page - 1) * PAGE_SIZE)
            items = [
                {"id": item.id, "name": item.name, "value": item.value}
                for item in session.scalars(rows)
            ]
        response.media = {"items": items, "page": page, "total": total}


class Uploads:
    """Files."""

    def on_post(self, request: falcon.Request, response: falcon.Response) -> None:
        """Take a file."""
        for part in request.get_media():
            if part.name == "file":
                response.media = {"size": len(part.stream.read())}


app = falcon.App()
handler = falcon.media.JSONHandler(dumps=orjson.dumps, loads=orjson.loads)
app.req_options.media_handlers.update({falcon.MEDIA_JSON: handler})
app.resp_options.media_handlers.update({falcon.MEDIA_JSON: handler})
app.add_route("/json", Hello())
app.add_route("/db", OneWorld())
app.add_route("/queries", ManyWorlds())
app.add_route("/updates", Updates())
app.add_route("/fortunes", Fortunes())
app.add_route("/users", Users())
app.add_route("/users/{key:int}", OneUser())
app.add_route("/items", Items())
app.add_route("/upload", Uploads())
