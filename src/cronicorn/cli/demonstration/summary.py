"""What the demonstration came to, in a page."""

from collections import Counter

from rich.console import Console

from cronicorn.cli.demonstration.board import Board


def show_summary(board: Board, console: Console) -> None:
    """Print the summary of *board*."""
    median, longest = board.lateness()
    told = (
        "",
        f"{len(board.calls)} runs of {len(board.rows)} endpoints in {board.elapsed:.0f} s.",
        f"Lateness: median {median:.1f} ms, longest {longest:.1f} ms.",
        f"Overdue slots: {board.overdue_max}.",
    )
    sections = {
        "Runs of each endpoint, and what decided when:": _runs(board),
        "Hints that steered:": _steering(board),
        "Instants that did not run, and why:": _skips(board),
    }
    lines = [*told, *(line for title, found in sections.items() for line in ("", title, *(found or ["    0"])))]
    for line in lines:
        console.print(line, soft_wrap=True, highlight=False, markup=False)


def _runs(board: Board) -> list[str]:
    lines = []
    for row in board.rows.values():
        failed = sum(not call.ok for call in row.calls)
        sources = _counted(Counter(call.source for call in row.calls))
        lines.append(f"{len(row.calls):>5} {row.name:<11}{failed:>3} failed   {sources}")
    return [*lines, f"{len(board.calls):>5} in all{'':<18}{_counted(board.sources)}"]


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.most_common())


def _steering(board: Board) -> list[str]:
    return [
        f"{count:>5} {'run' if count == 1 else 'runs'} of {name}, by a {author}: {reason}"
        for (name, author, reason), count in board.steered.most_common()
    ]


def _skips(board: Board) -> list[str]:
    counts: Counter[tuple[str, str, str]] = Counter()
    for skip in board.skips:
        counts[skip.endpoint, skip.state, skip.reason] += skip.count
    return [f"{count:>5} of {name}: {state} ({reason})" for (name, state, reason), count in counts.most_common()]
