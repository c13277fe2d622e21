"""A line may pass by the records only while nobody would notice."""

import io
import logging
import os
import subprocess
import sys
import threading

import pytest

from carboy.logs import Shortcut, make_formatter, output, write_line
from carboy.logs.handler import Output
from carboy.logs.output import LINE_BYTES_MAX


@pytest.fixture
def alone(monkeypatch):
    """Let Carboy's own handler be the only one, as in a service; pytest adds its own."""

    def make(stream=None):
        handler = Output(stream or sys.__stderr__)
        handler.setFormatter(make_formatter("json", colour=False))
        monkeypatch.setattr(logging.root, "handlers", [handler])
        monkeypatch.setattr(logging.root, "level", logging.INFO)
        for name in ("shop", "shop.access"):
            logger = logging.getLogger(name)
            logger.setLevel(logging.NOTSET)  # whereupon what is enabled is worked out anew
            monkeypatch.setattr(logger, "handlers", [])
            monkeypatch.setattr(logger, "filters", [])
        return handler, Shortcut(logging.getLogger("shop.access"), logging.INFO)

    return make


class Own(Output):
    """A handler of the project's own."""


def replace_handler(ours):
    logging.root.handlers[0] = Own(sys.__stderr__)


CHANGES = {
    "another handler": lambda ours: logging.root.addHandler(logging.NullHandler()),
    "another handler instead": replace_handler,
    "no handler": lambda ours: logging.root.handlers.clear(),
    "a filter of the handler": lambda ours: ours.addFilter(lambda record: True),
    "a level of the handler": lambda ours: ours.setLevel(logging.WARNING),
    "another formatter": lambda ours: ours.setFormatter(logging.Formatter()),
    "the text format": lambda ours: ours.setFormatter(make_formatter("text", colour=False)),
    "no formatter": lambda ours: ours.setFormatter(None),
    "another stream": lambda ours: ours.setStream(io.StringIO()),
    "a handler of the logger": lambda ours: logging.getLogger("shop.access").addHandler(
        logging.NullHandler()
    ),
    "a handler of its parent": lambda ours: logging.getLogger("shop").addHandler(
        logging.NullHandler()
    ),
    "a level of the logger": lambda ours: logging.getLogger("shop.access").setLevel("WARNING"),
    "a level of its parent": lambda ours: logging.getLogger("shop").setLevel("WARNING"),
    "a filter of the logger": lambda ours: logging.getLogger("shop.access").addFilter(
        lambda record: True
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_the_project_changes_counts_from_the_next_line_on(alone, change):
    ours, shortcut = alone()
    assert shortcut.descriptor() == 2
    CHANGES[change](ours)
    assert shortcut.descriptor() == -1


@pytest.mark.parametrize(
    ("owner", "name", "value"),
    [
        pytest.param(logging.getLogger("shop.access"), "propagate", False, id="to no parent"),
        pytest.param(logging.getLogger("shop"), "propagate", False, id="to no grandparent"),
        pytest.param(logging.getLogger("shop.access"), "disabled", True, id="disabled"),
        pytest.param(logging.getLogger("shop"), "propagate", 0, id="to none, as a number"),
        pytest.param(logging.getLogger("shop.access"), "disabled", 1, id="disabled, as a number"),
        pytest.param(logging.getLogger("shop.access"), "filters", (bool,), id="a tuple of filters"),
        pytest.param(logging.Logger, "isEnabledFor", lambda *_: True, id="an agent decides"),
        pytest.param(logging.Logger, "handle", lambda *_: None, id="an agent handles"),
        pytest.param(logging.Logger, "callHandlers", lambda *_: None, id="an agent listens"),
        pytest.param(sys, "__stderr__", None, id="no standard error"),
        pytest.param(sys, "__stderr__", io.StringIO(), id="another standard error"),
    ],
)
def test_what_is_set_counts_as_well(monkeypatch, alone, owner, name, value):
    _, shortcut = alone()
    assert shortcut.descriptor() == 2
    monkeypatch.setattr(owner, name, value)
    assert shortcut.descriptor() == -1
    monkeypatch.undo()


@pytest.mark.parametrize(
    ("name", "value"), [("propagate", 1), ("disabled", 0), ("filters", ()), ("handlers", None)]
)
def test_flags_may_be_of_any_type(monkeypatch, alone, name, value):
    _, shortcut = alone()
    monkeypatch.setattr(logging.getLogger("shop.access"), name, value)
    assert shortcut.descriptor() == 2


def test_it_is_taken_again_when_the_change_is_undone(alone):
    _, shortcut = alone()
    other = logging.NullHandler()
    for _ in range(2):
        logging.root.addHandler(other)
        assert shortcut.descriptor() == -1
        logging.root.removeHandler(other)
        assert shortcut.descriptor() == 2


def test_a_logger_of_the_project_s_own_class_gets_records(alone):
    alone()
    logger = type("Own", (logging.Logger,), {})("shop.own")
    logger.parent = logging.root
    assert Shortcut(logger, logging.INFO).descriptor() == -1


def test_levels_switched_off_for_all_count(alone):
    _, shortcut = alone()
    assert shortcut.descriptor() == 2
    logging.disable(logging.INFO)
    try:
        assert shortcut.descriptor() == -1
    finally:
        logging.disable(logging.NOTSET)
    assert shortcut.descriptor() == 2


def test_a_stream_that_was_closed_has_no_descriptor(monkeypatch, alone, tmp_path):
    with (tmp_path / "log").open("w", encoding="utf-8") as stream:
        monkeypatch.setattr(sys, "__stderr__", stream)
        _, shortcut = alone(stream)
        assert shortcut.descriptor() == stream.fileno()
    assert shortcut.descriptor() == -1


def test_lines_in_another_encoding_are_left_to_the_stream(monkeypatch, alone, tmp_path):
    with (tmp_path / "log").open("w", encoding="utf-16") as stream:
        monkeypatch.setattr(sys, "__stderr__", stream)
        assert alone(stream)[1].descriptor() == -1


@pytest.mark.parametrize(
    ("own", "taken"),
    [
        pytest.param("", "2", id="nothing"),
        pytest.param("logging.Logger.callHandlers = lambda *_: None", "-1", id="an agent"),
        pytest.param("import functools; old = logging.Logger.handle\n"
                     "logging.Logger.handle = functools.wraps(old)(lambda *a: old(*a))", "-1",
                     id="an agent that hides"),
    ],
)  # fmt: skip
def test_what_was_there_before_this_package_is_noticed(own, taken):
    program = (
        f"import logging\n{own}\n"
        "from carboy import Settings, logs\n"
        "logs.configure(Settings.load(dotenv=None))\n"
        "print(logs.Shortcut(logging.getLogger('a.b'), logging.INFO).descriptor())"
    )
    environ = {"PATH": os.environ["PATH"], "LOG_FORMAT": "json"}
    run = subprocess.run([sys.executable, "-c", program], env=environ, capture_output=True,
                         text=True, timeout=60, check=True)  # fmt: skip
    assert run.stdout == f"{taken}\n"


def test_a_line_longer_than_a_pipe_takes_whole_is_not_written():
    read, write = os.pipe()
    assert write_line(write, "x" * (LINE_BYTES_MAX - 1) + "\n")
    assert not write_line(write, "x" * LINE_BYTES_MAX + "\n")
    assert len(os.read(read, LINE_BYTES_MAX * 2)) == LINE_BYTES_MAX
    os.close(read)
    os.close(write)


def test_a_descriptor_that_takes_nothing_is_told():
    read, write = os.pipe()
    os.close(read)
    assert not write_line(write, "x\n")
    os.close(write)


def test_the_rest_of_a_line_that_was_taken_in_part_follows(monkeypatch):
    read, write = os.pipe()
    genuine = os.write
    monkeypatch.setattr(output.os, "write", lambda to, data: genuine(to, data[:3]))
    assert write_line(write, "abcdef")
    monkeypatch.undo()
    assert os.read(read, 100) == b"abcdef"
    os.close(read)
    os.close(write)


def test_lines_of_threads_and_processes_never_mix(tmp_path):
    file = os.open(tmp_path / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def work(name):
        for number in range(200):
            assert write_line(file, f"{name * 300}{number}\n")

    child = os.fork()
    if not child:
        work("p")
        os._exit(0)
    threads = [threading.Thread(target=work, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert os.waitpid(child, 0)[1] == 0
    os.close(file)
    lines = (tmp_path / "log").read_text().splitlines()
    wanted = {f"{name * 300}{number}" for name in "abcp" for number in range(200)}
    assert len(lines) == len(wanted)
    assert set(lines) == wanted
