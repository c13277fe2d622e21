import gc
import inspect
import os
import subprocess
import sys
import textwrap
import weakref
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from sqlalchemy import MetaData, func, select, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from carboy.backing.database import Database
from carboy.errors import CarboyError, SettingsError


def value(service, models):
    with service.app.app_context():
        return service.db.session.scalar(select(models.Counter.value))


@pytest.mark.parametrize("order", ["settings first", "database first"])
def test_either_may_come_first(make_app, url, order):
    app = make_app(DATABASE_URL=url, order=order)
    with app.app_context():
        assert app.db.session.scalar(text("SELECT 1")) == 1


def test_without_settings_the_error_says_what_to_call():
    app = Flask("bare")
    Database(MetaData(), app)
    db = app.extensions["sqlalchemy"]
    with app.app_context(), pytest.raises(CarboyError, match=r"Call Carboy\(app, settings\)"):
        db.session.execute(text("SELECT 1"))


def test_an_engine_configured_elsewhere_is_refused():
    app = Flask("bare")
    app.config["SQLALCHEMY_ENGINES"] = {"default": "sqlite://"}
    with pytest.raises(SettingsError, match="Set DATABASE_URL instead"):
        Database(MetaData(), app)


def test_only_a_flask_app_will_do():
    with pytest.raises(TypeError, match="needs a Flask app"):
        Database(MetaData()).init_app(object())


def test_the_base_and_its_metadata_are_both_accepted(models):
    assert Database(models.Model).metadata is Database(models.Model.metadata).metadata


def test_two_apps_have_two_databases(make_app, models, tmp_path):
    db = Database(models.Model)
    one = make_app(db, DATABASE_URL=f"sqlite:///{tmp_path}/one.sqlite3")
    two = make_app(db, DATABASE_URL=f"sqlite:///{tmp_path}/two.sqlite3")
    with one.app_context():
        models.Model.metadata.create_all(db.engine)
        first = db.engine
    with two.app_context():
        assert db.engine is not first
        models.Model.metadata.create_all(db.engine)
        assert db.session.scalar(select(func.count(models.User.id))) == 0


def test_an_app_that_is_gone_is_not_kept(models):
    db = Database(models.Model)
    app = Flask("short-lived")
    app.config.update(
        DATABASE_URL="sqlite://", DATABASE_POOL_SIZE=1, DATABASE_TIMEOUT_S=1, GUNICORN_THREADS=1
    )
    db.init_app(app)
    with app.app_context():
        db.session.execute(text("SELECT 1"))
        engine = db.engine
    engine.dispose()
    del engine
    gone = weakref.ref(app)
    del app
    gc.collect()
    assert gone() is None


def test_the_session_ends_with_the_request(service, models):
    seen = []

    @service.app.get("/count")
    def count():
        service.db.session.scalar(select(models.Counter.value))
        seen.append((service.db.session, service.db.engine.pool.checkedout()))
        return "ok"

    service.client.get("/count")
    service.client.get("/count")
    assert seen[0][0] is not seen[1][0]
    assert [inside for _, inside in seen] == [1, 1]
    with service.app.app_context():
        assert service.db.engine.pool.checkedout() == 0


@pytest.mark.parametrize("ending", ["an exception after flush", "no commit"])
def test_what_was_not_committed_is_rolled_back(service, models, ending):
    @service.app.post("/users")
    def create():
        service.db.session.add(models.User(email="ann@example.com"))
        service.db.session.flush()
        if ending == "no commit":
            return "ok"
        raise ZeroDivisionError

    if ending == "no commit":
        assert service.client.post("/users").status_code == 200
    else:
        with pytest.raises(ZeroDivisionError):
            service.client.post("/users")
    with service.app.app_context():
        assert service.db.session.scalar(select(func.count(models.User.id))) == 0


def test_no_event_loop_is_started_per_request(service):
    assert not any(map(inspect.iscoroutinefunction, service.app.teardown_appcontext_funcs))


