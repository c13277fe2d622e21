import pytest
from gunicorn.config import Config

from carboy.errors import SettingsError
from carboy.server.options import options
from carboy.settings import Settings


@pytest.fixture
def configured(monkeypatch):
    def configure(arguments="", **settings):
        monkeypatch.setenv("GUNICORN_CMD_ARGS", arguments)
        made = Config()
        loaded = Settings.load(environ={}, dotenv=None, **settings)
        for name, value in options(loaded).items():
            made.set(name, value)
        return made

    return configure


@pytest.mark.parametrize(
    ("setting", "value", "option", "becomes"),
    [
        ("WEB_CONCURRENCY", 3, "workers", 3),
        ("GUNICORN_THREADS", 7, "threads", 7),
        ("GUNICORN_TIMEOUT", 11, "timeout", 11),
        ("GUNICORN_GRACEFUL_TIMEOUT", 12, "graceful_timeout", 12),
        ("GUNICORN_KEEPALIVE", 13, "keepalive", 13),
        ("GUNICORN_MAX_REQUESTS", 14, "max_requests", 14),
        ("GUNICORN_MAX_REQUESTS_JITTER", 15, "max_requests_jitter", 15),
        ("RELOAD", True, "reload", True),
        ("LOG_LEVEL", "WARNING", "loglevel", "warning"),
        ("HTTP_HOST", "::1", "bind", ["[::1]:8080"]),
        ("HTTP_PORT", 81, "bind", ["127.0.0.1:81"]),
    ],
    ids=str,
)
def test_a_setting_reaches_gunicorn(configured, setting, value, option, becomes):
    assert configured(**{setting: value}).settings[option].get() == becomes


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("preload_app", False),
        ("control_socket_disable", True),
        ("accesslog", None),
        ("forwarded_allow_ips", []),
        ("secure_scheme_headers", {}),
        ("daemon", False),
    ],
)
def test_what_carboy_decides_itself(configured, option, value):
    assert configured().settings[option].get() == value


def test_no_workers_named_is_one_per_processor(configured):
    assert configured(WEB_CONCURRENCY=0).workers >= 1


def test_arguments_reach_what_no_setting_covers(configured):
    assert configured("--backlog 77").backlog == 77


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        pytest.param("--workers 9", "set WEB_CONCURRENCY instead", id="has a setting"),
        pytest.param("--bind :80", "set HTTP_HOST and HTTP_PORT instead", id="has two settings"),
        pytest.param("--preload", "decides itself", id="is decided by Carboy"),
        pytest.param("--no-such-option", "unrecognized arguments", id="does not exist"),
        pytest.param("--backlog many", "invalid int value", id="has a wrong type"),
        pytest.param("--certfile 'open quote", "No closing quotation", id="is not closed"),
        pytest.param("--header-map perhaps", "header_map", id="has a wrong value"),
    ],
)
def test_arguments_that_may_not_be_are_refused(configured, arguments, told):
    with pytest.raises(SettingsError) as refused:
        configured(arguments)
    assert told in str(refused.value)
    assert "GUNICORN_CMD_ARGS" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_all_such_arguments_are_named_at_once(configured):
    with pytest.raises(SettingsError) as refused:
        configured("--workers 9 --preload")
    assert len(refused.value.problems) == 2


@pytest.mark.parametrize("argument", ["--certfile x", "--limit-request-fields 5", "--http2 on"])
def test_granian_takes_no_argument_about_the_http_of_gunicorn(configured, argument):
    with pytest.raises(SettingsError, match="GUNICORN_CMD_ARGS"):
        configured(argument, SERVER="granian")


def test_granian_takes_what_its_master_does(configured):
    made = configured("--backlog 77 --worker-connections 5", SERVER="granian")
    assert (made.backlog, made.worker_connections) == (77, 5)
    assert made.worker_class.__name__ == "GranianWorker"
