import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import event, func, select, text

from carboy.backing.policy import WRITING
from carboy.errors import CarboyError

pytestmark = pytest.mark.usefixtures("on_sqlite")


@pytest.mark.parametrize(("pragma", "value"), [
    pytest.param("journal_mode", "wal", id="readers do not wait for writers"),
    pytest.param("synchronous", 1, id="a commit survives the process, a power cut the file"),
    pytest.param("foreign_keys", 1, id="references are checked"),
    pytest.param("busy_timeout", 5000, id="a lock is waited for"),
])  # fmt: skip
def test_every_connection_is_set_up(service, pragma, value):
    with service.app.app_context():
        assert service.db.session.scalar(text(f"PRAGMA {pragma}")) == value


@pytest.mark.parametrize(("method", "statement"), [
    ("GET", "BEGIN"),
    ("HEAD", "BEGIN"),
    ("OPTIONS", "BEGIN"),
    ("POST", "BEGIN IMMEDIATE"),
    ("DELETE", "BEGIN IMMEDIATE"),
    (None, "BEGIN IMMEDIATE"),
])  # fmt: skip
def test_a_transaction_begins_as_the_method_promises(service, method, statement):
    said = []
    with service.app.app_context():
        event.listen(
            service.db.engine, "before_cursor_execute", lambda *given: said.append(given[2])
        )
    context = (
        service.app.test_request_context(method=method) if method else service.app.app_context()
    )
    with context:
        service.db.session.execute(text("SELECT 1"))
    assert said[0] == statement


def test_the_execution_option_wins_over_the_method(service):
    said = []
    with service.app.test_request_context(method="GET"):
        event.listen(
            service.db.engine, "before_cursor_execute", lambda *given: said.append(given[2])
        )
        service.db.session.connection(execution_options={WRITING: True})
    assert said == ["BEGIN IMMEDIATE"]


def test_a_reader_does_not_wait_for_a_writer(service, models, elsewhere):
    @service.app.get("/read")
    def read():
        return str(service.db.session.scalar(select(models.Counter.value)))

    with service.app.app_context():
        service.db.session.get(models.Counter, 1).value = 5
        service.db.session.flush()
        assert elsewhere(service.client.get, "/read").text == "0"
        service.db.session.commit()
    assert service.client.get("/read").text == "5"


def test_a_lock_that_is_not_released_is_a_503(make_app, service, models):
    app = make_app(DATABASE_URL=service.url, DATABASE_TIMEOUT_S=0.1)

    @app.post("/write")
    def write():
        app.db.session.get(models.Counter, 1).value += 1
        app.db.session.commit()
        return "ok"

    with service.app.app_context():
        service.db.session.get(models.Counter, 1)  # outside a request: may write
        refused = app.test_client().post("/write")
    assert refused.status_code == 503
    assert refused.headers["Retry-After"] == "1"
    assert "SQL" not in refused.text
    assert app.test_client().post("/write").status_code == 200


def test_a_reading_transaction_that_cannot_be_upgraded_is_a_503(service, models, elsewhere):
    @service.app.get("/write")
    def write():
        counter = service.db.session.get(models.Counter, 1)
        elsewhere(write_now)
        counter.value += 1
        service.db.session.commit()

    def write_now():
        with service.app.app_context():
            service.db.session.get(models.Counter, 1).value += 1
            service.db.session.commit()

    assert service.client.get("/write").status_code == 503
    with service.app.app_context():
        assert service.db.session.scalar(select(models.Counter.value)) == 1


def test_a_database_in_memory_serves_and_is_ready(make_app, models):
    app = make_app(DATABASE_URL="sqlite://")
    with app.app_context():
        models.Model.metadata.create_all(app.db.engine)
        app.db.session.add(models.Counter(id=1))
        app.db.session.commit()
        app.extensions["carboy.start"][0]()
        app.extensions["carboy.checks"]["database"]()
    with app.app_context():
        assert app.db.session.scalar(select(func.count(models.Counter.id))) == 1


def test_many_first_connections_at_once_all_succeed(make_app, tmp_path):
    app = make_app(DATABASE_URL=f"sqlite:///{tmp_path}/new.sqlite3", GUNICORN_THREADS=8)
    together = threading.Barrier(8)

    def connect(_):
        together.wait(10)
        with app.app_context():
            return app.db.session.scalar(text("PRAGMA journal_mode"))

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(connect, range(8))) == ["wal"] * 8


@pytest.mark.parametrize("held", [
    pytest.param("BEGIN EXCLUSIVE", id="by a writer"),
    pytest.param("BEGIN; SELECT * FROM things", id="by a reader"),
])  # fmt: skip
def test_a_locked_file_that_cannot_be_switched_over_is_reported(make_app, tmp_path, held):
    path = tmp_path / "other.sqlite3"
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("CREATE TABLE things (id INTEGER)")
    other.execute("INSERT INTO things VALUES (1)")
    for statement in held.split("; "):
        other.execute(statement).fetchone()
    app = make_app(DATABASE_URL=f"sqlite:///{path}", DATABASE_TIMEOUT_S=0.1)
    try:
        with app.app_context(), pytest.raises(CarboyError, match="database is locked"):
            app.extensions["carboy.start"][0]()
    finally:
        other.close()


def test_a_file_that_may_only_be_read_can_be_read(make_app, tmp_path):
    path = tmp_path / "archive.sqlite3"
    made = sqlite3.connect(path)
    made.execute("CREATE TABLE things (id INTEGER)")
    made.close()
    app = make_app(DATABASE_URL=f"sqlite:///file:{path}?mode=ro&uri=true")

    @app.get("/things")
    def things():
        return str(app.db.session.scalar(text("SELECT count(*) FROM things")))

    assert app.test_client().get("/things").text == "0"
    with app.app_context(), pytest.raises(CarboyError, match="readonly"):
        app.extensions["carboy.start"][0]()


@pytest.mark.parametrize("obstacle", ["the folder is a file", "the file is a folder"])
def test_a_place_that_cannot_be_written_is_refused_at_the_start(make_app, tmp_path, obstacle):
    instance = tmp_path / "instance"
    if obstacle == "the folder is a file":
        instance.write_text("")
    else:
        (instance / "service.sqlite3").mkdir(parents=True)
    app = make_app()
    with app.app_context(), pytest.raises(CarboyError) as caught:
        app.extensions["carboy.start"][0]()
    message = str(caught.value)
    assert str(instance / "service.sqlite3") in message
    assert "or set DATABASE_URL" in message
    assert "\n" not in message


def test_readiness_notices_a_file_that_is_no_database(make_app, tmp_path):
    path = tmp_path / "broken.sqlite3"
    app = make_app(DATABASE_URL=f"sqlite:///{path}")
    path.write_bytes(b"this is not a database " * 100)
    with pytest.raises(Exception, match="not a database"):
        app.extensions["carboy.checks"]["database"]()


def test_importing_the_package_does_not_import_alembic():
    code = "import sys, carboy.backing.database; print('alembic' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stdout == "False\n"
