# ruff: noqa: INP001 - beside a script
"""The programs that ``start.py`` starts."""

_CARBOY = """
from carboy import Blueprint, Carboy, {names}Flask, Schema
from marshmallow import fields, validate
{imports}

class ItemIn(Schema):
    name = fields.String(required=True, validate=validate.Length(1, 80))
    price = fields.Float(required=True)


class ItemOut(Schema):
    id = fields.Integer()
    name = fields.String()
    price = fields.Float()

{model}
api = Blueprint("api", __name__)


@api.get("/hello")
def hello():
    return {hello}


@api.post("/items")
@api.input(ItemIn)
@api.output(ItemOut, 201)
def add(data):
{add}

app = Flask(__name__)
Carboy(app)
{init}app.register_blueprint(api)
"""

_FASTAPI = """
import os
from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field
{imports}


class ItemIn(BaseModel):
    name: str = Field(min_length=1, max_length=80)
    price: float


class ItemOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    id: int
    name: str
    price: float

{model}
app = FastAPI()


@app.get("/hello")
def hello() -> dict[str, str]:
    return {hello}


@app.post("/items", status_code=201)
def add(item: ItemIn) -> ItemOut:
{add}
"""
_MODEL = """
class Model(DeclarativeBase):
    pass


class Item(Model):
    __tablename__ = "items"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    price: Mapped[float]

"""
_ORM = """from sqlalchemy import {names}
from sqlalchemy.orm import DeclarativeBase, Mapped, {session}mapped_column
"""

APPS = {
    "carboy_plain": _CARBOY.format(
        names="", imports="", model="", init="",
        hello='{"hello": "world"}', add='    return {"id": 1, **data}\n',
    ),
    "carboy_database": _CARBOY.format(
        names="Database, ", imports=_ORM.format(names="select", session=""),
        model=f"{_MODEL}\ndb = Database(Model)\n", init="db.init_app(app)\n",
        hello='{"hello": db.session.scalars(select(Item).where(Item.id == 1)).one().name}',
        add="    item = Item(**data)\n    db.session.add(item)\n    db.session.commit()\n"
        "    return item\n",
    ),
    "fastapi_plain": _FASTAPI.format(
        imports="", model="", hello='{"hello": "world"}',
        add="    return ItemOut(id=1, **item.model_dump())\n",
    ),
    "fastapi_database": _FASTAPI.format(
        imports=_ORM.format(names="create_engine, select", session="Session, "),
        model=f'{_MODEL}\nengine = create_engine(os.environ["DATABASE_URL"])\n',
        hello='{"hello": read()}',
        add="    with Session(engine) as session:\n        made = Item(**item.model_dump())\n"
        "        session.add(made)\n        session.commit()\n"
        "        return ItemOut.model_validate(made)\n\n\n"
        "def read() -> str:\n    with Session(engine) as session:\n"
        "        return session.scalars(select(Item).where(Item.id == 1)).one().name\n",
    ),
}  # fmt: skip

FIRST_ANSWER = """
import importlib, io, resource, sys

name = sys.argv[1]
sys.path.insert(0, "")
app = importlib.import_module(name).app
status, written = [], []
if name.startswith("carboy"):
    environ = {
        "REQUEST_METHOD": "GET", "PATH_INFO": "/hello", "SCRIPT_NAME": "", "QUERY_STRING": "",
        "SERVER_NAME": "127.0.0.1", "SERVER_PORT": "80", "HTTP_HOST": "127.0.0.1",
        "REMOTE_ADDR": "127.0.0.1", "SERVER_PROTOCOL": "HTTP/1.1", "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO(), "wsgi.errors": sys.stderr,
        "wsgi.multithread": True, "wsgi.multiprocess": True, "wsgi.run_once": False,
    }
    answer = app(environ, lambda line, headers, error=None: status.append(line[:3]))
    written.extend(answer)
    getattr(answer, "close", lambda: None)()
else:
    import asyncio

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        if message["type"] == "http.response.start":
            status.append(str(message["status"]))
        else:
            written.append(message["body"])

    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET",
        "path": "/hello", "raw_path": b"/hello", "query_string": b"", "root_path": "",
        "scheme": "http", "headers": [(b"host", b"127.0.0.1")], "server": ("127.0.0.1", 80),
        "client": ("127.0.0.1", 1),
    }
    asyncio.run(app(scope, receive, send))
assert status == ["200"] and b"hello" in b"".join(written), (status, written)
used = resource.getrusage(resource.RUSAGE_SELF)
print(used.ru_utime + used.ru_stime, len(sys.modules), used.ru_maxrss)
"""
"""Imports the app that is named and answers one request."""
