"""What `cronicorn top` looks at: a few questions, however many endpoints there are."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from cronicorn.cli.instants import written
from cronicorn.cli.interface import Interface

_AHEAD = timedelta(hours=1)
_ENDED_SHOWN, _INCIDENTS_SHOWN = 50, 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What was seen at `now`, by the store's clock."""

    now: str
    workers: Sequence[Mapping[str, Any]]
    incidents: Sequence[Mapping[str, Any]]
    """Those that go on, newest first."""
    next: Sequence[Mapping[str, Any]]
    """What endpoints call within the hour, the earliest first."""
    ended: Sequence[Mapping[str, Any]]
    """The runs that began last, newest first."""
    recent: Mapping[str, int]
    """Runs of this hour and the 23 before."""

    def document(self) -> dict[str, object]:
        """All of it, for programs."""
        return asdict(self)


async def look(there: Interface) -> Sight:
    """See what goes on. Raises UnavailableError, and ForbiddenError for who may not see it."""
    workers = await there.get("/workers")
    incidents = await there.get("/incidents", open=True, limit=_INCIDENTS_SHOWN)
    now = datetime.fromisoformat(workers["now"])
    calendar = await there.get("/calendar", **{"from": written(now), "to": written(now + _AHEAD), "parts": 1})
    activity = await there.get("/dashboard/activity", eventType="runs", limit=_ENDED_SHOWN)
    stats = await there.get("/dashboard/stats", endpointLimit=1)
    return Sight(
        now=workers["now"], workers=workers["workers"], incidents=incidents["incidents"], next=calendar["endpoints"],
        ended=activity["events"], recent=stats["recentActivity"],
    )  # fmt: skip
