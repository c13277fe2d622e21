# ruff: noqa: E501 - tables of what is tried
"""Requests at random, as a WSGI environment each, made twice over for twin apps."""

import io

from . import routes
from .hooks import TRIGGER, TRIGGERS

HOSTS = (
    "localhost", "localhost:5000", "example.com", "api.example.com", "a..b", "x" * 70 + ".com", "bad host", "\x8a", "LOCALHOST:80", "[::1]:80", "",
    None, "localhost:0", "host:port", "a@b", "127.0.0.1:8080", "evil.com/x", ".", "xn--bcher-kva.example", "example.com:443", "example.com:80",
)  # fmt: skip
QUERIES = ("", "", "a=1&a=2", "q=%C3%A9", "q=\xe9", "=&&==", "q=a+b", "%", "q=" + "x" * 500)
BODIES = (
    (b'{"a": 1, "b": [1.5, null, true]}', "application/json"), (b'{"a": 1}', "application/json; charset=utf-8"), (b'{"a": 1}', "APPLICATION/JSON"),
    (b"{bad", "application/json"), (b"", "application/json"), (b'{"a": 1}', "text/plain"), (b'{"a": 1}', None), (b'{"a": 1}', "application/vnd.api+json"),
    (b'{"n": NaN, "i": Infinity, "e": 1e400, "b": 123456789012345678901234567890}', "application/json"), (b'\xef\xbb\xbf{"a": 1}', "application/json"),
    ('{"a": "é\\ud800"}'.encode(), "application/json"), (b'{"a": 1, "a": 2}', "application/json"), ('{"a": 1}'.encode("utf-16"), "application/json"),
    ('{"a": "é"}'.encode("utf-32"), "application/json"), (b'"text"', "application/json"), (b"[1, 2.50, 1e3, -0, -0.0, 1E5]", "application/json"), (b"\xff\xfe", "application/json"),
    (b"[" * 3000 + b"]" * 3000, "application/json"), (b"null", "application/json"), (b' {"a":1} \n', "application/json"), (b'{"a":1}x', "application/json"), (b'{"\x00":"\t"}', "application/json"),
    (b"1" * 5000, "application/json"), (b'{"a": 1.7976931348623157e309, "b": 5e-324, "c": 0.1}', "application/json"), (b'"\\u00e9\\n\\/"', "application/json"), (b"-", "application/json"), (b"NaN", "application/json"),
    (b"a=1&a=2&b=%C3%A9", "application/x-www-form-urlencoded"), (b"", "application/x-www-form-urlencoded"), (b"x" * 3000, "application/octet-stream"),
    (b'--B\r\nContent-Disposition: form-data; name="f"; filename="x.txt"\r\n\r\nhello\r\n--B\r\nContent-Disposition: form-data; name="k"\r\n\r\nv\r\n--B--\r\n', "multipart/form-data; boundary=B"),
    (b"--B\r\nbroken", "multipart/form-data; boundary=B"), (b"x", "multipart/form-data"), (b"line one\nline two\n", "text/plain; charset=latin1"), (b"{}", "text/json"), (b"\x1f\x8b", "application/json"),
)  # fmt: skip
LENGTHS = (
    None,
    "",
    "x",
    "-1",
    "0",
    "3",
    "3",
    "3",
    "5000",
    "5000",
    "5000",
    "\u0663".encode().decode("latin1"),
    " 3",
    "+3",
    "1_0",
)
# Numbers that do not fit, files, and what is read to its end before it is refused.
NOTABLE = (
    (b'{"big": 18446744073709551616, "low": -9223372036854775809, "huge": 123456789012345678901234567890}', "application/json"),
    (b"[18446744073709551615, 9007199254740993, -9223372036854775808]", "application/json"), *BODIES[15:16], *BODIES[27:31], *BODIES[30:31], *BODIES[30:31],
)  # fmt: skip
EXTRAS = (
    {"SCRIPT_NAME": "/mnt"}, {"SCRIPT_NAME": "/mnt/"}, {"SCRIPT_NAME": "\xc3\xa9"}, {"wsgi.url_scheme": "https"}, {"HTTP_UPGRADE": "websocket", "HTTP_CONNECTION": "Upgrade"},
    {"HTTP_UPGRADE": "websocket", "HTTP_CONNECTION": "keep-alive"}, {"HTTP_CONNECTION": "upgrade", "HTTP_UPGRADE": "WebSocket"}, {"wsgi.url_scheme": "ws"},
    {"HTTP_X_FORWARDED_FOR": "1.1.1.1, 2.2.2.2"}, {"HTTP_AUTHORIZATION": "Basic dXNlcjpwYXNz"}, {"HTTP_ACCEPT": "text/html;q=0.5, application/json"}, {"REMOTE_USER": "ann"},
    {"HTTP_IF_NONE_MATCH": '"x"'}, {"HTTP_RANGE": "bytes=0-1"}, {"HTTP_DATE": "bad"}, {"REMOTE_ADDR": None}, {"SERVER_NAME": "other", "SERVER_PORT": "80"}, {"HTTP_HOST": "twice", "HTTP_X_A": "\xe9"},
    {"SERVER_PORT": "443", "wsgi.url_scheme": "https"}, {"wsgi.multithread": True}, {"HTTP_CONTENT_TYPE": "x", "HTTP_CONTENT_LENGTH": "5"}, {"QUERY_STRING": None}, {"RAW_URI": "/raw?x"},
)  # fmt: skip


