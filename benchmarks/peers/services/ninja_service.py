"""django-ninja: pydantic schemas on Django's models."""

from __future__ import annotations

from datetime import date
from random import randint
from typing import Any

from peers.services.django_tables import configure

configure("peers.services.ninja_service", [])

# What follows can be imported once Django is set up.
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.http import HttpRequest, HttpResponse  # noqa: E402
from django.shortcuts import get_object_or_404, render  # noqa: E402
from django.urls import path  # noqa: E402
from ninja import Field, File, NinjaAPI, Schema, Status  # noqa: E402
from ninja.files import UploadedFile  # noqa: E402

from peers.services.django_models import Fortune, Item, User, World  # noqa: E402
from peers.services.tables import (  # noqa: E402
    EMAIL,
    LATE_FORTUNE,
    LIST_SIZE,
    PAGE_SIZE,
    WORLDS,
    drawn,
    in_order,
)

api = NinjaAPI(docs_url=None)


class WorldOut(Schema):
    """A world as it is answered."""

    id: int
    randomNumber: int = Field(validation_alias="randomnumber")  # noqa: N815 - as it is sent


class UserIn(Schema):
    """What a caller may write."""

    name: str = Field(min_length=1, max_length=80)
    email: str = Field(max_length=120, pattern=EMAIL)
    age: int = Field(ge=0, le=150, strict=True)
    city: str = Field(min_length=1, max_length=80)
    active: bool = Field(strict=True)
    born: date


class UserOut(UserIn):
    """A user as it is answered."""

    id: int


class Users(Schema):
    """The first users."""

    items: list[UserOut]


class ItemOut(Schema):
    """An item as it is answered."""

    id: int
    name: str
    value: int


class Items(Schema):
    """A page of items."""

    items: list[ItemOut]
    page: int
    total: int


@api.get("/json")
def hello(request: HttpRequest) -> dict[str, str]:
    """Greet."""
    return {"message": "Hello, World!"}


@api.get("/db", response=WorldOut)
def one_world(request: HttpRequest) -> World:
    """Read one row."""
    return World.objects.get(id=randint(1, WORLDS))


@api.get("/queries", response=list[WorldOut])
def many_worlds(request: HttpRequest, queries: int = 1) -> list[World]:
    """Read rows one by one."""
    return [World.objects.get(id=key) for key in drawn(queries)]


@api.get("/updates", response=list[WorldOut])
def updates(request: HttpRequest, queries: int = 1) -> list[World]:
    """Read rows one by one and change them."""
    worlds = [World.objects.get(id=key) for key in drawn(queries)]
    for world in worlds:
        world.randomnumber = randint(1, WORLDS)
    World.objects.bulk_update(worlds, ["randomnumber"])
    return worlds


@api.get("/fortunes")
def fortunes(request: HttpRequest) -> HttpResponse:
    """Show a page."""
    shown = in_order([*Fortune.objects.all(), Fortune(id=0, message=LATE_FORTUNE)])
    return render(request, "fortunes.html", {"fortunes": shown})


@api.post("/users", response={201: UserOut})
def create_user(request: HttpRequest, data: UserIn) -> Any:
    """Check a user and keep it."""
    return Status(201, User.objects.create(**data.dict()))


@api.get("/users", response=Users)
def list_users(request: HttpRequest) -> dict[str, Any]:
    """Read the first users."""
    return {"items": list(User.objects.order_by("id")[:LIST_SIZE])}


@api.get("/users/{key}", response=UserOut)
def read_user(request: HttpRequest, key: int) -> User:
    """Read a user by its id."""
    return get_object_or_404(User, id=key)


@api.get("/items", response=Items)
def page_of_items(request: HttpRequest, page: int = 1) -> dict[str, Any]:
    """Read a page of the long table."""
    rows = Item.objects.order_by("id")
    items = list(rows[(page - 1) * PAGE_SIZE : page * PAGE_SIZE])
    return {"items": items, "page": page, "total": rows.count()}


@api.post("/upload")
def upload(request: HttpRequest, file: File[UploadedFile]) -> dict[str, int]:
    """Take a file."""
    return {"size": len(file.read())}


urlpatterns = [path("", api.urls)]
app = get_wsgi_application()
