"""A shop with people in it, and requests whose answers are held to the laws that always hold."""

import contextlib
import io
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from carboy.backing.counters import Circuit
from carboy.backing.counters.memory import MemoryCounters
from carboy.testing import fresh_database
from shop import create_app
from shop.auth import auth
from shop.database import Model, db
from shop.settings import ShopSettings
from shop.users import accounts

from .endpoints import ADMIN, PASSWORD

HERE = Path(__file__).resolve().parent.parent.parent
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4
BOB_ID = 987_654_321
INSIDE = re.compile(
    r"Traceback|File \"|site-packages|sqlalchemy|psycopg|sqlite3|werkzeug|marshmallow|"
    r"OverflowError|ValueError|TypeError|KeyError|SELECT |INSERT |root:x:",
)


@dataclass(frozen=True)
class Person:
    """An account with a session and a key to send, and what belongs to it.

    :ivar things: collection, as addresses name it → what of it is theirs.
    :ivar secrets: text that nobody else may be shown.
    """

    id: int
    token: str
    key: str
    things: dict[str, Any]
    secrets: tuple[str, ...]

    def headers(self, *, key: bool = False) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key if key else self.token}"}


def add_person(app, name, role="customer", *, id=None):  # noqa: A002 - the field's word
    """Make an account that has a session more than the one in use, a key and an order."""
    with app.app_context():
        email = f"{name}@hidden.example"
        user = accounts.register(
            username=name, email=email, full_name=f"{name} Example", password=PASSWORD
        )
        user.role = role
        if id is not None:
            db.session.flush()
            user.id = id
        db.session.commit()
        token = auth.sessions.start(user.id).token
        other = auth.sessions.start(user.id, user_agent=f"browser-of-{name}").id
        key = auth.api_keys.create(user.id, f"key-of-{name}", ["*"])
        made, shown = user.id, (email, other, key.row.id, f"browser-of-{name}", f"key-of-{name}")
        things = {"users": made, "profiles": name, "sessions": other, "api-keys": key.row.id}
        db.session.commit()
    bought = app.test_client().post(
        "/api/v1/checkout",
        json={"lines": [{"product_id": 1, "quantity": 1}]},
        headers={"Authorization": f"Bearer {token}"},
    )
    assert bought.status_code == 201, bought.text
    things |= {"orders": bought.json["data"]["id"], "products": 2}
    return Person(made, token, key.key, things, shown)


@pytest.fixture(scope="session")
def shop(tmp_path_factory):
    """A shop for these laws alone: what gets through may change and delete."""
    with fresh_database() as url:
        folder = tmp_path_factory.mktemp("hostile")
        app = create_app(
            ShopSettings.load(
                APP_ENV="Testing", DATABASE_URL=url, INSTANCE_PATH=str(folder),
                # Thousands of passwords are tried.
                AUTH_ARGON2_MEMORY_KIB=64, AUTH_ARGON2_TIME_COST=1, AUTH_ARGON2_PARALLELISM=1,
            )
        )  # fmt: skip
        # As a caller sees it: the exception stays inside.
        app.config["PROPAGATE_EXCEPTIONS"] = False
        runner = app.test_cli_runner()
        for words in (("db", "upgrade"), ("shop", "import-catalogue", str(HERE / "catalogue.csv"))):
            assert runner.invoke(args=words).exit_code == 0
        yield app
        with app.app_context():
            db.engine.dispose()


@pytest.fixture(scope="session")
def ada(shop):
    """A customer."""
    return add_person(shop, "ada")


@pytest.fixture(scope="session")
def bob(shop):
    """Another customer, with an id that no other number is."""
    return add_person(shop, "bob", id=BOB_ID)


@pytest.fixture(scope="session")
def admin(shop, ada):
    """Somebody who may do everything, also to what is Ada's."""
    person = add_person(shop, ADMIN, "admin")
    picture = shop.test_client().put(
        "/api/v1/products/2/picture",
        data={"picture": (io.BytesIO(PNG), "a.png")},
        headers=person.headers(),
    )
    assert picture.status_code == 200, picture.text
    own = {name: person.things[name] for name in ("sessions", "api-keys")}
    return Person(person.id, person.token, person.key, {**ada.things, **own}, person.secrets)


@pytest.fixture(scope="session")
def stored(shop, admin):
    """The files that the shop keeps."""
    folder = Path(shop.config["INSTANCE_PATH"], "storage")
    return {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}


@pytest.fixture
def undone(shop, stored):
    """``with undone():`` put every row and file back afterwards."""

    @contextlib.contextmanager
    def undone():
        with db.test_isolation(shop):
            yield
        for file, content in stored.items():
            if not file.exists():
                file.write_bytes(content)

    return undone


@pytest.fixture
def ask(shop, undone):
    """Send a request, and hold the answer to the laws that always hold.

    What it changed is undone, unless it is to be *kept*.
    """

    def sent(method, path, headers, *, note="", kept=False, environ=None, **rest):
        # Who was refused a moment ago is not slowed down now.
        shop.extensions["carboy.limits"].counters = Circuit(MemoryCounters())
        reads = method in ("GET", "HEAD", "OPTIONS")
        with contextlib.nullcontext() if kept or reads else undone():
            answer = shop.test_client(use_cookies=False).open(
                path, method=method, headers=headers, environ_overrides=environ or {}, **rest
            )
            content = answer.get_data()
            answer.close()
        seen = (note, answer.status_code, content[:500])
        assert answer.status_code < 500, seen
        assert answer.headers.get("X-Request-ID"), seen
        assert "X-Injected" not in answer.headers, seen
        assert not any(re.search(r"[\r\n\0]", value) for value in answer.headers.values()), seen
        if answer.status_code >= 400 and method != "HEAD":
            assert INSIDE.search(answer.text) is None, seen
            assert answer.json["status"] == "fail", seen
            assert {"message", "code", "data"} <= answer.json.keys(), seen
        return answer

    return sent


@pytest.fixture
def send(ask, admin):
    """Send a request to a target as somebody who may do everything; see ``ask``."""

    def sent(target, *, method=None, values=None, query="", **rest):
        path = target.at(admin.things, **(values or {})) + query
        return ask(method or target.method, path, admin.headers(), **rest)

    return sent


@pytest.fixture
def picture():
    """Make a file that is taken for a picture, for a form."""
    return lambda: (io.BytesIO(PNG), "a.png")


@pytest.fixture
def rows(shop):
    """Read everything the database holds, as text, but what using a session prolongs."""

    def kept(table):
        prolonged = {"last_used_at", "expires_at"} if table.name == "sessions" else {"last_used_at"}
        return [column for column in table.columns if column.name not in prolonged]

    def read():
        with shop.app_context():
            found = {
                (table.name, *map(str, row))
                for table in Model.metadata.sorted_tables
                for row in db.session.execute(select(*kept(table)))
            }
            db.session.rollback()
        return found

    return read
