"""Counting on the values is counting by the methods of prometheus_client, for less."""

import dis
import json
import os
import subprocess
import sys
import threading
from collections import Counter as Hits
from pathlib import Path
from random import Random

import prometheus_client as client
import pytest
from prometheus_client import multiprocess

from carboy.crate import counting, tally
from carboy.crate import metrics as metrics_module

SECONDS = (0.0, 1e-6, *counting.BUCKETS_S, 0.0009, 0.0011, 9.99, 10.01, 3600.0)
WAYS = ("BeganInMemory", "BeganInFiles", "EndedInMemory", "EndedInFiles")
KINDS = [("GET", "/a", 200), ("GET", "/a", 404), ("POST", "/b", 200), ("BREW", "", 405)]


@pytest.fixture
def make_metrics(monkeypatch):
    from carboy import Testing

    def make(ways=counting, *, direct=True):
        monkeypatch.setattr(tally, "takes_turns_between_statements", lambda: direct)
        for name in WAYS:
            monkeypatch.setattr(tally, name, getattr(ways, name))
        return metrics_module.Metrics(Testing.load(environ={}))

    return make


def serve(metrics, random, requests=200):
    ended = {}
    for _ in range(requests):
        kind = random.choice(KINDS)
        metrics.began(kind[0])
        if random.random() < 0.9:
            count = ended.get(kind) or ended.setdefault(kind, metrics.ended(*kind))
            count(random.choice(SECONDS))
    return client.generate_latest(metrics.registry)


def without_creation(text):
    """Give the lines that do not tell the time; sums to what is certain in any order."""
    lines = [line for line in text.decode().splitlines() if "_created" not in line]
    parts = [line.rpartition(" ") for line in lines if "_sum{" in line]
    sums = [f"{name} {float(value):.6f}" for name, _, value in parts]
    return [line for line in lines if "_sum{" not in line] + sums


def test_the_same_is_exposed(make_metrics):
    direct = serve(make_metrics(), Random(3))
    public = serve(make_metrics(direct=False), Random(3))
    assert without_creation(direct) == without_creation(public)


MISTAKES = [
    pytest.param(r"_requests\._value \+= 1\.0", "_requests", id="requests are not counted"),
    pytest.param(r"_flying\._value -= 1\.0", "_flying", id="nothing ever lands"),
    pytest.param(r"_flying\._value \+= 1\.0", "_flying", id="nothing ever flies"),
    pytest.param(r"_total\._value \+= seconds", "_total._value += 1", id="a second each"),
    pytest.param(r"_place_of: Final = bisect_left", "_place_of = lambda *of: bisect_left(*of) - 1",
                 id="a bucket too low"),
    pytest.param(r"import bisect_left", "import bisect_right as bisect_left",
                 id="a bound is outside"),
]  # fmt: skip


@pytest.mark.parametrize(("pattern", "replacement"), MISTAKES)
def test_a_mistake_in_counting_is_noticed(make_metrics, mutant, pattern, replacement):
    changed = serve(make_metrics(mutant(counting, pattern, replacement)), Random(3))
    public = serve(make_metrics(direct=False), Random(3))
    assert without_creation(changed) != without_creation(public)


def test_values_of_another_class_are_counted_the_public_way(make_metrics, monkeypatch):
    metrics = make_metrics()
    monkeypatch.setattr(client.values, "MutexValue", type("Later", (), {}))
    assert metrics.ended("GET", "/a", 200).__class__ is counting.Ended
    serve(metrics, Random(3))
    labels = {"method": "GET", "route": "/a", "status": "200"}
    assert metrics.registry.get_sample_value("http_requests_total", labels) > 0


def test_a_library_without_these_attributes_is_asked_in_public():
    calls = Hits()

    class Later:
        def inc(self, amount=1):
            calls["inc"] += amount

        def dec(self):
            calls["dec"] += 1

        def observe(self, seconds):
            calls["observe"] += seconds

    made = tally.Tallies()
    made.began(Later())()
    made.ended(Later(), Later(), Later())(7)
    assert calls == {"inc": 2, "dec": 1, "observe": 7}


TURNS = {"RESUME", "JUMP_BACKWARD", "FOR_ITER", "YIELD_VALUE", "SEND"}


@pytest.mark.parametrize("way", WAYS)
def test_no_thread_or_signal_comes_between(mutant, way):
    """Python looks for them at the instructions above and after calls, and nowhere else."""
    sources = mutant(counting, "class Began:", "class Began:")
    code = getattr(sources, way).__call__.__code__
    changing = False
    stores = 0
    for instruction in dis.get_instructions(code):
        if instruction.opname in ("STORE_ATTR", "STORE_SUBSCR"):
            stores += 1
        if instruction.argval == "_value" and instruction.opname.startswith("LOAD_ATTR"):
            changing = True
        if instruction.argval == "_value" and instruction.opname == "STORE_ATTR":
            changing = False
        turn = instruction.opname in TURNS or instruction.opname.startswith("CALL")
        assert not (changing and turn), instruction
    assert not changing
    assert stores >= 1


