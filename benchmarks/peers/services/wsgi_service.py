"""No framework: a function, SQLAlchemy and orjson. What any framework adds is above it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import date
from http import HTTPStatus
from pathlib import Path
from random import randint
from typing import Any
from urllib.parse import parse_qs

import orjson
from jinja2 import Environment, FileSystemLoader
from multipart import parse_form_data
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

Answer = tuple[int, str, bytes]
Session = sessions()
templates = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True
)
fortunes_page = templates.get_template("fortunes.html")
is_email = re.compile(EMAIL).match


def json(value: Any, status: int = 200) -> Answer:
    """Answer with JSON."""
    return status, "application/json", orjson.dumps(value)


def hello(_environ: dict[str, Any]) -> Answer:
    """Greet."""
    return json({"message": "Hello, World!"})


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


def one_world(_environ: dict[str, Any]) -> Answer:
    """Read one row."""
    with Session() as session:
        return json(world_of(session.get_one(World, randint(1, WORLDS))))


def asked(environ: dict[str, Any], name: str, default: int) -> int:
    """Read a number from the query."""
    return int(parse_qs(environ["QUERY_STRING"]).get(name, [default])[0])


def many_worlds(environ: dict[str, Any]) -> Answer:
    """Read rows one by one."""
    with Session() as session:
        ids = drawn(asked(environ, "queries", 1))
        return json([world_of(session.get_one(World, key)) for key in ids])


def updates(environ: dict[str, Any]) -> Answer:
    """Read rows one by one and change them."""
    with Session() as session:
        worlds = [session.get_one(World, key) for key in drawn(asked(environ, "queries", 1))]
        for world in worlds:
            world.randomnumber = randint(1, WORLDS)
        session.commit()
        return json([world_of(world) for world in worlds])


def fortunes(_environ: dict[str, Any]) -> Answer:
    """Show a page."""
    with Session() as session:
        found = list(session.scalars(select(Fortune)))
    shown = in_order([*found, Fortune(id=0, message=LATE_FORTUNE)])
    page = fortunes_page.render(fortunes=shown)
    return 200, "text/html; charset=utf-8", page.encode()


def valid(data: Any) -> dict[str, Any]:
    """Check what was sent.

    :raises ValueError: if a field is missing, unknown or wrong.
    """
    names = {"name", "email", "age", "city", "active", "born"}
    if not isinstance(data, dict) or data.keys() != names:
        raise ValueError("Not the fields of a user.")
    name, email, age, city = data["name"], data["email"], data["age"], data["city"]
    if not (isinstance(name, str) and 1 <= len(name) <= 80):  # noqa: PLR2004 - the column's
        raise ValueError("name")
    if not (isinstance(email, str) and len(email) <= 120 and is_email(email)):  # noqa: PLR2004
        raise ValueError("email")
    if type(age) is not int or not 0 <= age <= 150:  # noqa: PLR2004
        raise ValueError("age")
    if not (isinstance(city, str) and 1 <= len(city) <= 80):  # noqa: PLR2004
        raise ValueError("city")
    if not isinstance(data["active"], bool):
        raise ValueError("active")  # noqa: TRY004 - one kind of error for all of them
    return {**data, "born": date.fromisoformat(data["born"])}


def create_user(environ: dict[str, Any]) -> Answer:
    """Check a user and keep it."""
    try:
        data = valid(orjson.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))))
    except (TypeError, ValueError) as error:
        return json({"error": str(error)}, 422)
    user = User(**data)
    with Session() as session:
        session.add(user)
        session.commit()
        return json(user_of(user), 201)


def list_users(_environ: dict[str, Any]) -> Answer:
    """Read the first users."""
    with Session() as session:
        found = session.scalars(select(User).order_by(User.id).limit(LIST_SIZE))
        return json({"items": [user_of(user) for user in found]})


def read_user(environ: dict[str, Any]) -> Answer:
    """Read a user by its id."""
    with Session() as session:
        try:
            user = session.get(User, int(environ["PATH_INFO"].removeprefix("/users/")))
        except ValueError:
            user = None
        return json(user_of(user)) if user else json({"error": "not found"}, 404)


def page_of_items(environ: dict[str, Any]) -> Answer:
    """Read a page of the long table."""
    page = asked(environ, "page", 1)
    with Session() as session:
        total = session.scalar(select(func.count()).select_from(Item))
        rows = select(Item).order_by(Item.id).limit(PAGE_SIZE).offset((page - 1) * PAGE_SIZE)
        items = [
            {"id": item.id, "name": item.name, "value": item.value}
            for item in session.scalars(rows)
        ]
        return json({"items": items, "page": page, "total": total})


def upload(environ: dict[str, Any]) -> Answer:
    """Take a file."""
    _, files = parse_form_data(environ)
    return json({"size": files["file"].size})


ROUTES: dict[tuple[str, str], Callable[[dict[str, Any]], Answer]] = {
    ("GET", "/json"): hello,
    ("GET", "/db"): one_world,
    ("GET", "/queries"): many_worlds,
    ("GET", "/updates"): updates,
    ("GET", "/fortunes"): fortunes,
    ("POST", "/users"): create_user,
    ("GET", "/users"): list_users,
    ("GET", "/items"): page_of_items,
    ("POST", "/upload"): upload,
}
LINES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Find the function of a request and send what it answers."""
    method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
    answer = ROUTES.get((method, path))
    if answer is None and method == "GET" and path.startswith("/users/"):
        answer = read_user
    status, kind, body = answer(environ) if answer else json({"error": "not found"}, 404)
    start_response(LINES[status], [("Content-Type", kind), ("Content-Length", str(len(body)))])
    return [body]
