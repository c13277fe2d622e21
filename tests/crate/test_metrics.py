"""What Prometheus reads."""

import os
import re
import subprocess
import sys

import pytest
from prometheus_client import Counter
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_families
from prometheus_client.parser import text_string_to_metric_families as families

TOKEN = "metrics-token-ü"
RIGHT = "rQ7-fZ2_mK9xVt4LbN8wYc3HsJd6Gp1e"


def samples(text, parse=families):
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in parse(text)
        for sample in family.samples
    }


def sample(found, name, **labels):
    return found.get((name, *sorted(labels.items())))


def scraped(get, crate, **environ):
    answer = get(crate, "/metrics", **environ)
    assert answer.status == 200
    return samples(answer.body.decode())


def test_requests_are_counted_by_route_and_never_by_path(make_crate, get):
    crate = make_crate()
    for name in ("a", "b", "c"):
        get(crate, f"/hello/{name}")
    found = scraped(get, crate)
    labels = {"method": "GET", "route": "/hello/<name>", "status": "200"}
    assert sample(found, "http_requests_total", **labels) == 3
    assert sample(found, "http_request_duration_seconds_count", **labels) == 3
    assert sample(found, "http_request_duration_seconds_bucket", le="+Inf", **labels) == 3
    assert sample(found, "http_request_duration_seconds_sum", **labels) > 0


def test_unknown_paths_and_methods_share_a_label(make_crate, get):
    def app(environ, start_response):
        start_response("404 Not Found", [])
        return [b""]

    crate = make_crate(app)
    for number in range(5):
        get(crate, f"/{number}", f"METHOD{number}")
        get(crate, f"/{number}")
    found = scraped(get, crate)
    for method in ("(other)", "GET"):
        labels = {"method": method, "route": "(unmatched)", "status": "404"}
        assert sample(found, "http_requests_total", **labels) == 5
    assert sample(found, "http_requests_in_flight", method="(other)") == 0


@pytest.mark.parametrize(
    ("path", "environ", "route", "status"),
    [
        pytest.param("/", {"HTTP_HOST": "evil.example"}, "(unmatched)", "400", id="a refusal"),
        pytest.param("/health", {}, "/health", "200", id="health"),
        pytest.param("/health/live", {"REQUEST_METHOD": "PUT"}, "/health/live", "405",
                     id="a wrong method"),
    ],
)  # fmt: skip
def test_answers_of_the_crate_are_counted(make_crate, get, path, environ, route, status):  # noqa: PLR0917 - fixtures and parameters
    crate = make_crate()
    get(crate, path, **environ)
    method = environ.get("REQUEST_METHOD", "GET")
    labels = {"method": method, "route": route, "status": status}
    assert sample(scraped(get, crate), "http_requests_total", **labels) == 1


def test_requests_in_flight(make_crate, get):
    seen = []

    def app(environ, start_response):
        seen.append(scraped(get, crate))
        start_response("200 OK", [])
        return [b""]

    crate = make_crate(app)
    get(crate, method="POST")
    assert sample(seen[0], "http_requests_in_flight", method="POST") == 1
    after = scraped(get, crate)
    assert sample(after, "http_requests_in_flight", method="POST") == 0
    assert sample(after, "http_requests_in_flight", method="GET") == 1, "the scrape itself"


@pytest.mark.parametrize(
    ("accept", "content_type", "parse"),
    [
        pytest.param(None, "text/plain", families, id="plain text"),
        pytest.param("application/openmetrics-text; version=1.0.0",
                     "application/openmetrics-text", open_families, id="OpenMetrics"),
    ],
)  # fmt: skip
def test_the_format_the_scraper_asks_for(make_crate, get, accept, content_type, parse):
    crate = make_crate()
    get(crate)
    answer = get(crate, "/metrics", HTTP_ACCEPT=accept)
    assert answer["Content-Type"].startswith(content_type)
    assert answer["Vary"] == "Accept"
    found = samples(answer.body.decode(), parse)
    labels = {"method": "GET", "route": "/hello/<name>", "status": "200"}
    assert sample(found, "http_requests_total", **labels) == 1


