"""Processes that must not outlive the one that started them."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>


def end_with(parent: int) -> None:
    """Ask the system to send SIGTERM to this process when *parent* has ended, even by SIGKILL.

    :param parent: process id of the parent, as it knows it itself.

    Systems other than Linux have no such call; there, only a parent that ends in an orderly
    way takes its children along.

    Source: prctl(2), ``PR_SET_PDEATHSIG``.
    """
    if sys.platform != "linux":
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it was quicker
        raise SystemExit(128 + signal.SIGTERM)
