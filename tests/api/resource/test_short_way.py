"""Resources answer the same, to the byte, whether objects are made on the way or not."""

from collections import Counter
from contextlib import ExitStack
from types import SimpleNamespace

import flask
import pytest
from sqlalchemy import MetaData

from carboy.api.resource import inserting, reading
from carboy.app import Carboy
from carboy.backing.database import Database
from carboy.backing.direct import execution, prepared
from carboy.testing import fresh_database

from .generated import Case

SEEDS = range(12)
_VARIES = frozenset({"x-request-id", "date"})


class Counted:
    """Counts what was executed without objects."""

    def __init__(self, executing):
        self._executing = executing
        self.reads = self.writes = self.alone = 0

    def read(self, *given):
        self.reads += 1
        return self._executing.read(*given)

    def write(self, *given):
        self.writes += 1
        return self._executing.write(*given)

    def write_alone(self, *given):
        self.writes += 1
        self.alone += 1
        return self._executing.write_alone(*given)

    def __getattr__(self, name):
        return getattr(self._executing, name)


def serve(url, folder, cases):
    """Make a service of all cases, with its tables and rows."""
    app = flask.Flask("differential", instance_path=str(folder))
    Carboy(app, {"APP_ENV": "Testing", "DATABASE_URL": url, "SECRET_KEY": "k" * 40})
    db = Database(MetaData())
    db.init_app(app)
    for case in cases:
        app.register_blueprint(case.blueprint())
    with app.app_context():
        for case in cases:
            case.base.metadata.create_all(db.engine)
            for row in case.rows():
                db.session.add(case.model(**row))
                db.session.flush()  # one by one, so that both have the same numbers
            db.session.commit()
    return SimpleNamespace(app=app, db=db, client=app.test_client())


@pytest.fixture
def pair(tmp_path_factory):
    """Two services with the same data: one takes the short way where it may, one never."""
    with ExitStack() as stack:
        cases = [Case(seed) for seed in SEEDS]
        short, long = (
            serve(stack.enter_context(fresh_database()), tmp_path_factory.mktemp("app"), cases)
            for _ in range(2)
        )
        counted = Counted(short.app.extensions["carboy.lane"]._execution)
        short.app.extensions["carboy.lane"]._execution = counted
        del long.app.extensions["carboy.lane"]
        yield SimpleNamespace(
            short=short, long=long, cases=cases, counted=counted, round=0, asked=Counter()
        )
        for service in (short, long):
            with service.app.app_context():
                service.db.engine.dispose()


def seen(answer):
    headers = sorted(
        (name.lower(), value) for name, value in answer.headers if name.lower() not in _VARIES
    )
    return answer.status_code, headers, answer.get_data()


def ask(service, where, method, body, headers):
    try:
        return service.client.open(where, method=method, json=body, headers=headers)
    except Exception as error:  # noqa: BLE001 - whatever it is, the other should do the same
        return type(error).__name__


def differences(pair, case):
    """Ask both services the same, and give what they answer differently."""
    pair.round += 1
    link, tag = case.path, None
    for method, path, body in case.requests(pair.round):
        pair.asked[method] += 1
        where = path or link
        headers = {"If-None-Match": tag} if tag and path is None else {}
        one, other = (
            ask(service, where, method, body, headers) for service in (pair.short, pair.long)
        )
        if isinstance(one, str) or isinstance(other, str) or seen(one) != seen(other):
            yield method, where, body, one, other
            continue
        tag = other.headers.get("ETag") if path is None else None
        told = (other.json or {}).get("data") if other.data else None
        follow = told.get("links", {}).get("next") if isinstance(told, dict) else None
        link = follow or case.path


def test_both_ways_answer_the_same(pair):
    for case in pair.cases:
        assert list(differences(pair, case)) == []
    # A comparison of the long way with itself would show nothing.
    assert pair.counted.reads > pair.asked["GET"] / 2
    assert pair.counted.writes > pair.asked["POST"] / 3
    assert 0 < pair.counted.alone < pair.counted.writes


MUTANTS = {
    "values of columns are not converted": (
        prepared, "maker_of", lambda *_: lambda found: found,
    ),
    "parameters are not converted": (prepared, "processor_of", lambda *_: None),
    "a filter is forgotten": (reading.Reading, "_is_first", lambda *_: True),
    "rows are dumped in another order": (
        reading.Shown, "dump", lambda self, rows: self._dump(rows[::-1]),
    ),
    "nothing is committed": (execution.Execution, "_commit", lambda *_: None),
    "a default is forgotten": (inserting, "_maker", lambda _: lambda: None),
    "null is a value everywhere": (
        inserting.Inserting, "_values", lambda self, data: {
            place.column.key: data.get(place.name) for place in self._places
        },
    ),
}  # fmt: skip


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_mistake_on_the_short_way_is_seen(pair, mutant, monkeypatch):
    owner, name, wrong = MUTANTS[mutant]
    ways = pair.short.app.extensions["carboy.lane"]
    monkeypatch.setattr(ways, "_known", {})
    monkeypatch.setattr(owner, name, wrong)
    assert any(found for case in pair.cases for found in differences(pair, case))