class Short(io.BytesIO):
    """A body that ends early, or whose connection breaks."""

    def read(self, size=-1):
        found = super().read(min(size, 3) if size and size > 0 else size)
        if not found and size:
            raise OSError("broken")
        return found


class Request:
    """One request; every call of `environ` gives a new environment for it."""

    def __init__(self, random, rules, before):
        rule = random.choice(rules)
        self.path = self._path(random, rule.rule)
        self.method = self._method(random, rule)
        if before is not None and random.random() < 0.45:
            self.path = (
                before.path if random.random() < 0.8 else routes.bent(random, before.path or "")
            )
            self.method = before.method if random.random() < 0.6 else self.method
        self.cookie = random.choices(
            (
                "jar",
                None,
                "session=",
                "session=forged.x.y",
                "session=a; session=b",
                "s=1; k",
                "jar twice",
            ),
            (9, 5, 1, 1, 1, 1, 1),
        )[0]
        self.trigger = random.randrange(TRIGGERS) if random.random() < 0.15 else None
        self.host = random.choice(HOSTS) if random.random() < 0.12 else "localhost"
        self.query = random.choice(QUERIES) if random.random() < 0.3 else ""
        self.extra = random.choice(EXTRAS) if random.random() < 0.06 else {}
        self.body, self.type = b"", None
        if random.random() < (0.8 if self.method in {"POST", "PUT", "PATCH"} else 0.1):
            chances = (BODIES[:1], NOTABLE, BODIES)
            self.body, self.type = random.choice(random.choices(chances, (3, 3, 4))[0])
        self.length = str(len(self.body)) if self.body or self.method == "POST" else None
        self.input = io.BytesIO
        if random.random() < 0.05:
            self.extra = random.choice((*EXTRAS[:3], {"HTTP_TRANSFER_ENCODING": "chunked"}))
        if random.random() < (0.2 if self.body else 0.03):
            self.length = random.choice(LENGTHS)
            self.extra = self.extra | random.choice(
                (
                    {},
                    {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"},
                    {"HTTP_TRANSFER_ENCODING": "chunked"},
                )
            )
            self.input = random.choice((io.BytesIO, Short))
        self.reading = random.choices(("all", "first", "none", "not closed"), (20, 2, 1, 1))[0]
        self.surrounded = random.random() < 0.015

    @staticmethod
    def _path(random, rule):
        path = routes.filled(random, rule)
        while random.random() < 0.22:
            path = routes.bent(random, path)
        return (
            path
            if random.random() < 0.97
            else random.choice(
                ("", "/", "//", "*", "/static/x", "/nope", "/\x80", "é", None, "/a/\udcff")
            )
        )

    @staticmethod
    def _method(random, rule):
        chance = random.random()
        if chance < 0.75:
            return random.choice(sorted((rule.methods or {"GET"}) - {"OPTIONS"}) or ["OPTIONS"])
        if chance < 0.85:
            return random.choice(("GET", "POST"))
        return random.choice(
            (
                "GET",
                "HEAD",
                "HEAD",
                "OPTIONS",
                "OPTIONS",
                "POST",
                "PUT",
                "DELETE",
                "PATCH",
                "BREW",
                "get",
                "Post",
                "",
                "TRACE",
                "CONNECT",
            )
        )

    def environ(self, jar):
        made = {
            "REQUEST_METHOD": self.method, "SCRIPT_NAME": "", "QUERY_STRING": self.query, "SERVER_NAME": "127.0.0.1", "SERVER_PORT": "5000", "SERVER_PROTOCOL": "HTTP/1.1",
            "HTTP_USER_AGENT": "fuzz", "REMOTE_ADDR": "127.0.0.1", "wsgi.version": (1, 0), "wsgi.url_scheme": "http", "wsgi.input": self.input(self.body), "wsgi.errors": io.StringIO(),
            "wsgi.multithread": False, "wsgi.multiprocess": False, "wsgi.run_once": False,
        }  # fmt: skip
        cookie = (
            jar
            if self.cookie == "jar"
            else f"{jar}; {jar}"
            if self.cookie == "jar twice"
            else self.cookie
        )
        path = (
            None
            if self.path is None
            else self.path.encode("utf-8", "surrogateescape").decode("latin1")
        )
        for name, value in (
            ("PATH_INFO", path), ("HTTP_HOST", self.host), ("CONTENT_TYPE", self.type), ("CONTENT_LENGTH", self.length),
            ("HTTP_COOKIE", cookie or None), (TRIGGER, self.trigger), *self.extra.items(),
        ):  # fmt: skip
            if value is not None:
                made[name] = value
            else:
                made.pop(name, None)
        return made

    def __repr__(self):
        return repr(vars(self))
