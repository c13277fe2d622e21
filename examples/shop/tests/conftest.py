"""One shop per test process, and two ways to reach it: in this process, and over HTTP."""

import contextlib
import functools
import http.client
import itertools
import json
import os
import random
import re
import secrets
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from flask import Flask

from carboy.testing import fresh_database
from carboy.testing.plugin import (  # noqa: F401 - fixtures, used below
    carboy_contract,
    carboy_repeats,
)
from shop import create_app
from shop.settings import ShopSettings

HERE = Path(__file__).resolve().parent.parent
START_S = 30
STOP_S = 20

Exchange = Callable[[str, str, bytes | None, dict[str, str]], "Answer"]


@dataclass(frozen=True)
class Answer:
    """What came back, whichever way."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def data(self) -> Any:
        assert self.json["status"] == "success", self.text
        return self.json["data"]

    @property
    def fields(self) -> Any:
        """What a refusal says of each field."""
        assert self.json["status"] == "fail", self.text
        return self.json["data"]


class Client:
    """The same five words for both ways.

    :param headers: sent with every request, such as who is signed in.
    """

    def __init__(self, exchange: Exchange, headers: Mapping[str, str] | None = None) -> None:
        self._exchange = exchange
        self._headers = dict(headers or {})
        self.get = functools.partial(self.request, "GET")
        self.post = functools.partial(self.request, "POST")
        self.put = functools.partial(self.request, "PUT")
        self.patch = functools.partial(self.request, "PATCH")
        self.delete = functools.partial(self.request, "DELETE")

    def holding(self, token: str) -> "Client":
        """Give a client that is signed in with *token*."""
        return Client(self._exchange, {**self._headers, "Authorization": f"Bearer {token}"})

    def signed_in(self, username: str, password: str = "correct horse battery") -> "Client":
        sent = {"username": username, "password": password}
        answer = self.post("/api/v1/sessions", json=sent)
        assert answer.status == 201, answer.text
        return self.holding(answer.data["token"])

    def upload(self, path, content, *, name="picture.png", field="picture", kind="image/png"):
        """Send a file as a browser does."""
        boundary = uuid.uuid4().hex
        head = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n'
            f"Content-Type: {kind}\r\n\r\n"
        )
        body = head.encode() + content + f"\r\n--{boundary}--\r\n".encode()
        headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        return self.put(path, body=body, headers=headers)

    def request(self, method, path, *, json=None, query=None, headers=None, body=None) -> Answer:
        sent = {**self._headers, **(headers or {})}
        if json is not None:
            body = _dumps(json)
            sent["Content-Type"] = "application/json"
        if query:
            path = f"{path}?{urlencode(query)}"
        return self._exchange(method, path, body, sent)


def _dumps(value: Any) -> bytes:
    return json.dumps(value).encode()


def in_process(app: Flask) -> Exchange:
    def exchange(method, path, body, headers):
        with app.test_client().open(path, method=method, data=body, headers=headers) as answer:
            return Answer(answer.status_code, dict(answer.headers), answer.data)

    return exchange


def over_http(base_url: str) -> Exchange:
    place = urlsplit(base_url)
    kind = http.client.HTTPSConnection if place.scheme == "https" else http.client.HTTPConnection

    def exchange(method, path, body, headers):
        with contextlib.closing(kind(place.netloc, timeout=60)) as connection:
            connection.request(method, place.path.rstrip("/") + path, body, headers)
            answer = connection.getresponse()
            return Answer(answer.status, dict(answer.headers), answer.read())

    return exchange


@pytest.fixture(autouse=True)
def _as_documented(carboy_contract):  # noqa: F811 - the fixture
    """Hold every answer of the app in this process against its OpenAPI document."""


@pytest.fixture(autouse=True)
def _not_one_by_one(carboy_repeats):  # noqa: F811 - the fixture
    """Fail where a request loads objects one by one."""


@pytest.fixture(scope="session")
def database_url() -> Iterator[str]:
    """A database with the catalogue in it."""
    with fresh_database() as url:
        yield url


@pytest.fixture(scope="session")
def app(database_url, tmp_path_factory) -> Iterator[Flask]:
    with shop_on(database_url, tmp_path_factory.mktemp("instance")) as app:
        flask(app, "db", "upgrade")
        flask(app, "shop", "import-catalogue", str(HERE / "catalogue.csv"))
        yield app


@contextlib.contextmanager
def shop_on(url: str, folder: Path) -> Iterator[Flask]:
    """Make the shop on a database, and let go of it at the end."""
    app = create_app(
        ShopSettings.load(APP_ENV="Testing", DATABASE_URL=url, INSTANCE_PATH=str(folder))
    )
    try:
        yield app
    finally:
        with app.app_context():
            app.extensions["sqlalchemy"].engine.dispose()


def flask(app: Flask, *words: str, status: int = 0) -> str:
    """Run ``flask WORDS`` and give what it printed."""
    result = app.test_cli_runner().invoke(args=words)
    assert result.exit_code == status, (result.output, result.exception)
    return result.output


@pytest.fixture
def command() -> Callable[..., str]:
    """``command(app, *words, status=0)``: run ``flask WORDS``."""
    return flask


@pytest.fixture
def new_shop(tmp_path) -> Iterator[Flask]:
    """A shop of the test's own, with tables and nothing in them."""
    with fresh_database() as url, shop_on(url, tmp_path) as app:
        flask(app, "db", "upgrade")
        yield app


