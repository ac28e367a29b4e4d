"""Orders of a parent process: bytes on standard input, whose end means that the parent is gone."""

import asyncio
import os
import sys
import threading
from datetime import timedelta

from cronicorn.wiring.stopping import StopRequests

DRAIN = b"d"
NOW = b"n"


def obey_parent(requests: StopRequests, allowed: timedelta) -> None:
    """Hand what the parent orders from now on to *requests*, in the running loop; its end means drain.

    An orphan that has not stopped within *allowed* is ended, even with its event loop stuck: a thread of its own reads.
    """
    arguments = (asyncio.get_running_loop(), requests, allowed.total_seconds())
    threading.Thread(target=_listen, args=arguments, name="orders", daemon=True).start()


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
