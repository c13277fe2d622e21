"""JWTs of an external issuer, against keys made here and a server that publishes them."""

import base64
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import flask
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from sqlalchemy import select

from carboy.api.auth import Auth, Claims, requires
from carboy.api.auth.keyset import STALE_MAX_S, KeySet
from carboy.api.blueprint import Blueprint
from carboy.app import Carboy
from carboy.errors import Unavailable

ISSUER = "https://login.example.com/"
AUDIENCE = "shop"
PRIVATE = {
    "rsa": rsa.generate_private_key(public_exponent=65537, key_size=2048),
    "ec": ec.generate_private_key(ec.SECP256R1()),
    "ed": ed25519.Ed25519PrivateKey.generate(),
    "weak": rsa.generate_private_key(public_exponent=65537, key_size=1024),
}
MAKERS = {
    "rsa": jwt.algorithms.RSAAlgorithm,
    "weak": jwt.algorithms.RSAAlgorithm,
    "ec": jwt.algorithms.ECAlgorithm,
    "ed": jwt.algorithms.OKPAlgorithm,
}


def public_key(kid, **more):
    made = json.loads(MAKERS[kid].to_jwk(PRIVATE[kid].public_key()))
    made.pop("key_ops", None)
    return {**made, "kid": kid, **more}


def key_set(*keys):
    return json.dumps({"keys": list(keys)})


def claims(**more):
    made = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "ada",
        "exp": int(time.time()) + 300,
        "scope": "orders:read *",
    }
    return {name: value for name, value in {**made, **more}.items() if value is not None}


def token(kid="rsa", algorithm="RS256", *, header=None, **more):
    headers = {"kid": kid, **(header or {})}
    headers = {name: value for name, value in headers.items() if value is not None}
    return jwt.encode(claims(**more), PRIVATE[kid], algorithm, headers=headers)


def signed(header, payload, kid="rsa"):
    """Sign parts that no library would write."""
    algorithm = jwt.algorithms.RSAAlgorithm(jwt.algorithms.RSAAlgorithm.SHA256)
    encoded = [base64.urlsafe_b64encode(part.encode()).rstrip(b"=") for part in (header, payload)]
    signature = algorithm.sign(b".".join(encoded), PRIVATE[kid])
    return b".".join([*encoded, base64.urlsafe_b64encode(signature).rstrip(b"=")]).decode()


HEADER = '{"alg":"RS256","kid":"rsa"}'


@pytest.fixture
def keys_file(tmp_path):
    file = tmp_path / "jwks.json"
    file.write_text(key_set(public_key("rsa"), public_key("ec"), public_key("ed")))
    return file


@pytest.fixture
def trusting(make_service, keys_file):
    def trusting(**options):
        settings = {
            "JWT_ISSUER": ISSUER, "JWT_AUDIENCE": (AUDIENCE,), "JWT_JWKS": str(keys_file)
        }  # fmt: skip
        return make_service(**{**settings, **options})

    return trusting


@pytest.mark.parametrize(("kid", "algorithm"), [("rsa", "RS256"), ("ec", "ES256"), ("ed", "EdDSA")])
def test_a_token_of_the_issuer_tells_who_calls_and_what_they_may(trusting, kid, algorithm):
    service = trusting()
    made = token(kid, algorithm)
    me = service.call("GET", "/me", made).json["data"]
    assert (me["id"], me["method"], me["claims"]["sub"]) == ("ada", "jwt", "ada")
    assert me["permissions"] == ["orders:read"]
    assert service.call("GET", "/stock", made).status_code == 403
    assert service.call("GET", "/sessions", made).status_code == 403


