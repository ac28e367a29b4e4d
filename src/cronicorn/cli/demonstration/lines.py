"""The demonstration in lines of text: a run, a plan, a turn of the story, and lines that wrap with an indent."""

from collections.abc import Mapping
from datetime import datetime

from rich.console import Console
from rich.text import Text

from cronicorn.cli.demonstration.board import Board, Call, Happening, Row, Voice
from cronicorn.cli.demonstration.story import Phase

STEERED = "bold magenta"
PHASE_STYLES: Mapping[str, str] = {
    Phase.CALM: "green", Phase.FLASH_SALE: "yellow", Phase.FAILING: "red", Phase.RECOVERED: "cyan",
}  # fmt: skip
_VOICE_STYLES: Mapping[Voice, str] = {Voice.PERSON: STEERED, Voice.PLANNER: "magenta"}
_NARROWEST = 20
_ROOM_FOR_MILLISECONDS = 72


def hanging(head: Text, body: Text, console: Console, width: int) -> list[Text]:
    """*head* and *body* in lines of *width* that break between words; the later ones begin where *body* does."""
    room = max(_NARROWEST, width - head.cell_len)
    first, *others = list(body.wrap(console, room)) or [Text()]
    for line in (first, *others):
        line.rstrip()
    return [Text().append_text(head).append_text(first), *(Text(" " * head.cell_len).append_text(o) for o in others)]


def moment(seconds: float) -> Text:
    """Seconds of the story, the way every line begins."""
    return Text().append(f"{seconds:6.1f} s  ", style="dim")


def happening_text(happening: Happening) -> Text:
    """A turn of the story, in the colour of whose doing it is."""
    by_shop = happening.voice is Voice.SHOP
    return Text(
        happening.text, style=f"bold {PHASE_STYLES[happening.phase]}" if by_shop else _VOICE_STYLES[happening.voice]
    )


def run_headings(width: int) -> Text:
    """What the columns of `run_line` mean."""
    took = f"{'took':>6}{'late':>7}" if width >= _ROOM_FOR_MILLISECONDS else ""
    return Text(f"{'at':>8}  {'endpoint':<10}  {'answer':<8}{'gap':>7}{took}  decided by", style="dim")


def run_line(call: Call, width: int) -> Text:
    """One run in columns: when, what came back, how long after the last one, and what decided when."""
    line = moment(call.began_s).append(f"{call.endpoint:<10}  ", style="bold")
    line.append_text(verdict(call)).append(" " * (8 - len(verdict(call))))
    line.append(f"{_gap(call):>7}", style=STEERED if call.steer else "")
    if width >= _ROOM_FOR_MILLISECONDS:
        line.append(f"{call.duration_ms:>3.0f} ms{call.late_ms:>4.0f} ms")
    line.append("  ").append_text(_decided(call, width - line.cell_len - 2))
    line.truncate(width, overflow="ellipsis")
    return line


def run_sentence(call: Call) -> tuple[Text, Text]:
    """One run where columns have no headings: its head, and what is to be said of it."""
    head = Text().append_text(verdict(call)).append(f"{'':<{9 - len(verdict(call))}} {call.endpoint:<11}", style="bold")
    gap = "first run" if call.gap_s is None else f"after {_gap(call)}"
    body = Text(f"{gap}, took {call.duration_ms:.0f} ms, {call.late_ms:.0f} ms late, ")
    return head, body.append_text(_decided(call, 1_000))


def plan_sentence(board: Board, row: Row, *, why: bool) -> tuple[Text, Text]:
    """When an endpoint comes next, and if asked why then: the head and the rest."""
    head = Text(f"next      {row.name:<11}", style="dim")
    style = STEERED if row.next.steer else "dim"
    wait = "" if row.next.at is None else f"at {board.story_seconds(row.next.at):.1f} s, "
    reason = f"  {row.next.why}{f' ({row.next.steer})' if row.next.steer else ''}" if why else ""
    return head, Text(f"{wait}{_clock(row.next.at)}  {row.next.source}{reason}", style=style)


def verdict(call: Call) -> Text:
    """Whether the call did what it should, and with which status."""
    return Text("ok ", style="green").append(call.answer) if call.ok else Text(f"FAIL {call.answer}", style="bold red")


def _decided(call: Call, room: int) -> Text:
    """What decided when the call ran; who steered and why as far as there is room."""
    decided = call.source if call.attempt == 1 else f"{call.source}, attempt {call.attempt}"
    if call.steer is None:
        return Text(decided)
    said = (f"{decided} ({call.steer})", f"{decided} ({call.steer.who})", decided)
    return Text(next((text for text in said if len(text) <= room), decided), style=STEERED)


def _gap(call: Call) -> str:
    return "-" if call.gap_s is None else f"{call.gap_s:.1f} s"


def _clock(at: datetime | None) -> str:
    return f"{at:%H:%M:%S}.{at.microsecond // 1_000:03d}Z" if at is not None else "not planned"
