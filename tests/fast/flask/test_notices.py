"""Changes of classes are noticed by one watcher, which outlives whoever asked for it."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(sys.version_info < (3, 13), reason="older Pythons have a witness")

FIRST_REQUESTS = """
import sys, threading
from carboy.fast.flask import Flask
from carboy.fast.flask.plan import plan_of

sys.setswitchinterval(1e-6)
app = Flask(__name__)
app.add_url_rule("/", "index", lambda: "there")
together = threading.Barrier(8)
noticing = []

def first():
    together.wait()
    app.test_client().get("/")
    noticing.append(plan_of(app).watch._notices)

threads = [threading.Thread(target=first) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert len(noticing) == 8 and None not in noticing, noticing
assert len({id(one) for one in noticing}) == 1, noticing
"""

CALLED_LATER = """
import gc, weakref
from carboy.fast.flask.notices import Notices

class Kind:
    pass

notices = Notices()
assert notices.reach(Kind)
left = weakref.ref(notices)
del notices
gc.collect()
before = left().count
Kind.changed = True
assert left().count == before + 1
"""

MADE_AND_DROPPED = """
import gc, sys, threading
from carboy.fast.flask.watch import Watch

class Kind:
    pass

sys.setswitchinterval(1e-6)
gc.set_threshold(50)
told = []

def make():
    for _ in range(100):
        watch = Watch((Kind,), lambda: vars(Kind).get("value"))
        told.append(watch._notices is not None and not watch.changed())

threads = [threading.Thread(target=make) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert len(told) == 800 and all(told), told.count(False)
watch = Watch((Kind,), lambda: vars(Kind).get("value"))
Kind.value = 1
assert watch.changed()
"""


@pytest.mark.parametrize(
    "program",
    [
        pytest.param(FIRST_REQUESTS, id="first requests at once share it"),
        pytest.param(CALLED_LATER, id="it is kept for as long as it is called"),
        pytest.param(MADE_AND_DROPPED, id="plans made at once are each followed"),
    ],
)
def test_a_fresh_process(program):
    ended = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", program],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
