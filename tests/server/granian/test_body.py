import io

import pytest

from carboy.server.granian.body import Readable


class Parts(Readable):
    def __init__(self, parts, ready=()):
        super().__init__(list(ready))
        self.parts = iter(parts)

    def _more(self):
        return next(self.parts, b"")


BODY = b"first\n\nthird line\n" + b"x" * 50 + b"\nlast"
CUTS = [1, 3, 7, 1000]


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize(
    "calls",
    [
        [("read",)],
        [("read", -1)],
        [("read", None)],
        [("read", 0), ("read", 4), ("read", 4), ("read", 500), ("read", 4)],
        [("readline",), ("readline",), ("readline", 3), ("readline", 0), ("read", 2), ("read",)],
        [("readline", 100), ("readline", -1), ("readline", None), ("readlines",)],
        [("readlines", 8), ("readlines",)],
    ],
    ids=str,
)
def test_a_body_in_parts_reads_like_a_file(cut, calls):
    parts = [BODY[start : start + cut] for start in range(0, len(BODY), cut)]
    body, file = Parts(parts[1:], parts[:1]), io.BytesIO(BODY)
    for name, *arguments in calls:
        assert getattr(body, name)(*arguments) == getattr(file, name)(*arguments)
    assert list(body) == list(file)
