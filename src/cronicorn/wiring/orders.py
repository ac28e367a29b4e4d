"""Orders of a parent process: bytes on standard input, whose end means that the parent is gone."""

import asyncio
import os
import sys
import threading
from datetime import timedelta

from cronicorn.wiring.stopping import StopRequests

DRAIN = b"d"
NOW = b"n"
_PATIENCE_S = 10.0
"""So much longer than its grace an orphan may take to stop."""


def obey_parent(requests: StopRequests, grace: timedelta) -> None:
    """Hand what the parent orders from now on to *requests*, in the running loop; its end means drain.

    A thread of its own reads, so that an orphan goes even when its event loop is stuck.
    """
    loop = asyncio.get_running_loop()
    allowed_s = grace.total_seconds() + _PATIENCE_S
    threading.Thread(target=_listen, args=(loop, requests, allowed_s), name="orders", daemon=True).start()


def _listen(loop: asyncio.AbstractEventLoop, requests: StopRequests, allowed_s: float) -> None:
    # The descriptor itself, not sys.stdin: a buffered reader's lock would be held when the interpreter ends.
    with os.fdopen(os.dup(sys.stdin.fileno()), "rb", buffering=0) as orders:
        while order := orders.read(1):
            _pass_on(loop, requests, order)
    end = threading.Timer(allowed_s, os._exit, (1,))
    end.daemon = True
    end.start()
    _pass_on(loop, requests, DRAIN)


def _pass_on(loop: asyncio.AbstractEventLoop, requests: StopRequests, order: bytes) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(requests.insist if order == NOW else requests.ask)
