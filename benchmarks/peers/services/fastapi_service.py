"""FastAPI as its tutorial writes it: pydantic models, a session by dependency, ``def`` views.

The views are plain functions because SQLAlchemy's sessions are; :mod:`.fastapi_async_service`
is the same with ``async def``.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from random import randint

from fastapi import FastAPI, HTTPException, Request, UploadFile
from fastapi.responses import HTMLResponse
from fastapi.templating import Jinja2Templates
from pydantic import BaseModel, ConfigDict, Field
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
templates = Jinja2Templates(Path(__file__).parent / "templates")
app = FastAPI()


class WorldOut(BaseModel):
    """A world as it is answered."""

    model_config = ConfigDict(from_attributes=True)
    id: int
    randomNumber: int = Field(validation_alias="randomnumber")  # noqa: N815 - as it is sent


class UserIn(BaseModel):
    """What a caller may write."""

    model_config = ConfigDict(extra="forbid", from_attributes=True)
    name: str = Field(min_length=1, max_length=80)
    email: str = Field(max_length=120, pattern=EMAIL)
    age: int = Field(ge=0, le=150, strict=True)
    city: str = Field(min_length=1, max_length=80)
    active: bool = Field(strict=True)
    born: date


class UserOut(UserIn):
    """A user as it is answered."""

    id: int


class Users(BaseModel):
    """The first users."""

    items: list[UserOut]


class ItemOut(BaseModel):
    """An item as it is answered."""

    model_config = ConfigDict(from_attributes=True)
    id: int
    name: str
    value: int


class Items(BaseModel):
    """A page of items."""

    items: list[ItemOut]
    page: int
    total: int


@app.get("/json")
async def hello() -> dict[str, str]:
    """Greet."""
    return {"message": "Hello, World!"}


@app.get("/db", response_model=WorldOut)
def one_world() -> World:
    """Read one row."""
    with Session() as session:
        return session.get_one(World, randint(1, WORLDS))


@app.get("/queries", response_model=list[WorldOut])
def many_worlds(queries: int = 1) -> list[World]:
    """Read rows one by one."""
    with Session() as session:
        return [session.get_one(World, key) for key in drawn(queries)]


@app.get("/updates", response_model=list[WorldOut])
def updates(queries: int = 1) -> list[World]:
    """Read rows one by one and change them."""
    with Session() as session:
        worlds = [session.get_one(World, key) for key in drawn(queries)]
        for world in worlds:
            world.randomnumber = randint(1, WORLDS)
        session.commit()
        return worlds


@app.get("/fortunes", response_class=HTMLResponse)
def fortunes(request: Request) -> HTMLResponse:
    """Show a page."""
    with Session() as session:
        found = session.scalars(select(Fortune))
        shown = in_order([*found, Fortune(id=0, message=LATE_FORTUNE)])
        return templates.TemplateResponse(request, "fortunes.html", {"fortunes": shown})


@app.post("/users", response_model=UserOut, status_code=201)
def create_user(data: UserIn) -> User:
    """Check a user and keep it."""
    with Session() as session:
        user = User(**data.model_dump())
        session.add(user)
        session.commit()
        return user


@app.get("/users", response_model=Users)
def list_users() -> dict[str, list[User]]:
    """Read the first users."""
    with Session() as session:
        found = session.scalars(select(User).order_by(User.id).limit(LIST_SIZE))
        return {"items": list(found)}


@app.get("/users/{key}", response_model=UserOut)
def read_user(key: int) -> User:
    """Read a user by its id."""
    with Session() as session:
        user = session.get(User, key)
        if user is None:
            raise HTTPException(status_code=404, detail="User not found")
        return user


@app.get("/items", response_model=Items)
def page_of_items(page: int = 1) -> dict[str, object]:
    """Read a page of the long table."""
    with Session() as session:
        total = session.scalar(select(func.count()).select_from(Item))
        rows = select(Item).order_by(Item.id).limit(PAGE_SIZE).offset((page - 1) * PAGE_SIZE)
        return {"items": list(session.scalars(rows)), "page": page, "total": total}


@app.post("/upload")
async def upload(file: UploadFile) -> dict[str, int]:
    """Take a file."""
    return {"size": len(await file.read())}
