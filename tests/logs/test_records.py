"""What log records know of the request."""

import json
import logging

import pytest

from carboy.logs import SelfWritten, current_ids, make_formatter, mark_records


class TestIds:
    def test_every_record_knows_its_request(self, ids):
        mark_records()
        record = logging.getLogger("shop").makeRecord("shop", 20, "f", 1, "m", (), None)
        assert (record.request_id, record.trace_id) == ("id-1", "-")
        ids.traceparent()
        record = logging.getLogger("shop").makeRecord("shop", 20, "f", 1, "m", (), None)
        assert record.trace_id == ids.trace_id

    def test_json_has_them_only_within_a_request(self, formatted, ids):
        mark_records()
        ids.traceparent()
        said = json.loads(formatted("json", "within"))
        assert (said["request_id"], said["trace_id"]) == ("id-1", ids.trace_id)
        current_ids.set(None)
        assert "request_id" not in json.loads(formatted("json", "outside"))

    def test_text_has_them(self, formatted, ids):
        mark_records()
        assert "request_id=id-1" in formatted("text", "within")

    def test_marking_twice_changes_nothing(self):
        mark_records()
        factory = logging.getLogRecordFactory()
        mark_records()
        assert logging.getLogRecordFactory() is factory

    def test_the_former_factory_goes_on_working(self, monkeypatch):
        def own(*args, **kwargs):
            record = logging.LogRecord(*args, **kwargs)
            record.own = "kept"
            return record

        former = logging.getLogRecordFactory()
        logging.setLogRecordFactory(own)
        try:
            mark_records()
            record = logging.getLogger("shop").makeRecord("shop", 20, "f", 1, "m", (), None)
        finally:
            logging.setLogRecordFactory(former)
        assert (record.own, record.request_id) == ("kept", "-")


def test_a_record_may_write_itself():
    class Own(SelfWritten):
        def as_json(self):
            return "{}"

        def as_text(self, *, colour):
            return f"colour: {colour}"

    record = Own("shop", 20, "f", 1, "m", (), None)
    assert make_formatter("json", colour=False).format(record) == "{}"
    assert make_formatter("text", colour=True).format(record) == "colour: True"
    silent = SelfWritten("shop", 20, "f", 1, "m", (), None)
    for write in (silent.as_json, lambda: silent.as_text(colour=False)):
        with pytest.raises(NotImplementedError):
            write()
