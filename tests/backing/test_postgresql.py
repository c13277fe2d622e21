import threading

import pytest
from sqlalchemy import text

from carboy.errors import CarboyError

pytestmark = pytest.mark.usefixtures("on_postgresql")


@pytest.fixture
def outsider(url):
    """A connection that is not the app's, to interfere with."""
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


def end_all(outsider):
    outsider.execute(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )


@pytest.fixture
def read(service):
    @service.app.get("/read")
    def read():
        return str(service.db.session.scalar(text("SELECT value FROM counters")))

    return lambda: service.client.get("/read")


def test_connections_ended_while_idle_fail_no_request(read, outsider):
    for _ in range(3):
        assert read().text == "0"
        end_all(outsider)
    assert read().text == "0"


def test_no_statement_is_spent_on_asking_whether_a_connection_lives(service, read, outsider):
    def statements():
        return outsider.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid()"
        ).fetchall()

    read()
    before = statements()
    read()
    assert statements() == before
    with service.app.app_context():
        assert not service.db.engine.pool._pre_ping


def test_a_notice_on_an_idle_connection_does_not_end_it(service, outsider):
    with service.app.app_context():
        session = service.db.session
        session.execute(text("LISTEN news"))
        before = session.scalar(text("SELECT pg_backend_pid()"))
        session.commit()
    outsider.execute("NOTIFY news")
    with service.app.app_context():
        assert service.db.session.scalar(text("SELECT pg_backend_pid()")) == before


def test_a_connection_ended_in_use_is_one_503_and_the_next_request_reconnects(
    service, read, outsider
):
    @service.app.get("/cut")
    def cut():
        service.db.session.execute(text("SELECT 1"))
        end_all(outsider)
        service.db.session.execute(text("SELECT 1"))

    refused = service.client.get("/cut")
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
    assert "SELECT" not in refused.text
    assert read().text == "0"


def test_a_serialization_failure_is_a_503(service, models):
    @service.app.post("/increment")
    def increment():
        session = service.db.session
        session.execute(text("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE"))
        session.get(models.Counter, 1).value += 1
        with service.app.app_context():
            service.db.session.execute(text("UPDATE counters SET value = value + 1"))
            service.db.session.commit()
        session.commit()

    assert service.client.post("/increment").status_code == 503


def test_a_deadlock_is_a_503_for_one_and_the_other_wins(service, models):
    with service.app.app_context():
        service.db.session.add(models.Counter(id=2))
        service.db.session.commit()
    both_hold_one = threading.Barrier(2)
    statuses = []

    @service.app.post("/swap/<int:first>/<int:second>")
    def swap(first, second):
        for step in (first, second):
            service.db.session.execute(
                text("UPDATE counters SET value = value + 1 WHERE id = :id"), {"id": step}
            )
            if step == first:
                both_hold_one.wait(10)
        service.db.session.commit()
        return "ok"

    def post(path):
        statuses.append(service.app.test_client().post(path).status_code)

    threads = [threading.Thread(target=post, args=[path]) for path in ("/swap/1/2", "/swap/2/1")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(statuses) == [200, 503]


def test_the_app_is_named_among_the_connections_of_the_server(read, outsider):
    read()
    names = outsider.execute("SELECT application_name FROM pg_stat_activity").fetchall()
    assert ("service",) in names


def test_a_server_that_refuses_is_named_at_the_start_without_password(make_app):
    app = make_app(DATABASE_URL="postgresql://ann:hush@127.0.0.1:1/shop?connect_timeout=2")
    with app.app_context(), pytest.raises(CarboyError) as caught:
        app.extensions["carboy.start"][0]()
    message = str(caught.value)
    assert message.startswith("The database at postgresql://ann:***@127.0.0.1:1/shop cannot")
    assert "\n" not in message
    assert "hush" not in message


@pytest.fixture
def rollbacks(service, monkeypatch):
    """Count what the driver is asked to roll back."""
    import psycopg

    asked, genuine = [], psycopg.Connection.rollback
    monkeypatch.setattr(
        psycopg.Connection, "rollback", lambda self: asked.append(self) or genuine(self)
    )
    return asked


def test_the_driver_is_asked_to_roll_back_only_what_was_begun(service, rollbacks):
    with service.app.app_context():
        service.db.engine.connect().close()
        assert rollbacks == []
        with service.db.engine.connect() as connection:
            connection.execute(text("UPDATE counters SET value = 7"))
        assert len(rollbacks) == 1
        assert service.db.session.scalar(text("SELECT value FROM counters")) == 0


@pytest.mark.parametrize("state", ["in a transaction", "failed", "in a pipeline", "in two phases"])
def test_a_connection_comes_back_to_the_pool_as_it_left(service, rollbacks, state):
    with service.app.app_context():
        pooled = service.db.engine.raw_connection()
        driver = pooled.dbapi_connection
        if state == "in a transaction":
            driver.execute("SELECT 1")
        elif state == "failed":
            with pytest.raises(Exception, match="nowhere"):
                driver.execute("SELECT * FROM nowhere")
        elif state == "in a pipeline":
            driver.pgconn.enter_pipeline_mode()
        else:
            driver._tpc = driver.xid(1, "a", "b"), True
        pooled.close()
        assert rollbacks == [driver]
        if state == "in a pipeline":
            driver.pgconn.exit_pipeline_mode()
        assert service.db.session.scalar(text("SELECT value FROM counters")) == 0
