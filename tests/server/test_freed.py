"""What an upload frees is there for the next one."""

import platform
import subprocess
import sys

import pytest

# As many pages as are new to the process, in rounds of what a request with a megabyte takes.
PROGRAM = """
import resource, sys, threading
from carboy.server import freed

def work():
    for _ in range(20):
        blocks = [bytes(1024 * 1024) for _ in range(4)]
        del blocks

def pages():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

if sys.argv[1] == "kept":
    freed.keep()
print(pages())
"""


def pages(how):
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM, how],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    return int(run.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="mallopt(3) is glibc's")
def test_pages_are_used_again():
    assert pages("kept") < pages("given back") / 4