INVALID = {
    "signed by another key": lambda: token("ec", "ES256", header={"kid": "rsa"}),
    "another issuer": lambda: token(iss="https://evil.example.com/"),
    "an issuer that begins alike": lambda: token(iss=ISSUER + "x"),
    "another audience": lambda: token(aud="bank"),
    "no audience": lambda: token(aud=None),
    "no end": lambda: token(exp=None),
    "no subject": lambda: token(sub=None),
    "an empty subject": lambda: token(sub=""),
    "expired": lambda: token(exp=int(time.time()) - 60),
    "not valid yet": lambda: token(nbf=int(time.time()) + 60),
    "issued in the future": lambda: token(iat=int(time.time()) + 60),
    "an unknown key": lambda: token(header={"kid": "other"}),
    "no key named, signed by none": lambda: signed(
        '{"alg":"RS256"}', json.dumps(claims()), kid="weak"
    ),
    "an algorithm that is not allowed": lambda: token(algorithm="RS512"),
    "a key for another algorithm": lambda: token("rsa", "PS256"),
    "an extension": lambda: token(header={"crit": ["exp"]}),
    "a payload beside the token": lambda: signed(
        HEADER[:-1] + ',"b64":false}', json.dumps(claims())
    ),
    "another kind of token": lambda: token(header={"typ": "logout+jwt"}),
    "a kind that is no text": lambda: token(header={"typ": 7}),
    "no signature": lambda: jwt.encode(claims(), None, "none", headers={"kid": "rsa"}),
    "an empty signature": lambda: token().rpartition(".")[0] + ".",
    "four parts": lambda: token() + ".x",
    "padding": lambda: token() + "==",
    "bits beyond the end": lambda: ".".join(
        ["eyJhbGciOiJSUzI1NiIsImtpZCI6InJzYSJ9"[:-1] + "-", *token().split(".")[1:]]
    ),
    "a header that is a list": lambda: signed("[]", json.dumps(claims())),
    "claims that are a list": lambda: signed(HEADER, "[]"),
    "claims that are no JSON": lambda: signed(HEADER, "{"),
    "claims that occur twice": lambda: signed(
        HEADER, json.dumps(claims())[:-1] + ',"aud":"shop"}'
    ),
    "a header that occurs twice": lambda: signed(
        HEADER[:-1] + ',"alg":"RS256"}', json.dumps(claims())
    ),
    "an end that is text": lambda: token(exp=str(int(time.time()) + 300)),
    "an end that is true": lambda: token(exp=True),
    "an end beyond all numbers": lambda: signed(
        HEADER, json.dumps(claims()).replace('"exp": ', '"exp": 1e999, "x": ')
    ),
    "a subject that is a number": lambda: signed(HEADER, json.dumps(claims(sub=7))),
    "a key id that is a number": lambda: signed(
        '{"alg":"RS256","kid":7}', json.dumps(claims())
    ),
    "an algorithm that is a list": lambda: signed(
        '{"alg":["RS256"],"kid":"rsa"}', json.dumps(claims())
    ),
    "too long": lambda: token(padding="x" * 9000),
}  # fmt: skip


@pytest.mark.parametrize("make", INVALID.values(), ids=INVALID)
def test_a_token_that_cannot_be_believed_is_refused(trusting, make):
    answer = trusting().call("GET", "/me", make())
    assert answer.status_code == 401
    assert answer.json["code"] == "invalid_token"


def test_a_public_key_is_no_secret_to_sign_with(trusting):
    pem = PRIVATE["rsa"].public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )  # fmt: skip
    header = base64.urlsafe_b64encode(b'{"alg":"HS256","kid":"rsa"}').rstrip(b"=")
    payload = base64.urlsafe_b64encode(json.dumps(claims()).encode()).rstrip(b"=")
    hmac = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
    signature = base64.urlsafe_b64encode(hmac.sign(header + b"." + payload, pem)).rstrip(b"=")
    forged = b".".join([header, payload, signature]).decode()
    assert trusting().call("GET", "/me", forged).status_code == 401