def test_asynchronous_engines_keep_their_teardown():
    app = Flask("async")
    app.config["SQLALCHEMY_ASYNC_ENGINES"] = {"other": "postgresql+psycopg://127.0.0.1/none"}
    Database(MetaData(), app)
    assert any(map(inspect.iscoroutinefunction, app.teardown_appcontext_funcs))


def increment(service, models):
    def add_one():
        counter = service.db.session.get(models.Counter, 1, with_for_update=True)
        counter.value += 1
        service.db.session.commit()
        return "ok"

    service.app.add_url_rule("/increment", view_func=add_one, methods=["GET", "POST"])


def test_400_concurrent_increments_by_threads_lose_none(service, models):
    increment(service, models)

    def post(_):
        return service.app.test_client().post("/increment").status_code

    with ThreadPoolExecutor(4) as threads:
        assert set(threads.map(post, range(400))) == {200}
    assert value(service, models) == 400


WORKER = """
    import sys
    from flask import Flask
    from sqlalchemy import MetaData, text
    from carboy.backing.database import Database
    app = Flask("worker")
    app.config.update(DATABASE_URL=sys.argv[1], DATABASE_POOL_SIZE=1, DATABASE_TIMEOUT_S=30,
                      GUNICORN_THREADS=1)
    db = Database(MetaData(), app)
    lock = " FOR UPDATE" if "postgres" in sys.argv[1] else ""
    for _ in range(100):
        with app.app_context():
            read = db.session.scalar(text("SELECT value FROM counters WHERE id = 1" + lock))
            db.session.execute(text("UPDATE counters SET value = :n"), {"n": read + 1})
            db.session.commit()
"""


def test_400_concurrent_increments_by_processes_lose_none(service, models):
    command = [sys.executable, "-c", textwrap.dedent(WORKER), service.url]
    workers = [subprocess.Popen(command, stderr=subprocess.PIPE) for _ in range(4)]
    complaints = [worker.communicate(timeout=60)[1] for worker in workers]
    assert complaints == [b""] * 4
    assert value(service, models) == 400


def test_writing_in_a_get_waits_for_its_turn(service, models):
    @service.app.get("/visit")
    def visit():
        service.db.session.scalar(select(models.Counter.value))
        with service.db.writing() as session:
            session.get(models.Counter, 1, with_for_update=True).value += 1
        return "ok"

    with ThreadPoolExecutor(4) as threads:
        statuses = set(
            threads.map(lambda _: service.app.test_client().get("/visit").status_code, range(100))
        )
    assert statuses == {200}
    assert value(service, models) == 100


def test_writing_in_a_get_works_without_saying_so(service, models):
    increment(service, models)
    assert service.client.get("/increment").status_code == 200
    assert value(service, models) == 1


def test_writing_in_a_post_joins_the_transaction_there_is(service, models):
    @service.app.post("/visit")
    def visit():
        service.db.session.get(models.Counter, 1).value += 1
        with service.db.writing() as session:
            session.get(models.Counter, 1).value += 1
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        service.client.post("/visit")
    assert value(service, models) == 0


def test_a_session_that_reads_sees_one_state_of_the_data(service, models):
    """PostgreSQL gives each statement its own view; SQLite the whole transaction."""
    with service.app.test_request_context("/"):
        before = service.db.session.scalar(select(models.Counter.value))
        with service.app.app_context():
            service.db.session.get(models.Counter, 1).value += 1
            service.db.session.commit()
        after = service.db.session.scalar(select(models.Counter.value))
    assert (before, after) == ((0, 0) if service.url.startswith("sqlite") else (0, 1))


def test_isolation_undoes_commits(service, models):
    with service.db.test_isolation(), service.app.app_context():
        service.db.session.get(models.Counter, 1).value = 7
        service.db.session.commit()
        assert value(service, models) == 7
    assert value(service, models) == 0