@pytest.mark.parametrize("direct", [True, False], ids=["on the values", "the public way"])
def test_no_request_is_lost_among_threads(make_metrics, direct):
    metrics = make_metrics(direct=direct)
    count = metrics.ended("GET", "/a", 200)
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)

    def work():
        for _ in range(4000):
            metrics.began("GET")
            count(0.003)

    threads = [threading.Thread(target=work) for _ in range(6)]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    finally:
        sys.setswitchinterval(before)
    get = metrics.registry.get_sample_value
    labels = {"method": "GET", "route": "/a", "status": "200"}
    assert get("http_requests_total", labels) == 24_000
    assert get("http_request_duration_seconds_count", labels) == 24_000
    assert get("http_request_duration_seconds_sum", labels) == pytest.approx(72)
    assert get("http_requests_in_flight", {"method": "GET"}) == 0


MISTAKES_IN_FILES = {
    "no other process sees the requests": ("self._ones[self._one_at] = ", ""),
    "nor that they landed": ("self._flies[self._fly_at] = ", ""),
    "nor does this one": (" = one._value = ", " = "),
    "the place beside": ("divmod(value._file", "divmod(8 + value._file"),
    "the file has not grown": (" or at >= len(doubles)", ""),
    "a fork is not noticed": (".inc(0)", ".__str__()"),
}
PROGRAM = """
import json, sys, test_tally
print(json.dumps(test_tally.all_ways(sys.argv[1])))
"""


def all_ways(folder):
    """Count in every way, each in a process of its own: in public, directly, with mistakes."""
    folder_of_sources = Path(tally.__file__).parent
    texts = {
        module: (folder_of_sources / f"{name}.py").read_text()
        for name, module in (("counting", counting), ("tally", tally))
    }
    found = {}
    for way, (right, wrong) in {
        "in public": ("locked = getattr", "return False; locked = getattr"),
        "directly": ("", ""),
        "by another name of the process": ("", ""),
        **MISTAKES_IN_FILES,
    }.items():
        assert any(right in text for text in texts.values()), way
        read, write = os.pipe()
        if not os.fork():
            for module, text in texts.items():
                exec(text.replace(right, wrong) if right else text, vars(module))
            metrics_module.Tallies = tally.Tallies
            (files := Path(folder) / way).mkdir()
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(files)
            if way == "by another name of the process":
                client.values.ValueClass = client.values.MultiProcessValue(lambda: "worker-1")
            with os.fdopen(write, "w") as told:
                json.dump(count_in_files(), told)
            os._exit(0)
        os.close(write)
        with os.fdopen(read) as told:
            found[way] = told.read()
        os.wait()
    return found


def count_in_files():
    """Count in three processes; give the ways it was done and what each sees of it."""
    from carboy import Testing

    metrics = metrics_module.Metrics(Testing.load(environ={}))
    serve(metrics, Random(1))
    # More than a file has room for, so that it grows under what was made before.
    own = client.Counter("own", "Own.", ["n"], registry=metrics.registry)
    for n in range(1500):
        own.labels(f"a long label {n}").inc()
    ended = metrics.ended("GET", "/a", 200)
    serve(metrics, Random(2))
    KINDS.append(("PUT", "/late", 201))
    serve(metrics, Random(3))
    in_public = []
    for seed in (4, 5):
        child = os.fork()
        if not child:
            serve(metrics, Random(seed))
            made = metrics.begins.values()
            os._exit(sum(type(each).__name__ != "BeganInFiles" for each in made))
        in_public.append(os.waitpid(child, 0)[1])
    metrics.began("GET")
    ended(0.003)
    late = metrics.ended(*KINDS[-1])
    ways = {type(made).__name__ for made in (late, *metrics.begins.values())}
    everywhere = client.CollectorRegistry()
    multiprocess.MultiProcessCollector(everywhere)
    return [
        sorted(ways),
        in_public,
        len(list(Path(os.environ["PROMETHEUS_MULTIPROC_DIR"]).iterdir())),
        sorted(without_creation(client.generate_latest(everywhere))),
        sorted(without_creation(client.generate_latest(metrics.registry))),
    ]


@pytest.fixture(scope="module")
def in_files(tmp_path_factory):
    """Give what was counted in files, by the way it was done."""
    environ = {
        **os.environ,
        "PYTHONPATH": str(Path(__file__).parent),
        "PROMETHEUS_MULTIPROC_DIR": str(tmp_path_factory.mktemp("unused")),
    }
    command = [sys.executable, "-c", PROGRAM, str(tmp_path_factory.mktemp("files"))]
    run = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=120)  # noqa: PLW1510 - what it printed says more
    assert run.returncode == 0, run.stderr
    return {way: json.loads(found or "[[]]") for way, found in json.loads(run.stdout).items()}


def test_the_same_is_in_the_files(in_files):
    assert in_files["directly"][0] == ["BeganInFiles", "EndedInFiles"]
    assert in_files["in public"][0] == ["Began", "Ended"]
    assert in_files["directly"][1] == [0, 0]
    assert in_files["directly"][2:] == in_files["in public"][2:]


def test_files_of_whom_one_cannot_tell_are_counted_in_publicly(in_files):
    assert in_files["by another name of the process"][0] == ["Began", "Ended"]


@pytest.mark.parametrize("mistake", MISTAKES_IN_FILES)
def test_a_mistake_in_the_files_is_noticed(in_files, mistake):
    assert in_files[mistake] != in_files["directly"]
