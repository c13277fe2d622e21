"""An answer that is complete ends like one that is read chunk by chunk."""

import contextlib
import logging
from collections import Counter
from random import Random

import pytest

from carboy.crate import crate as crate_module
from carboy.logs import current_ids


class Read:
    """The same body, as something to iterate over."""

    def __init__(self, chunks):
        self.chunks = iter(chunks)

    def __iter__(self):
        return self

    def __next__(self):
        return next(self.chunks)


def make_app(random, *, complete):
    """Give an app whose answers are as *random* says, as lists or to be iterated over."""

    def app(environ, start_response):
        body = random.choice([[], [b""], [b"a"], [b"seven77"], [b"a", b"b"], (b"a",), [None]])
        length = random.choice([None, "7", "0", "", "1", "9", "x7", "7" * 30])
        headers = [("X-Own", "1")] + ([("Content-Length", length)] if length is not None else [])
        environ["carboy.route"] = random.choice(["", "/a"])
        write = None
        if random.random() < 0.95:
            write = start_response(random.choice(["200 OK", "404 NOT FOUND", "304 X"]), headers)
        if write is not None and random.random() < 0.1:
            write(b"w")
        if random.random() < 0.05:
            raise LookupError
        return body if complete else Read(body)

    return app


def observe(crate, request, records, *, stop_after):
    """Call as a server does, which may stop early, and tell all that can be seen."""
    seen = []

    def start_response(status, headers, exc_info=None):
        shown = [pair for pair in headers if pair[0] != "X-Request-ID"]
        seen.append((status, shown, exc_info is not None))
        return lambda data: seen.append(("written", data))

    records.clear()
    current_ids.set(None)
    result = crate(request, start_response)
    complete = type(result) is list
    try:
        for number, chunk in enumerate(result):
            seen.append(chunk)
            if number == stop_after and len(result if complete else "ab") > 1:
                break
    except Exception as error:  # noqa: BLE001 - whatever it is, it is compared
        seen.append(type(error))
    finally:
        with contextlib.suppress(AttributeError):
            result.close()
    seen += [(r.status, r.bytes, r.route, r.method) for r in records if r.name == "carboy.access"]
    return seen, current_ids.get(), complete


def differences(make_crate, environ, caplog, counted, requests=400):
    """Serve the same answers as lists and as iterators; give what is not alike."""
    one, other = Random(5), Random(5)
    lists = make_crate(make_app(one, complete=True))
    iterated = make_crate(make_app(other, complete=False))
    random = Random(6)
    for _ in range(requests):
        sent = environ("/x", random.choice(["GET", "HEAD", "POST"]))
        stop = random.choice([0, 9, 9])
        first = observe(lists, dict(sent), caplog.records, stop_after=stop)
        second = observe(iterated, dict(sent), caplog.records, stop_after=stop)
        counted["complete"] += first[2]
        counted["all"] += 1
        if first[:2] != second[:2] or second[2]:
            yield first, second
        assert one.random() == other.random()
    numbers = [
        {(s.name, *s.labels.items()): s.value for m in made.metrics.registry.collect()
         for s in m.samples if not s.name.endswith(("_created", "_sum", "_bucket"))}
        for made in (lists, iterated)
    ]  # fmt: skip
    if numbers[0] != numbers[1]:
        yield numbers


def test_lists_and_iterators_are_answered_alike(make_crate, environ, caplog):
    caplog.set_level(logging.INFO, logger="carboy.access")
    counted = Counter()
    assert list(differences(make_crate, environ, caplog, counted)) == []
    assert counted["complete"] > counted["all"] * 0.4, counted


@pytest.mark.replaces
@pytest.mark.parametrize(
    ("pattern", "replacement"),
    [
        pytest.param(r"or not exchange\.status ", "", id="before it was started"),
        pytest.param(r"bytes_sent \+= len\(body\[0\]\)", "bytes_sent = len(body[0])",
                     id="what was written is forgotten"),
        pytest.param(r"if type\(body\[0\]\) is not bytes:", "if False:", id="text is bytes"),
        pytest.param(r" or len\(body\) > 1:", ":", id="the first is all"),
        pytest.param(r"type\(body\) is not list", "False", id="anything is a list"),
    ],
)  # fmt: skip
def test_a_mistake_is_noticed(  # noqa: PLR0917 - fixtures and parameters
    make_crate, environ, caplog, mutant, monkeypatch, pattern, replacement
):
    caplog.set_level(logging.INFO, logger="carboy.access")
    changed = mutant(crate_module, pattern, replacement)
    monkeypatch.setattr(crate_module.Crate, "serve", changed.Crate.serve)
    try:
        found = next(differences(make_crate, environ, caplog, Counter()), None)
    except Exception:  # noqa: BLE001 - that is noticed, too
        return
    finally:
        current_ids.set(None)
    assert found is not None


def test_the_list_goes_to_the_server_as_it_is(make_crate, environ, access):
    body = [b"whole"]

    def app(environ, start_response):
        start_response("200 OK", [])
        return body

    assert make_crate(app)(environ(), lambda *_: None) is body
    assert [record.bytes for record in access()] == [5]


def test_an_exception_of_the_log_reaches_the_server_and_the_ids_are_given_back(
    make_crate, environ, monkeypatch
):
    crate = make_crate()
    monkeypatch.setattr(crate, "finished", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        crate(environ(), lambda *_: None)
    assert current_ids.get() is None


class Sent(list):
    """A server that takes headers in parts."""

    def __call__(self, status, headers, exc_info=None):
        self.append((status, headers))

    def in_parts(self, status, headers, *parts):
        self.append((status, headers, *parts))


def started(make_crate, environ, start_response):
    def app(environ, start_response):
        start_response("200 OK", [("Content-Length", "0")])
        return []

    make_crate(app)(environ(HTTP_X_REQUEST_ID="id-1"), start_response)


def test_a_server_that_takes_parts_gets_the_same_objects_each_time(make_crate, environ):
    crate, sent = make_crate(), Sent()
    for _ in range(2):
        crate(environ(HTTP_X_REQUEST_ID="id-1"), sent)
    (_, headers, before, request_id, behind), (_, others, same, *_, last) = sent
    assert before
    assert before is same
    assert behind is last
    assert request_id == "id-1"
    assert headers == others
    assert headers is not others


def test_what_only_stands_for_such_a_server_gets_one_list(make_crate, environ):
    seen, server = [], Sent()

    class Watching:
        def __call__(self, status, headers, *_):
            seen.append(headers)

        def __getattr__(self, name):
            return getattr(server, name)

    started(make_crate, environ, Watching())
    assert ("X-Request-ID", "id-1") in seen[0]
    assert server == []


def test_another_start_is_one_list(make_crate, environ):
    def app(environ, start_response):
        start_response("200 OK", [("A", "1")])
        start_response("500 NO", [("B", "1")], (ValueError, ValueError("late"), None))
        return []

    sent = Sent()
    make_crate(app)(environ(HTTP_X_REQUEST_ID="id-1"), sent)
    assert ("X-Request-ID", "id-1") in sent[1][1]
    assert len(sent[1]) == 2