def test_isolation_of_one_app_leaves_the_others_alone(service, models, make_app, tmp_path):
    broken = make_app(service.db, DATABASE_URL=f"sqlite:///{tmp_path}/no/folder.sqlite3")
    with service.db.test_isolation(service.app), service.app.app_context():
        service.db.session.get(models.Counter, 1).value = 7
        service.db.session.commit()
    assert value(service, models) == 0
    with pytest.raises(Exception, match="unable to open"), service.db.test_isolation(broken):
        pass


@pytest.mark.parametrize(("size", "threads", "held"), [
    pytest.param(0, 3, 3, id="0: one connection per thread"),
    pytest.param(2, 3, 2, id="a number: that many connections"),
])  # fmt: skip
def test_the_pool_has_the_size_asked_for_and_no_overflow(make_app, url, size, threads, held):
    app = make_app(DATABASE_URL=url, DATABASE_POOL_SIZE=size, GUNICORN_THREADS=threads)
    with app.app_context():
        assert (app.db.engine.pool.size(), app.db.engine.pool._max_overflow) == (held, 0)


def test_engine_options_are_passed_on(make_app, models, url):
    db = Database(models.Model, engine_options={"echo": False, "connect_args": {}})
    app = make_app(db, DATABASE_URL=url)
    with app.app_context():
        assert db.session.scalar(text("SELECT 1")) == 1


def test_readiness_asks_on_a_connection_of_its_own(make_app, url, elsewhere):
    app = make_app(DATABASE_URL=url, DATABASE_POOL_SIZE=1)
    ready = app.extensions["carboy.checks"]["database"]
    with app.app_context():
        app.db.session.execute(text("SELECT 1"))  # holds the only connection of the pool
        assert elsewhere(ready) is None


def test_a_forked_process_connects_anew(service, models):
    with service.app.app_context():
        service.db.session.scalar(select(models.Counter.value))
    child = os.fork()
    if child == 0:  # what pytest does at its end must not happen twice
        try:
            with service.app.app_context():
                counter = service.db.session.get(models.Counter, 1)
                counter.value += 1
                service.db.session.commit()
        except BaseException:  # noqa: BLE001 - whatever it was, the parent must hear of it
            os._exit(1)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert value(service, models) == 1


def test_the_shell_has_the_database_and_the_models(service, models):
    with service.app.app_context():
        context = service.app.make_shell_context()
    assert context["db"] is service.db
    assert context["Counter"] is models.Counter


def test_the_shell_does_not_keep_writers_waiting(service, models, elsewhere):
    increment(service, models)
    with service.app.app_context():
        service.app.make_shell_context()
        service.db.session.scalar(select(models.Counter.value))
        assert elsewhere(service.client.post, "/increment").status_code == 200


def test_the_shell_shows_no_models_of_another_app(service, models):
    class Elsewhere(DeclarativeBase):
        pass

    class Counter(Elsewhere):
        __tablename__ = "counters"
        id: Mapped[int] = mapped_column(primary_key=True)

    class Stranger(Elsewhere):
        __tablename__ = "strangers"
        id: Mapped[int] = mapped_column(primary_key=True)

    with service.app.app_context():
        context = service.app.make_shell_context()
    assert context["Counter"] is models.Counter
    assert "Stranger" not in context


def test_a_file_that_is_no_database_is_called_that(make_app, tmp_path):
    (tmp_path / "notes.db").write_text("not a database, but long enough to be looked at" * 9)
    app = make_app(DATABASE_URL=f"sqlite:///{tmp_path}/notes.db")
    (start,) = app.extensions["carboy.start"]
    with app.app_context(), pytest.raises(CarboyError, match="is not a SQLite database"):
        start()


def test_the_file_is_for_its_owner_only(make_app, tmp_path):
    app = make_app(DATABASE_URL="", INSTANCE_PATH=str(tmp_path / "instance"))
    with app.app_context():
        app.db.session.execute(text("SELECT 1"))
    (file,) = tmp_path.rglob("*.sqlite3")
    assert file.stat().st_mode & 0o077 == 0
