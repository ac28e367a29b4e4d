"""The standard streams, also where somebody has closed them, or where they can take no more."""

import os
import sys
from errno import EDQUOT, EFBIG, EIO, ENOSPC

NO_ROOM = frozenset({EDQUOT, EFBIG, EIO, ENOSPC})
"""What writing to a stream of which the other end can take no more says, while no file is named."""
_UNAVAILABLE = 7


def open_closed_streams() -> None:
    """Have nothing in the place of each stream that is closed: the next file would get its number, and be written to.

    Python knows such streams as None, which nobody can ask whether it is a terminal.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115 - until the end


def written(code: int) -> int:
    """*code*, or another one where what a command said can't be written: 1 where nobody reads, else 7."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _say_nothing_more()
        return 1
    except OSError as error:
        return unwritten(error)
    return code


def unwritten(error: OSError) -> int:
    """Tell that *error* kept what a command did from being said, and how it ends then."""
    from cronicorn.cli.local import tell

    _say_nothing_more()
    tell(f"What this command says can't be written: {error.strerror}. Whatever it changed is changed.")
    return _UNAVAILABLE


def _say_nothing_more() -> None:
    """Let what is left to be written go nowhere: Python tries once more at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
