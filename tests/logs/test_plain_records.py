"""Records that leave most processors nothing to do are written as the processors write them."""

import copy
import logging
import re
import types
from collections import Counter
from pathlib import Path
from random import Random

import pytest

from carboy.logs import current_ids, formats, make_formatter, mark_records

TIME = re.compile(r'"time": ?"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z"')
TEXTS = ["", "sold", "caf\u00e9", "line\nbreak", '"quoted"', "\ud800", "100 %", "-"]
VALUES = [*TEXTS, 7, 2**70, 1.5, float("nan"), None, True, [1, {"a": (2,)}], {3: 4}, object, b"x"]
NAMES = ["basket", "event", "logger", "level", "time", "request_id", "trace_id", "caf\u00e9",
         "positional_args", "stack", "exception", "_private", "_record", "_name"]  # fmt: skip


class Odd:
    """A message that is no text."""

    def __str__(self):
        return "odd"


def make_record(random):
    logger = logging.getLogger(random.choice(["shop", "shop.till"]))
    level = random.choice([10, 20, 30, 40, 50, 25])
    message, args = random.choice([
        (random.choice(TEXTS).replace("%", ""), ()), ("sold %d of %s", (7, "it")), (Odd(), ()),
        ("named %(n)s", ({"n": 3},)), ("100 %", ()),
    ])  # fmt: skip
    extra = {name: random.choice(VALUES) for name in random.sample(NAMES, random.randint(0, 3))}
    ids = {name: extra.pop(name) for name in ("request_id", "trace_id") if name in extra}
    exc_info = (ValueError, ValueError("wrong"), None) if random.random() < 0.1 else None
    stack = random.choice([None] * 9 + ["Stack (most recent first)"])
    record = logger.makeRecord(logger.name, level, "f", 1, message, args, exc_info, extra=extra,
                               sinfo=stack)  # fmt: skip
    vars(record).update(ids)
    if random.random() < 0.2:
        record.message, record.asctime = "left", "2026"
    if random.random() < 0.1:
        del record.trace_id
    record.levelname = random.choice([record.levelname] * 9 + ["WARN", "Exception", "NOTSET"])
    return record


def outcome(write, record):
    try:
        return TIME.sub('"time":"now"', write(record))
    except Exception as error:  # noqa: BLE001 - whatever it is, it is compared
        return repr(error)


def differences(module, counted, records=1200):
    """Write records in both ways; give what is not alike."""
    mark_records()
    random, formatter = Random(4), make_formatter("json", colour=False)
    for number in range(records):
        record = make_record(random)
        own = copy.copy(record)
        event = None
        try:
            event = module.plain_event(own)
            plainly = "none" if event is None else module._strict_json(event)
            plainly = TIME.sub('"time":"now"', plainly)
        except Exception as error:  # noqa: BLE001 - as above
            plainly = repr(error)
        counted["plain"] += event is not None
        counted["all"] += 1
        by_processors = outcome(formatter._others.format, record)
        if plainly not in ("none", by_processors):
            yield number, plainly, by_processors


@pytest.fixture(params=["within a request", "outside one"])
def within(request):
    if request.param == "within a request":
        current_ids.set(types.SimpleNamespace(request_id="id-1", trace_id="t" * 32))
    yield
    current_ids.set(None)


def test_they_are_written_alike(within):
    counted = Counter()
    assert list(differences(formats, counted)) == []
    assert counted["plain"] > counted["all"] * 0.5, counted


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        pytest.param("record.exc_info", "False", id="no exception"),
        pytest.param("or record.stack_info", "", id="no stack"),
        pytest.param(" if name not in _OF_EVERY_RECORD", "", id="all attributes"),
        pytest.param('"message", "asctime"', "", id="what others left"),
        pytest.param("len(fields) > _OWN_COUNT", "False", id="no extras"),
        pytest.param("_ALIASES.get(lowered, lowered)", "lowered", id="no aliases"),
        pytest.param("name.lower()", "name", id="upper case"),
        pytest.param("if value != NO_ID:", "if True:", id="a dash is an id"),
        pytest.param("not fields.keys().isdisjoint(_OF_STRUCTLOG)", "False", id="its own fields"),
        pytest.param('or "trace_id" not in fields', "", id="not marked"),
        pytest.param('+00:00", "Z"', 'Z", "Z"', id="another form of the time"),
    ],
)  # fmt: skip
def test_a_mistake_is_noticed(right, wrong):
    text = Path(formats.__file__).read_text()
    assert right in text
    changed = types.ModuleType(formats.__name__)
    exec(compile(text.replace(right, wrong), formats.__file__, "exec"), vars(changed))
    assert next(differences(changed, Counter()), None) is not None


def test_the_formatter_takes_the_short_way(monkeypatch, formatted):
    def fail(record):
        raise AssertionError("A plain record went through the processors.")

    formatter = make_formatter("json", colour=False)
    monkeypatch.setattr(formatter._others, "format", fail)
    mark_records()
    record = logging.getLogger("shop").makeRecord("shop", 20, "f", 1, "sold %d", (7,), None)
    assert '"event":"sold 7"' in formatter.format(record)