@pytest.fixture
def shop_without_tables(tmp_path) -> Iterator[Flask]:
    with fresh_database() as url, shop_on(url, tmp_path) as app:
        yield app


@pytest.fixture(scope="session")
def server_url(request, tmp_path_factory) -> Iterator[str]:
    """``BASE_URL`` when it is set, else a server started here."""
    given = os.environ.get("BASE_URL")
    if given:
        yield given
        return
    request.getfixturevalue("app")  # fills the database
    with served(request.getfixturevalue("database_url"), tmp_path_factory.mktemp("served")) as url:
        yield url


@contextlib.contextmanager
def served(database_url: str, folder: Path) -> Iterator[str]:
    """Serve the shop as ``make start`` does, on a free port."""
    ours = {
        "APP_ENV": "Testing",
        # In Testing each process would make its own, and a cursor of one is none of another.
        "SECRET_KEY": secrets.token_urlsafe(48),
        "DATABASE_URL": database_url,
        "INSTANCE_PATH": str(folder),
        "HTTP_PORT": "0",
        "LOG_LEVEL": "INFO",
        "ACCESS_LOG": "false",
        "WEB_CONCURRENCY": "2",
        # In Testing each process would count by itself.
        "RATE_LIMIT_STORAGE": "sqlite:///limits.sqlite3",
        "PYTHONWARNINGS": "default",
    }
    inherited = {name: value for name, value in os.environ.items() if name != "PORT"}
    command = [str(Path(sys.executable).with_name("carboy")), "run", "wsgi:app"]
    with subprocess.Popen(
        command,
        cwd=HERE,
        env=inherited | ours,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as server:
        output: list[str] = []
        reader = threading.Thread(target=lambda: output.extend(server.stdout), daemon=True)
        reader.start()
        try:
            yield wait_for_address(server, output)
        finally:
            server.terminate()
            try:
                status = server.wait(STOP_S)
            except subprocess.TimeoutExpired:
                server.kill()
                raise
            reader.join(STOP_S)
    assert status == 0, "".join(output)
    assert "Traceback" not in "".join(output)


def wait_for_address(server: subprocess.Popen, output: list[str]) -> str:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and server.poll() is None:
        found = re.search(r"Listening at (http://127\.0\.0\.1:[1-9]\d*)\n", "".join(output))
        if found:
            url = found[1]
            with contextlib.suppress(OSError):
                if over_http(url)("GET", "/health/live", None, {}).status == 200:
                    return url
        time.sleep(0.02)
    raise AssertionError("The server did not come up:\n" + "".join(output))


@pytest.fixture(params=["test client", "server"])
def client(request) -> Client:
    if request.param == "server":
        return Client(over_http(request.getfixturevalue("server_url")))
    return Client(in_process(request.getfixturevalue("app")))


@pytest.fixture
def person() -> dict[str, str]:
    """What a person nobody has met yet sends to register."""
    name = f"p{uuid.uuid4().hex[:16]}"
    return {
        "username": name,
        "email": f"{name}@example.com",
        "full_name": "Renée Example",
        "password": "correct horse battery",
    }


@dataclass(frozen=True)
class Customer:
    """Somebody who registered and signed in."""

    account: dict[str, Any]
    client: Client

    @property
    def path(self) -> str:
        return f"/api/v1/users/{self.account['id']}"


@pytest.fixture
def make_customer(client, person) -> Callable[[], Customer]:
    """Register somebody else at each call, and sign them in."""
    turns = itertools.count()

    def make() -> Customer:
        name = f"{person['username']}-{next(turns)}"
        sent = {**person, "username": name, "email": f"{name}@example.com"}
        answer = client.post("/api/v1/users", json=sent)
        assert answer.status == 201, answer.text
        return Customer(answer.data, client.signed_in(name))

    return make


@pytest.fixture
def customer(make_customer) -> Customer:
    return make_customer()


@pytest.fixture
def staff(request, client, make_customer) -> Callable[[str], Client]:
    """``staff(role)``: sign somebody in whose role only a command can give."""

    def make(role: str) -> Client:
        if "BASE_URL" in os.environ:
            pytest.skip("BASE_URL leads to a shop whose command line is out of reach")
        customer = make_customer()
        shop = request.getfixturevalue("app")
        flask(shop, "users", "set-role", customer.account["username"], role)
        return customer.client

    return make


@pytest.fixture
def clerk(staff) -> Client:
    return staff("clerk")


@pytest.fixture
def admin(staff) -> Client:
    return staff("admin")


@pytest.fixture
def sign_in() -> Callable[[Flask, str], Client]:
    """``sign_in(app, role)``: make an account in a shop of the test's own, and sign in."""

    def make(app: Flask, role: str) -> Client:
        name = f"{role}-{uuid.uuid4().hex[:8]}"
        told = {
            "--email": f"{name}@example.com",
            "--full-name": "Renée Example",
            "--role": role,
            "--password": "correct horse battery",
        }
        flask(app, "users", "create", name, *itertools.chain(*told.items()))
        return Client(in_process(app)).signed_in(name)

    return make


@pytest.fixture
def new_product() -> Iterator[Callable[..., dict[str, Any]]]:
    """``new_product(clerk, **values)``: a product of the test's own, gone afterwards."""
    made = []

    def make(clerk: Client, **values: Any) -> dict[str, Any]:
        sent = {
            "sku": f"T-{uuid.uuid4().hex[:12].upper()}",
            "name": "Cup",
            "description": "A cup.",
            "category": "Kitchen",
            "price": "3.50",
            "stock": 4,
        }
        answer = clerk.post("/api/v1/products", json={**sent, **values})
        assert answer.status == 201, answer.text
        made.append((clerk, answer.headers["Location"]))
        return answer.data

    yield make
    for clerk, path in made:
        assert clerk.delete(path).status in (204, 404, 409)  # 409: it was bought


def walk(client: Client, path: str) -> list[dict[str, Any]]:
    """Read a list to its end, page by page."""
    items = []
    while path:
        page = client.get(path).data
        items += page["items"]
        path = page["links"]["next"]
    return items


@pytest.fixture(name="walk")
def walk_fixture(client) -> Callable[[str], list[dict[str, Any]]]:
    return functools.partial(walk, client)


@pytest.fixture
def products(client) -> Callable[..., list[dict[str, Any]]]:
    """Pick products of which enough is left."""

    def pick(number: int, *, at_least: int = 10) -> list[dict[str, Any]]:
        enough = walk(client, f"/api/v1/products?limit=100&stock_gte={at_least}")
        return random.sample(enough, number)

    return pick


@pytest.fixture
def product(products) -> dict[str, Any]:
    return products(1)[0]
