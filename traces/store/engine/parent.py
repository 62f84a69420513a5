"""Noticing that the process which wanted this engine is gone, so that none is left behind.

Not PR_SET_PDEATHSIG: that fires when the *thread* which started the engine ends.
"""

import contextlib
import os
import select
import threading
import time
from collections.abc import Callable

_POLL_SECONDS = 0.5


def watch(pid: int, on_death: Callable[[], None]) -> None:
    """Call ``on_death`` from a thread of its own as soon as process ``pid`` has ended."""
    threading.Thread(
        target=_wait_and_tell, args=(pid, on_death), name="parent-watch", daemon=True
    ).start()


def _wait_and_tell(pid: int, on_death: Callable[[], None]) -> None:
    _wait_for_end(pid)
    on_death()


def _wait_for_end(pid: int) -> None:
    if hasattr(os, "pidfd_open"):
        try:
            descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            return
        except OSError:  # a kernel or a sandbox without it
            _poll_for_end(pid)
            return
        poller = select.poll()
        poller.register(descriptor, select.POLLIN)
        poller.poll()
        os.close(descriptor)
    else:
        _poll_for_end(pid)


def _poll_for_end(pid: int) -> None:
    while True:
        try:
            # A process of somebody else, which may not be asked, is there all the same.
            with contextlib.suppress(PermissionError):
                os.kill(pid, 0)
        except ProcessLookupError:
            return
        time.sleep(_POLL_SECONDS)
