"""Litestar with msgspec's structs, its own and quickest kind of model.

Views on SQLAlchemy's sessions are plain functions in threads, as its documentation advises
for what blocks; :mod:`.litestar_async_service` is the same with ``async def``.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from random import randint
from typing import Annotated

from litestar import Litestar, get, post
from litestar.contrib.jinja import JinjaTemplateEngine
from litestar.datastructures import UploadFile
from litestar.enums import RequestEncodingType
from litestar.exceptions import NotFoundException
from litestar.params import Body
from litestar.response import Template
from litestar.template.config import TemplateConfig
from msgspec import Meta, Struct, structs
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


class WorldOut(Struct):
    """A world as it is answered."""

    id: int
    randomNumber: int  # noqa: N815 - as it is sent


class UserIn(Struct, forbid_unknown_fields=True):
    """What a caller may write."""

    name: Annotated[str, Meta(min_length=1, max_length=80)]
    email: Annotated[str, Meta(max_length=120, pattern=EMAIL)]
    age: Annotated[int, Meta(ge=0, le=150)]
    city: Annotated[str, Meta(min_length=1, max_length=80)]
    active: bool
    born: date


class UserOut(Struct):
    """A user as it is answered."""

    id: int
    name: str
    email: str
    age: int
    city: str
    active: bool
    born: date


class Users(Struct):
    """The first users."""

    items: list[UserOut]


class ItemOut(Struct):
    """An item as it is answered."""

    id: int
    name: str
    value: int


class Items(Struct):
    """A page of items."""

    items: list[ItemOut]
    page: int
    total: int


def user_of(user: User) -> UserOut:
    """Show a user."""
    return UserOut(
        user.id, user.name, user.email, user.age, user.city, active=user.active, born=user.born
    )


@get("/json", sync_to_thread=False)
def hello() -> dict[str, str]:
    """Greet."""
    return {"message": "Hello, World!"}


@get("/db", sync_to_thread=True)
def one_world() -> WorldOut:
    """Read one row."""
    with Session() as session:
        world = session.get_one(World, randint(1, WORLDS))
        return WorldOut(world.id, world.randomnumber)


@get("/queries", sync_to_thread=True)
def many_worlds(queries: int = 1) -> list[WorldOut]:
    """Read rows one by one."""
    with Session() as session:
        worlds = [session.get_one(World, key) for key in drawn(queries)]
        return [WorldOut(world.id, world.randomnumber) for world in worlds]


@get("/updates", sync_to_thread=True)
def updates(queries: int = 1) -> list[WorldOut]:
    """Read rows one by one and change them."""
    with Session() as session:
        worlds = [session.get_one(World, key) for key in drawn(queries)]
        for world in worlds:
            world.randomnumber = randint(1, WORLDS)
        session.commit()
        return [WorldOut(world.id, world.randomnumber) for world in worlds]


@get("/fortunes", sync_to_thread=True)
def fortunes() -> Template:
    """Show a page."""
    with Session() as session:
        found = session.scalars(select(Fortune))
        shown = in_order([*found, Fortune(id=0, message=LATE_FORTUNE)])
        return Template("fortunes.html", context={"fortunes": shown})


@post("/users", sync_to_thread=True)
def create_user(data: UserIn) -> UserOut:
    """Check a user and keep it."""
    with Session() as session:
        user = User(**structs.asdict(data))
        session.add(user)
        session.commit()
        return user_of(user)


@get("/users", sync_to_thread=True)
def list_users() -> Users:
    """Read the first users."""
    with Session() as session:
        found = session.scalars(select(User).order_by(User.id).limit(LIST_SIZE))
        return Users([user_of(user) for user in found])


@get("/users/{key:int}", sync_to_thread=True)
def read_user(key: int) -> UserOut:
    """Read a user by its id."""
    with Session() as session:
        user = session.get(User, key)
        if user is None:
            raise NotFoundException
        return user_of(user)


@get("/items", sync_to_thread=True)
def page_of_items(page: int = 1) -> Items:
    """Read a page of the long table."""
    with Session() as session:
        total = session.scalar(select(func.count()).select_from(Item))
        rows = select(Item).order_by(Item.id).limit(PAGE_SIZE).offset((page - 1) * PAGE_SIZE)
        items = [ItemOut(item.id, item.name, item.value) for item in session.scalars(rows)]
        return Items(items, page, total or 0)


class UploadForm(Struct):
    """A form with a file."""

    file: UploadFile


@post("/upload", status_code=200)
async def upload(
    data: Annotated[UploadForm, Body(media_type=RequestEncodingType.MULTI_PART)],
) -> dict[str, int]:
    """Take a file."""
    return {"size": len(await data.file.read())}


app = Litestar(
    [
        hello,
        one_world,
        many_worlds,
        updates,
        fortunes,
        create_user,
        list_users,
        read_user,
        page_of_items,
        upload,
    ],
    template_config=TemplateConfig(
        directory=Path(__file__).parent / "templates", engine=JinjaTemplateEngine
    ),
)
