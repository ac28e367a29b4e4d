"""The live picture: the story's line of time, its turns, the endpoints and the last runs, in the room there is."""

from collections.abc import Sequence
from datetime import datetime

from rich.console import Console
from rich.text import Text

from cronicorn.cli.demonstration.board import Board, Call, Happening, Row
from cronicorn.cli.demonstration.lines import (
    PHASE_STYLES,
    STEERED,
    hanging,
    happening_text,
    moment,
    run_headings,
    run_line,
)
from cronicorn.cli.demonstration.story import Phase, Story

_LINES_MIN = 2
_AIRY_HEIGHT = 28
_GAP = 2
_SOURCE_WIDTH = 17
_NUMBERS_WIDTH = 25
_REASON_WIDTH = 56
"""Room for the longest reason on the line of its endpoint; with less it gets a line of its own."""


def picture(
    board: Board, happenings: Sequence[Happening], calls: Sequence[Call], console: Console, now: datetime
) -> Text:
    """Everything, in at most as many lines as *console* has."""
    width, height = console.size
    air = [Text()] if height >= _AIRY_HEIGHT else []
    endpoints = endpoint_lines(board, console, now)
    top = [time_line(board, width), *air, Text("What happened", style="bold underline")]
    middle = [*air, *endpoints, *air, run_headings(width)]
    free = max(2 * _LINES_MIN, height - 1 - len(top) - len(middle))
    story = _newest(happenings, console, (free + 1) // 2)
    runs = [run_line(call, width) for call in calls[-(free - len(story)) :]]
    return Text("\n", no_wrap=True, overflow="ellipsis").join([*top, *story, *middle, *runs])


def time_line(board: Board, width: int) -> Text:
    """The phases, the one that lasts marked, and how far the story is."""
    line = _phases(board, starts=True)
    return line if line.cell_len <= width else _phases(board, starts=False)


def _phases(board: Board, *, starts: bool) -> Text:
    line = Text()
    for phase in Phase:
        style = f"reverse {PHASE_STYLES[phase]}" if phase == board.phase else PHASE_STYLES[phase]
        line.append(f" {phase.value} ", style=style)
        line.append(f" {Story(board.seconds).starts_at(phase):.1f}  " if starts else " ", style="dim")
    return line.append(f"{board.elapsed:.1f} of {board.seconds:.1f} s", style="bold")


def endpoint_lines(board: Board, console: Console, now: datetime) -> list[Text]:
    """Each endpoint with its next instant and why; what steers it is on a line of its own when there is no room."""
    schedule = _GAP + max((len(row.schedule) for row in board.rows.values()), default=0)
    full = 12 + schedule + _NUMBERS_WIDTH + _SOURCE_WIDTH
    if full > console.width:
        schedule = 0
    inline = full + _GAP + _REASON_WIDTH <= console.width
    lines = [_headings(schedule, inline=inline)]
    for row in board.rows.values():
        line = _endpoint_line(row, now, schedule)
        if inline:
            line.append(" " * (_GAP + _SOURCE_WIDTH - len(row.next.source))).append_text(_reason(row))
        lines.append(line)
        if not inline and not row.next.source.startswith(("baseline", "dormant")):
            lines += hanging(Text("  > ", style=STEERED), _reason(row), console, console.width)
    return lines


def _headings(schedule: int, *, inline: bool) -> Text:
    planned = f"{'schedule':<{schedule}}" if schedule else ""
    why = f"{'decided by':<{_SOURCE_WIDTH}}  why" if inline else "decided by"
    return Text(f"{'endpoint':<12}{planned}{'runs':>4}{'last gap':>10}{'next in':>9}  {why}", style="dim")


def _endpoint_line(row: Row, now: datetime, schedule: int) -> Text:
    failed = bool(row.calls) and not row.calls[-1].ok
    style = STEERED if row.next.steer else ""
    gap = row.calls[-1].gap_s if row.calls else None
    line = Text().append(f"{row.name:<12}", style="bold red" if failed else "bold")
    if schedule:
        line.append(f"{row.schedule:<{schedule}}", style="dim" if row.next.steer else "")
    line.append(f"{len(row.calls):>4}{'-' if gap is None else f'{gap:.1f} s':>10}")
    return line.append(f"{_wait(row.next.at, now):>9}  {row.next.source}", style=style)


def _reason(row: Row) -> Text:
    pace = f"{row.next.pace}: " if row.next.pace else ""
    return Text(f"{pace}{row.next.reason}", style=STEERED if row.next.steer else "")


def _newest(happenings: Sequence[Happening], console: Console, room: int) -> list[Text]:
    """The newest turns of the story that fit into *room* lines, whole."""
    lines: list[Text] = []
    for happening in reversed(happenings):
        told = hanging(moment(happening.at_s), happening_text(happening), console, console.width)
        if lines and len(lines) + len(told) > room:
            break
        lines = told + lines
    return lines


def _wait(at: datetime | None, now: datetime) -> str:
    if at is None:
        return "-"
    wait = (at - now).total_seconds()
    return f"{wait:.1f} s" if wait > 0 else "now"
