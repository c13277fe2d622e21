"""Which lines of a package ran, and in how many requests; the package pays nothing for it."""

import contextlib
import pathlib
import sys
from collections import Counter


class Lines:
    """Counts in how many requests each line of the files of a folder ran."""

    def __init__(self, folder):
        self._folder = str(folder)
        self._ours = {}
        self._ran = set()
        self.requests = 0
        self.counted = Counter()

    @contextlib.contextmanager
    def request(self):
        """Surround one request."""
        self._ran.clear()
        before = sys.gettrace()
        sys.settrace(self._call)
        try:
            yield
        finally:
            sys.settrace(before)
        self.requests += 1
        self.counted.update(self._ran)

    def _call(self, frame, event, argument):
        code = frame.f_code
        ours = self._ours.get(code)
        if ours is None:
            ours = self._ours[code] = code.co_filename.startswith(self._folder)
        if not ours:
            return None
        self._ran.add((code.co_filename, code.co_firstlineno))
        return self._line

    def _line(self, frame, event, argument):
        if event == "line":
            self._ran.add((frame.f_code.co_filename, frame.f_lineno))
        return self._line

    def share(self, module, begins):
        """Give the share of requests in which a line ran, named by how it, and no other, begins."""
        path = f"{self._folder}/{module}.py"
        lines = pathlib.Path(path).read_text().splitlines()
        found = [number for number, line in enumerate(lines, 1) if line.strip().startswith(begins)]
        assert len(found) == 1, f"{begins!r} begins {len(found)} lines of {module}.py"
        return self.counted[path, found[0]] / self.requests