@pytest.mark.parametrize(
    "keys",
    [
        pytest.param([public_key("rsa", use="enc")], id="for encryption"),
        pytest.param([public_key("rsa", alg="RS512")], id="for another algorithm"),
        pytest.param([public_key("rsa", key_ops=["sign"])], id="for signing"),
        pytest.param([public_key("rsa", key_ops="verify")], id="with operations that are no list"),
        pytest.param([{"kty": "oct", "kid": "rsa", "k": "c2VjcmV0"}], id="a secret"),
        pytest.param([public_key("rsa", d="AQAB")], id="a private one"),
        pytest.param([public_key("rsa"), public_key("rsa")], id="twice"),
        pytest.param([{"kty": "RSA", "kid": "rsa"}], id="without numbers"),
        pytest.param([{**public_key("weak"), "kid": "rsa"}], id="too short"),
        pytest.param(["no object"], id="no object"),
    ],
)
def test_a_key_that_is_not_for_this_verifies_nothing(trusting, keys_file, keys):
    keys_file.write_text(key_set(*keys))
    service = trusting()
    weak = signed(HEADER, json.dumps(claims()), kid="weak")
    assert service.call("GET", "/me", weak).status_code == 401
    assert service.call("GET", "/me", token()).status_code == 401


def test_a_token_may_leave_the_key_out_where_only_one_fits(trusting, keys_file):
    keys_file.write_text(key_set(public_key("rsa"), public_key("ec")))
    assert trusting().call("GET", "/me", token(header={"kid": None})).status_code == 200


def test_clocks_may_differ_by_the_leeway(trusting):
    late = token(exp=int(time.time()) - 10)
    assert trusting().call("GET", "/me", late).status_code == 200
    assert trusting(JWT_LEEWAY_S=0).call("GET", "/me", late).status_code == 401


def test_a_function_of_the_project_maps_claims_to_accounts(trusting, models):
    def caller(found):
        if found["sub"] == "stranger":
            return None
        if found["sub"] == "robot":
            return Claims("robot", ["stock:read"])
        return service.db.session.scalar(
            select(models.User).where(models.User.username == found["sub"])
        )

    service = trusting(jwt_caller=caller)
    service.add("ada")
    me = service.call("GET", "/me", token()).json["data"]
    assert isinstance(me["id"], int)
    assert me["permissions"] == ["orders:read", "orders:write"]
    assert service.call("GET", "/me/name", token()).json["data"] == {"username": "ada"}
    assert service.call("GET", "/stock", token(sub="robot")).status_code == 200
    assert service.call("GET", "/me", token(sub="stranger")).status_code == 401
    from carboy.api.auth.tables import now

    service.change(models.User.__table__.update().values(disabled_at=now()))
    assert service.call("GET", "/me", token()).status_code == 401


def test_a_scope_that_is_no_text_permits_nothing(trusting):
    service = trusting()
    assert service.call("GET", "/me", token(scope=["a"])).json["data"]["permissions"] == []
    assert service.call("GET", "/me", token(scope='a"b ok')).json["data"]["permissions"] == ["ok"]


def test_callers_of_an_issuer_need_no_database(keys_file):
    app = flask.Flask(__name__)
    Carboy(
        app,
        {
            "APP_ENV": "Testing",
            "JWT_ISSUER": ISSUER,
            "JWT_AUDIENCE": (AUDIENCE,),
            "JWT_JWKS": str(keys_file),
        },
    )
    Auth().init_app(app)
    api = Blueprint("api", __name__)

    @api.get("/orders")
    @requires("orders:read")
    def orders():
        return []

    app.register_blueprint(api)
    ask = app.test_client().get
    assert ask("/orders", headers={"Authorization": f"Bearer {token()}"}).status_code == 200
    assert ask("/orders").status_code == 401
    opaque = {"Authorization": "Bearer cbs_" + "A" * 43}
    assert ask("/orders", headers=opaque).status_code == 401
    (start,) = app.extensions["carboy.start"]
    start()


def test_without_an_issuer_no_token_of_one_counts(service):
    assert service.call("GET", "/me", token()).status_code == 401


