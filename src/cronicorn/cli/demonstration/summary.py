"""What the demonstration came to, in a page."""

from collections import Counter, defaultdict

from rich.console import Console
from rich.text import Text

from cronicorn.cli.demonstration.board import Board, Call, Steer
from cronicorn.cli.demonstration.lines import hanging

_Line = tuple[str, str]
"""The part that stands alone, and the one that may wrap beside it."""


def show_summary(board: Board, console: Console) -> None:
    """Print the summary of *board*, broken between words where *console* is narrow."""
    median, longest = board.lateness()
    failed = sum(not call.ok for call in board.calls)
    told = (
        f"{len(board.calls)} runs of {len(board.rows)} endpoints in {board.elapsed:.1f} s; {failed} attempts failed.",
        f"Lateness: median {median:.0f} ms, longest {longest:.0f} ms. Overdue slots: {board.overdue_max}.",
    )
    sections = {
        "Runs of each endpoint, and what decided when:": _runs(board),
        "Hints that steered:": _steering(board),
        "Instants that did not run, and why:": _skips(board),
    }
    lines: list[_Line] = [("", line) for line in ("", *told)]
    for title, found in sections.items():
        lines += [("", ""), ("", title), *(found or [("  ", "none")])]
    for head, body in lines:
        for line in hanging(Text(head), Text(body), console, console.width):
            console.print(line, soft_wrap=True, highlight=False, markup=False)


def _runs(board: Board) -> list[_Line]:
    return [
        (f"  {row.name:<11}{len(row.calls):>4}  ", f"{_failures(row.calls)}{_sources(row.calls)}")
        for row in board.rows.values()
    ]


def _failures(calls: list[Call]) -> str:
    failed = sum(not call.ok for call in calls)
    return f"{failed} failed attempt{'' if failed == 1 else 's'}; " if failed else ""


def _sources(calls: list[Call]) -> str:
    return ", ".join(f"{name} {count}" for name, count in Counter(call.source for call in calls).most_common())


def _steering(board: Board) -> list[_Line]:
    steered: dict[tuple[str, Steer], list[float]] = defaultdict(list)
    for call in board.calls:
        if call.steer is not None:
            steered[call.endpoint, call.steer].append(call.began_s)
    return [
        (f"{len(at):>5} ", f"{'run' if len(at) == 1 else 'runs'} of {name} ({_span(at)}), by {steer}")
        for (name, steer), at in steered.items()
    ]


def _span(at: list[float]) -> str:
    return f"at {at[0]:.1f} s" if len(at) == 1 else f"{at[0]:.1f} to {at[-1]:.1f} s"


def _skips(board: Board) -> list[_Line]:
    counts: Counter[tuple[str, str, str]] = Counter()
    for skip in board.skips:
        counts[skip.endpoint, skip.state, skip.reason] += skip.count
    return [(f"{count:>5} ", f"of {name}: {state} ({reason})") for (name, state, reason), count in counts.most_common()]
