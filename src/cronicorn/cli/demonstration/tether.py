"""A child process that ends with its parent, however the parent ends.

The parent holds the writing end of the child's standard input. The system closes it with the parent, even when that was
killed, and then the child stops as if asked to by SIGTERM.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

GRACE_S = 8.0
"""A child that has not stopped this long after it was asked to stops at once."""


@contextmanager
def tied_to_parent(on_byte: Callable[[], None]) -> Iterator[threading.Event]:
    """In the block, call *on_byte* for each byte the parent writes, and stop this process when the parent is gone.

    The event is set when it is.
    """
    gone = threading.Event()
    signal.signal(signal.SIGTERM, lambda signum, _: sys.exit(128 + signum))
    threading.Thread(target=_watch, args=(on_byte, gone), name="tether", daemon=True).start()
    yield gone


def _watch(on_byte: Callable[[], None], gone: threading.Event) -> None:
    # The descriptor itself, not sys.stdin: a buffered reader's lock would be held when the interpreter ends.
    with os.fdopen(os.dup(sys.stdin.fileno()), "rb", buffering=0) as orders:
        while orders.read(1):
            on_byte()
    gone.set()
    end = threading.Timer(GRACE_S, os._exit, (1,))
    end.daemon = True
    end.start()
    os.kill(os.getpid(), signal.SIGTERM)