@pytest.mark.parametrize(
    ("profile", "token", "authorization", "status"),
    [
        pytest.param("Development", None, None, 200, id="Development: open"),
        pytest.param("Testing", None, None, 200, id="Testing: open"),
        pytest.param("Production", None, None, 404, id="Production without a token: not there"),
        pytest.param("Production", None, "Bearer ", 404, id="Production: nor for an empty one"),
        pytest.param("Production", RIGHT, f"Bearer {RIGHT}", 200, id="the token"),
        pytest.param("Production", RIGHT, f"bearer  {RIGHT} ", 200, id="however it is spaced"),
        pytest.param("Production", RIGHT, "Bearer wrong", 401, id="a wrong token"),
        pytest.param("Production", RIGHT, f"Basic {RIGHT}", 401, id="a wrong scheme"),
        pytest.param("Production", RIGHT, RIGHT, 401, id="no scheme"),
        pytest.param("Production", RIGHT, None, 401, id="no token"),
        pytest.param("Production", RIGHT, "Bearer r\xefght", 401, id="beyond ASCII"),
        pytest.param("Development", RIGHT, None, 401, id="Development asks once one is set"),
        pytest.param("Development", TOKEN, f"Bearer {TOKEN.encode().decode('latin-1')}", 200,
                     id="a token beyond ASCII, in UTF-8"),
    ],
)  # fmt: skip
def test_who_may_read(make_crate, get, profile, token, authorization, status):  # noqa: PLR0917 - fixtures and parameters
    crate = make_crate(profile=profile, METRICS_TOKEN=token)
    answer = get(crate, "/metrics", HTTP_AUTHORIZATION=authorization)
    assert answer.status == status
    assert answer["WWW-Authenticate"] == ('Bearer realm="metrics"' if status == 401 else "")


def test_switched_off_the_path_is_the_apps(make_crate, get):
    crate = make_crate(METRICS=False)
    assert crate.metrics is None
    assert get(crate, "/metrics").body == b"hello"


def test_own_metrics_are_shown(make_crate, get):
    crate = make_crate()
    Counter("orders", "Orders taken.", registry=crate.metrics.registry).inc(3)
    assert sample(scraped(get, crate), "orders_total") == 3


def test_two_crates_never_mix(make_crate, get):
    one, two = make_crate(), make_crate()
    get(one)
    assert "hello" in get(one, "/metrics").body.decode()
    assert "hello" not in get(two, "/metrics").body.decode()


PROCESS = """
import os, sys
from pathlib import Path
from carboy import Testing
from carboy.crate import Crate

def app(environ, start_response):
    environ["carboy.route"] = "/x"
    start_response("200 OK", [])
    return [b""]

def get(path):
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": path, "HTTP_HOST": "localhost",
               "SERVER_PROTOCOL": "HTTP/1.1", "wsgi.url_scheme": "http"}
    body = crate(environ, lambda status, headers, exc_info=None: None)
    text = b"".join(body).decode()
    getattr(body, "close", int)()
    return text

crate = Crate(app, Testing.load(environ={}), instance_path=Path("."), checks={})

from prometheus_client import Counter
from prometheus_client.core import GaugeMetricFamily

class Queue:
    def collect(self):
        yield GaugeMetricFamily("queue_length", "Jobs that wait.", value=7)

crate.metrics.registry.register(Queue())
orders = Counter("orders", "Orders taken.", registry=crate.metrics.registry)
orders.inc()
for _ in range(3):
    child = os.fork()
    if not child:
        get("/x")
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
get("/x")
print(get("/metrics"))
"""


def test_processes_are_summed_up(tmp_path):
    environ = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    run = subprocess.run([sys.executable, "-c", PROCESS], env=environ, cwd=tmp_path,
                         capture_output=True, text=True, timeout=60, check=True)  # fmt: skip
    found = samples(run.stdout)
    labels = {"method": "GET", "route": "/x", "status": "200"}
    assert sample(found, "http_requests_total", **labels) == 4
    assert sample(found, "http_request_duration_seconds_count", **labels) == 4
    assert sample(found, "http_requests_in_flight", method="GET") == 1
    assert sample(found, "queue_length") == 7
    assert sample(found, "orders_total") == 1
    families = re.findall(r"^# TYPE (\S+)", run.stdout, re.MULTILINE)
    assert len(families) == len(set(families))
    assert not re.search(r"pid=", run.stdout)