class Publisher:
    """A server that publishes keys, and counts."""

    def __init__(self):
        self.answers = 0
        self.body = b""
        self.status = 200
        self.location = None
        publisher = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                publisher.answers += 1
                self.send_response(publisher.status)
                if publisher.location:
                    self.send_header("Location", publisher.location)
                self.send_header("Content-Length", str(len(publisher.body)))
                self.end_headers()
                self.wfile.write(publisher.body)

            def log_message(self, *arguments):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/jwks.json"

    def close(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def publisher():
    made = Publisher()
    made.body = key_set(public_key("rsa")).encode()
    yield made
    made.close()


class Clock:
    moment = 0.0

    def __call__(self):
        return self.moment


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def keys(publisher, clock):
    return KeySet(publisher.url, ttl_s=100, cooldown_s=10, timeout_s=2, clock=clock)


def with_id(kid):
    return lambda key: key.get("kid") == kid


def test_keys_are_fetched_from_a_url_once_and_again_after_their_time(keys, publisher, clock):
    for _ in range(3):
        assert len(keys.find(with_id("rsa"))) == 1
    assert publisher.answers == 1
    clock.moment = 101
    assert len(keys.find(with_id("rsa"))) == 1
    assert publisher.answers == 2


def test_an_unknown_key_is_looked_for_at_a_bounded_rate(keys, publisher, clock):
    assert keys.find(with_id("rsa"))
    for _ in range(20):
        assert keys.find(with_id("ec")) == []
    assert publisher.answers == 1
    clock.moment = 11
    publisher.body = key_set(public_key("ec")).encode()
    assert len(keys.find(with_id("ec"))) == 1
    assert publisher.answers == 2
    assert keys.find(with_id("rsa")) == []
    assert publisher.answers == 2


@pytest.mark.parametrize(
    ("status", "body", "location"),
    [
        pytest.param(500, b"", None, id="a failure"),
        pytest.param(302, b"", "http://127.0.0.1:9/", id="a redirect"),
        pytest.param(200, b"<html>", None, id="no JSON"),
        pytest.param(200, b"[]", None, id="a list"),
        pytest.param(200, b'{"keys": []}', None, id="no keys"),
        pytest.param(200, b'{"keys": [' + b" " * 1_100_000 + b"]}", None, id="too large"),
    ],
)
def test_while_keys_cannot_be_had_the_old_ones_serve_for_a_day(  # noqa: PLR0917 - fixtures
    keys, publisher, clock, log, status, body, location
):
    assert keys.find(with_id("rsa"))
    publisher.status, publisher.body, publisher.location = status, body, location
    clock.moment = 101
    assert keys.find(with_id("rsa"))
    assert "cannot be read" in log.text
    assert keys.find(with_id("rsa"))
    assert publisher.answers == 2
    clock.moment = STALE_MAX_S + 1
    with pytest.raises(Unavailable) as refused:
        keys.find(with_id("rsa"))
    assert refused.value.headers["Retry-After"] == "10"


def test_without_any_keys_the_answer_is_503(trusting, tmp_path):
    service = trusting(JWT_JWKS=str(tmp_path / "missing.json"))
    answer = service.call("GET", "/me", token())
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0


def test_a_server_that_does_not_answer_in_time_is_given_up(clock, log):
    class Endless:
        def read1(self, size):
            clock.moment += 1
            return b" "

        def __enter__(self):
            return self

        def __exit__(self, *_):
            return False

    import urllib.request

    keys = KeySet("http://127.0.0.1:9/", ttl_s=1, cooldown_s=1, timeout_s=0.05, clock=clock)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(urllib.request.OpenerDirector, "open", lambda *_, **__: Endless())
        with pytest.raises(Unavailable):
            keys.find(with_id("rsa"))
    assert "takes too long" in log.text


def test_of_many_threads_one_fetches_the_keys(keys, publisher):
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(len(keys.find(with_id("rsa")))))
        for _ in range(10)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [1] * 10
    assert publisher.answers == 1


def test_while_one_thread_fetches_the_others_use_the_keys_there_are(keys, publisher, clock):
    assert keys.find(with_id("rsa"))
    clock.moment = 101
    with keys._lock:
        assert keys.find(with_id("rsa"))
    assert publisher.answers == 1
