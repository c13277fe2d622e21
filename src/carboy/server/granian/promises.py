"""What granian promises instead of results, used by threads and without an event loop."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Final

PENDING: Final = object()


class Loop:
    """Stands where granian expects an event loop: does what is due at once."""

    def call_soon(self, callback: Callable[..., object], *given: Any, context: Any = None) -> None:
        """Call back, in this very thread."""
        del context
        callback(*given)

    call_soon_threadsafe = call_soon


def outcome(promise: Any) -> Any:
    """Give what was promised, or ``PENDING``; never waits."""
    try:
        next(promise)
    except StopIteration as ended:
        return ended.value
    return PENDING


def wait_for(promise: Any, timeout_s: float) -> Any:
    """Give what was promised once it is there.

    One of granian's threads must be free to bring it; see :mod:`~carboy.server.granian.turns`.

    :raises TimeoutError: after *timeout_s* seconds.
    """
    given = outcome(promise)
    if given is not PENDING:
        return given
    waiting = threading.Lock()
    waiting.acquire()
    promise.add_done_callback(lambda _: waiting.release())
    if not waiting.acquire(timeout=max(timeout_s, 0)) and promise.cancel():
        raise TimeoutError
    return promise.result()


def when_given(promise: Any, then: Callable[[Any], object]) -> Any:
    """Call *then* with what was promised, from whichever thread brings it.

    :return: ``PENDING``, or what has come at once; then nobody is called.
    """
    given = outcome(promise)
    if given is not PENDING:
        return given
    # A promise that is kept while the callback is being added calls it from in here;
    # the caller goes on by itself, so that a row of such promises is no recursion.
    adder = [threading.get_ident()]

    def call_back(kept: Any) -> None:
        if adder[0] == threading.get_ident():
            adder[0] = 0
        elif not kept.cancelled():
            then(kept.result())

    promise.add_done_callback(call_back)
    if adder[0] == 0:
        return promise.result()
    adder[0] = -1
    return PENDING
