"""Writing for people: colours only on a terminal that wants them, lines never cut, nothing that a terminal obeys."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from rich.console import Console, ConsoleOptions, RenderableType
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.segment import Segment

_UNBOUNDED = 10_000


class HarmlessConsole(Console):
    """Shows a sign in the place of each character of a text, whoever wrote that, which a terminal would obey."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """The segments of *renderable*; those that say what the terminal is to do are this program's own."""
        for segment in super().render(renderable, options):
            if segment.control or segment.text.isprintable():
                yield segment
            else:
                text = "".join(each if each.isprintable() or each == "\n" else "�" for each in segment.text)
                yield Segment(text, segment.style)


def console() -> Console:
    """A console on stdout. It follows NO_COLOR, and leaves text as it is where nobody looks."""
    width = None if sys.stdout.isatty() else _UNBOUNDED
    return HarmlessConsole(highlight=False, markup=False, emoji=False, width=width)


@contextmanager
def working(what: str) -> Iterator[None]:
    """Show on stderr that *what* goes on and for how long, if a person looks there."""
    console = Console(stderr=True)
    parts = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*parts, console=console, disable=not console.is_terminal, transient=True) as progress:
        progress.add_task(what, total=None)
        yield
