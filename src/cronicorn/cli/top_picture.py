"""What `cronicorn top` shows: what goes on, as much of it as fits."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from cronicorn.cli.showing import cell, harmless
from cronicorn.cli.top_sight import Sight
from cronicorn.domain.wording import distance, length

_STYLES = {"success": "green", "failed": "red"}
_LINES_OF_A_TABLE = 2
"""Its heading, and what keeps it apart."""
_LEAST = 3


class _Fitting:
    """Parts below one another, each cut so that all of them fit into a screen; uncut where there is none."""

    def __init__(self, head: RenderableType, parts: Sequence[tuple[str, Sequence[str], list[Sequence[Text]]]]) -> None:
        self._head = head
        self._parts = parts

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield self._head
        parts = [part for part in self._parts if part[2]]
        room = None
        if options.height is not None:
            room = max(_LEAST * len(parts), options.height - 2 - _LINES_OF_A_TABLE * len(parts))
        for place, (title, headings, rows) in enumerate(parts):
            share = len(rows) if room is None else max(_LEAST, room // (len(parts) - place))
            shown = rows[:share]
            room = None if room is None else room - len(shown)
            yield Text()
            yield _table(title, headings, shown, more=len(rows) - len(shown))


def picture(where: str, sight: Sight) -> RenderableType:
    """*sight* of the place that people call *where*."""
    now = datetime.fromisoformat(sight.now)
    names = {each["endpointId"]: f"{each['jobName']}/{each['name']}" for each in sight.next}
    parts = [
        ("incidents", ("KIND", "SINCE", "ENDPOINT", ""), [_incident(each, now, names) for each in sight.incidents]),
        ("called now", ("ENDPOINT", "FOR", "SLOT", "WORKER"), list(_calls(sight.workers, now))),
        ("next", ("ENDPOINT", "NEXT", "CALLS WITHIN 1 H"), [_next(each, now) for each in sight.next]),
        (
            "ended last",
            ("ENDPOINT", "STATUS", "BEGAN", "TOOK", "SOURCE"),
            [_ended(each, now, names) for each in sight.ended],
        ),
    ]
    return _Fitting(_head(where, sight), parts)


def waiting(where: str, sight: Sight, why: str) -> RenderableType:
    """*sight* of some time ago, because there is no newer one."""
    return Group(Text(harmless(f"Waiting: {why}"), style="bold yellow"), picture(where, sight))


def _head(where: str, sight: Sight) -> Text:
    alive = sum(each["alive"] for each in sight.workers)
    recent = sight.recent
    return Text.assemble(
        ("cronicorn", "bold"), f"  {where}  {sight.now[:19]}Z  ",
        (f"{_counted(alive, 'worker')} alive", "" if alive else "bold red"), "  ",
        (_counted(len(sight.incidents), "incident"), "bold red" if sight.incidents else ""),
        f"  24 h: {recent['success24h']} ok, ",
        (f"{recent['failure24h']} failed", "red" if recent["failure24h"] else ""),
    )  # fmt: skip


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _table(title: str, headings: Sequence[str], rows: Iterable[Sequence[Text]], *, more: int) -> Table:
    table = Table(box=None, pad_edge=False, show_header=True, header_style="bold", expand=False)
    first, *others = headings
    table.add_column(
        f"{title.upper()}  {first}" + (f" (and {more} more)" if more else ""), overflow="ellipsis", no_wrap=True
    )
    for heading in others:
        table.add_column(heading, no_wrap=True, overflow="ellipsis")
    for row in rows:
        table.add_row(*row)
    return table


def _incident(each: Mapping[str, Any], now: datetime, names: Mapping[str, str]) -> Sequence[Text]:
    endpoint = each.get("endpointId") or ""
    opened = datetime.fromisoformat(each["openedAt"])
    return (
        Text(each["kind"], style="red"), Text(distance(opened, now)), Text(cell(names.get(endpoint, endpoint))),
        Text(cell(each["summary"])),
    )  # fmt: skip


def _calls(workers: Iterable[Mapping[str, Any]], now: datetime) -> Iterable[Sequence[Text]]:
    for worker in workers:
        for lease in worker["leases"]:
            since = length(max(now - datetime.fromisoformat(lease["claimedAt"]), timedelta()))
            yield (
                Text(cell(lease["endpoint"])), Text(since, style="red" if lease["expired"] else ""),
                Text(str(lease["slot"])), Text(cell(worker["name"]), style="dim"),
            )  # fmt: skip


def _next(each: Mapping[str, Any], now: datetime) -> Sequence[Text]:
    at = datetime.fromisoformat(each["firstAt"])
    return Text(cell(f"{each['jobName']}/{each['name']}")), Text(distance(at, now)), Text(str(each["count"]))


def _ended(each: Mapping[str, Any], now: datetime, names: Mapping[str, str]) -> Sequence[Text]:
    status = each.get("status", "")
    took = length(timedelta(milliseconds=each["durationMs"])) if "durationMs" in each else ""
    name = names.get(each["endpointId"], each["endpointName"])
    began = distance(datetime.fromisoformat(each["timestamp"]), now)
    return (
        Text(cell(name)), Text(status, style=_STYLES.get(status, "yellow")), Text(began), Text(took),
        Text(each.get("source", ""), style="dim"),
    )  # fmt: skip
