"""How a refusal looks without an envelope."""

import json

import pytest

from carboy.crate.refusal import plain_json, status_line
from carboy.errors import for_status


@pytest.mark.parametrize(
    ("status", "line"),
    [(200, "200 OK"), (503, "503 Service Unavailable"), (599, "599 Unassigned")],
)
def test_status_lines(status, line):
    assert status_line(status) == line


@pytest.mark.parametrize(("status", "kind"), [(404, "fail"), (422, "fail"), (503, "error")])
def test_plain_json_is_jsend(status, kind):
    body, content_type = plain_json(for_status(status, "So it is."), {})
    said = json.loads(body)
    assert content_type == "application/json"
    assert (said["status"], said["message"]) == (kind, "So it is.")
    assert ("data" in said) is (kind == "fail")
