"""What the demonstration shows: plain lines anywhere, a live picture in a terminal."""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Protocol

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from cronicorn.cli.demonstration.board import Board, Call, Row
from cronicorn.cli.demonstration.story import Phase, Story

_LINES_KEPT = 40
_LINES_MIN = 4
_FRAME_LINES = 8
"""Lines of the live picture that are neither endpoints nor happenings."""
_STYLES = {Phase.CALM: "green", Phase.FLASH_SALE: "yellow", Phase.FAILING: "red", Phase.RECOVERED: "cyan"}


class View(Protocol):
    """Shows the demonstration."""

    def note(self, board: Board, text: str) -> None:
        """Tell what the shop or a person does."""
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
    """One line for everything that happens."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def note(self, board: Board, text: str) -> None:
        """Print *text*."""
        self._print(board, Text(f"----  {text}"))

    def ran(self, board: Board, call: Call) -> None:
        """Print the run."""
        self._print(board, run_line(call))

    def planned(self, board: Board, row: Row) -> None:
        """Print the plan."""
        self._print(board, plan_line(row))

    def refresh(self, board: Board) -> None:
        """Nothing: lines say it all."""

    def _print(self, board: Board, line: Text) -> None:
        self._console.print(Text(f"{board.elapsed:6.1f} s  ").append_text(line), soft_wrap=True, highlight=False)


class LiveView:
    """The story's line of time, a table of the endpoints, and the last happenings."""

    def __init__(self, console: Console, screen: Live, now: Callable[[], datetime]) -> None:
        self._console = console
        self._live = screen
        self._now = now
        self._lines: deque[Text] = deque(maxlen=_LINES_KEPT)

    def note(self, board: Board, text: str) -> None:
        """Add *text* to the happenings."""
        self._add(board, Text(text, style="bold magenta"))

    def ran(self, board: Board, call: Call) -> None:
        """Add the run to the happenings."""
        self._add(board, run_line(call))

    def planned(self, board: Board, row: Row) -> None:
        """Nothing: the table shows it."""

    def refresh(self, board: Board) -> None:
        """Draw the picture anew."""
        self._live.update(self._picture(board), refresh=True)

    def _add(self, board: Board, line: Text) -> None:
        self._lines.append(Text().append(f"{board.elapsed:6.1f} s  ", style="dim").append_text(line))

    def _picture(self, board: Board) -> Group:
        room = max(_LINES_MIN, self._console.size.height - len(board.rows) - _FRAME_LINES)
        happenings = Text("\n", no_wrap=True, overflow="ellipsis").join(list(self._lines)[-room:])
        return Group(_time_line(board), endpoint_table(board, self._now()), happenings)


def run_line(call: Call) -> Text:
    """One run: which endpoint, what came back, why it ran then, and how late it began."""
    line = Text()
    line.append(f"ran   {call.endpoint:<11}", style="bold")
    line.append(f"{call.answer:<10}", style="green" if call.ok else "red")
    attempt = f"  attempt {call.attempt}" if call.attempt > 1 else ""
    line.append(f"{call.duration_ms:7.1f} ms  {call.source:<18}{call.late_ms:6.1f} ms late{attempt}")
    return line


def plan_line(row: Row) -> Text:
    """When an endpoint comes next, and why then."""
    steer = f" ({row.next.steer})" if row.next.steer else ""
    return Text(f"next  {row.name:<11}{_clock(row.next.at):<15}{row.next.source:<18}{row.next.why}{steer}")


def endpoint_table(board: Board, now: datetime) -> Table:
    """Each endpoint with its next instant and why."""
    table = Table(box=None, pad_edge=False, expand=True, header_style="dim")
    for name in ("endpoint", "schedule", "runs", "next in", "source", "why"):
        right = name in {"runs", "next in"}
        table.add_column(name, justify="right" if right else "left", no_wrap=True, ratio=1 if name == "why" else None)
    for row in board.rows.values():
        last = row.calls[-1] if row.calls else None
        style = "" if last is None or last.ok else "red"
        table.add_row(
            Text(row.name, style=style), row.schedule, str(len(row.calls)), _wait(row.next.at, now), row.next.source,
            row.next.steer or row.next.why,
        )  # fmt: skip
    return table


def _time_line(board: Board) -> Text:
    story = Story(board.seconds)
    line = Text("\n", no_wrap=True)
    for phase in Phase:
        style = f"reverse {_STYLES[phase]}" if phase == board.phase else _STYLES[phase]
        line.append(f" {phase.value} ", style=style).append(f" {story.starts_at(phase):.0f} s  ", style="dim")
    return line.append(f" {board.elapsed:.0f} of {board.seconds:.0f} s\n", style="bold")


def _clock(at: datetime | None) -> str:
    return f"{at:%H:%M:%S}.{at.microsecond // 1_000:03d}Z" if at is not None else "not planned"


def _wait(at: datetime | None, now: datetime) -> str:
    if at is None:
        return "-"
    wait = (at - now).total_seconds()
    return f"{wait:.1f} s" if wait > 0 else "now"
