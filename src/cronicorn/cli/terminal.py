"""Writing for people: colours only on a terminal that wants them, lines never cut."""

import sys

from rich.console import Console

_UNBOUNDED = 10_000


def console() -> Console:
    """A console on stdout. It follows NO_COLOR, and leaves text as it is where nobody looks."""
    width = None if sys.stdout.isatty() else _UNBOUNDED
    return Console(highlight=False, markup=False, emoji=False, width=width)
