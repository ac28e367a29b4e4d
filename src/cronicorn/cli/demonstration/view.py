"""What the demonstration shows: plain lines anywhere, a live picture in a terminal."""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Protocol

from rich.console import Console
from rich.live import Live
from rich.text import Text

from cronicorn.cli.demonstration.board import Board, Call, Happening, Row
from cronicorn.cli.demonstration.lines import hanging, happening_text, moment, plan_sentence, run_sentence
from cronicorn.cli.demonstration.picture import picture

_KEPT = 60
_UNBROKEN = 1_000


class View(Protocol):
    """Shows the demonstration."""

    def note(self, board: Board, happening: Happening) -> None:
        """Tell a turn of the story."""
        ...

    def ran(self, board: Board, call: Call) -> None:
        """Tell of a finished run."""
        ...

    def planned(self, board: Board, row: Row) -> None:
        """Tell when an endpoint comes next, and why."""
        ...

    def refresh(self, board: Board) -> None:
        """Show how things stand."""
        ...


@contextmanager
def opened_view(console: Console, now: Callable[[], datetime], *, live: bool) -> Iterator[View]:
    """A view on *console* that leaves it as it was."""
    if not live:
        yield PlainView(console)
        return
    with Live(console=console, vertical_overflow="crop", auto_refresh=False) as screen:
        yield LiveView(console, screen, now)


class PlainView:
    """One line for everything that happens; a terminal's width breaks it between words."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._width = console.width if console.is_terminal else _UNBROKEN
        self._reasons: dict[str, str] = {}

    def note(self, board: Board, happening: Happening) -> None:
        """Print the turn of the story so that it stands out."""
        self._print(happening.at_s, Text("====      "), happening_text(happening))

    def ran(self, board: Board, call: Call) -> None:
        """Print the run."""
        self._print(call.began_s, *run_sentence(call))

    def planned(self, board: Board, row: Row) -> None:
        """Print the plan, with its reason when that is another than before."""
        new = self._reasons.get(row.name) != row.next.reason
        self._reasons[row.name] = row.next.reason
        self._print(row.next.planned_s, *plan_sentence(board, row, why=new))

    def refresh(self, board: Board) -> None:
        """Nothing: lines say it all."""

    def _print(self, at_s: float, head: Text, body: Text) -> None:
        for line in hanging(moment(at_s).append_text(head), body, self._console, self._width):
            self._console.print(line, soft_wrap=True, highlight=False)


class LiveView:
    """The newest turns of the story, the endpoints and the last runs, each in a block of its own."""

    def __init__(self, console: Console, screen: Live, now: Callable[[], datetime]) -> None:
        self._console = console
        self._live = screen
        self._now = now
        self._happenings: deque[Happening] = deque(maxlen=_KEPT)
        self._calls: deque[Call] = deque(maxlen=_KEPT)

    def note(self, board: Board, happening: Happening) -> None:
        """Add the turn to the story."""
        self._happenings.append(happening)

    def ran(self, board: Board, call: Call) -> None:
        """Add the run to the last ones."""
        self._calls.append(call)

    def planned(self, board: Board, row: Row) -> None:
        """Nothing: the endpoint's own line shows it."""

    def refresh(self, board: Board) -> None:
        """Draw the picture anew."""
        drawn = picture(board, list(self._happenings), list(self._calls), self._console, self._now())
        self._live.update(drawn, refresh=True)
