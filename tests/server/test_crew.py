import threading
import time

import pytest

from carboy.server.crew import Crew

APP = """
import threading
from flask import Flask
from carboy import Carboy

app = Flask(__name__)
Carboy(app)
together = threading.Barrier(4)

@app.get("/")
def index():
    return "here"

@app.get("/together")
def all_at_once():
    together.wait(20)
    return "together"
"""


@pytest.fixture
def hands():
    """Three threads that ask to rest again and again, and how often each was let go on."""
    crew, passes, over = Crew(4), [0, 0, 0], threading.Event()

    def work(number):
        while not over.is_set():
            passes[number] += 1
            crew.rest()
            over.wait(0.001)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    yield crew, passes
    over.set()
    crew.dismiss()
    for thread in threads:
        thread.join(30)


def awake(passes):
    """Tell who goes on, once the others had every chance to."""
    before = list(passes)
    deadline = time.monotonic() + 30
    while max(now - then for now, then in zip(passes, before, strict=True)) < 50:
        assert time.monotonic() < deadline
        time.sleep(0.001)
    return [number for number in range(3) if passes[number] > before[number] + 10]


def until(condition):
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_one_thread_goes_on_while_nothing_waits(hands):
    _, passes = hands
    until(lambda: all(passes))
    until(lambda: len(awake(passes)) == 1)


def test_another_joins_when_one_is_stuck(hands):
    crew, passes = hands
    until(lambda: all(passes) and len(awake(passes)) == 1)
    crew.busy[1] = "a job"
    crew.look()
    crew.look()
    assert crew.wanted == 2
    until(lambda: len(awake(passes)) == 2)


def test_all_go_on_once_they_are_dismissed(hands):
    crew, passes = hands
    until(lambda: all(passes) and len(awake(passes)) == 1)
    crew.dismiss()
    until(lambda: len(awake(passes)) == 3)


@pytest.mark.replaces
@pytest.mark.parametrize(
    ("share", "wanted"),
    [
        pytest.param(0.3, 2, id="idle: one joins"),
        pytest.param(0.9, 1, id="in use: nobody joins"),
    ],
)
def test_whether_another_joins_for_short_jobs_depends_on_the_processor(monkeypatch, share, wanted):
    crew = Crew(4)
    monkeypatch.setattr(crew, "_share", lambda: share)
    for number in range(10):
        crew.busy[1] = number  # another job at each look
        crew.look()
    assert crew.wanted == wanted


@pytest.mark.replaces
def test_one_goes_to_rest_each_second_in_which_all_had_too_much_to_do(monkeypatch):
    crew = Crew(4)
    crew.busy.update({1: "a", 2: "b"})
    crew.look()
    crew.look()
    assert crew.wanted == 4
    monkeypatch.setattr(crew, "_share", lambda: 1.0)
    crew.busy.clear()
    for number in range(600):
        crew.busy[1] = number
        crew.look()
    assert crew.wanted == 1


def test_it_watches_again_when_somebody_comes_after_a_while():
    crew = Crew(4)
    crew.start()
    try:
        until(lambda: crew.dozing)
        crew.busy[1] = "a job"
        crew.rouse()
        until(lambda: crew.wanted > 1)
    finally:
        crew.dismiss()


def test_there_are_never_more_than_there_are():
    crew = Crew(3)
    crew.busy.update({1: "a", 2: "b", 3: "c"})
    for _ in range(5):
        crew.look()
    assert crew.wanted == 3


@pytest.mark.engine("granian")
def test_as_many_requests_wait_at_once_as_there_are_threads(serve):
    server = serve(APP, GUNICORN_THREADS="5", WEB_CONCURRENCY="1")
    answers = []
    callers = [
        threading.Thread(target=lambda: answers.append(server.get("/together"))) for _ in range(4)
    ]
    for caller in callers[:3]:
        caller.start()
    for _ in range(20):
        assert server.get("/")[1] == "here"  # beside those that wait
    callers[3].start()
    for caller in callers:
        caller.join(30)
    assert [text for _, text, _ in answers] == ["together"] * 4


def test_one_that_is_awake_has_relief_while_another_may_be_woken(hands):
    crew, passes = hands
    until(lambda: all(passes) and len(awake(passes)) == 1)
    assert crew.has_relief()
    assert not Crew(1).has_relief()
    crew.dismiss()
    assert not crew.has_relief()
