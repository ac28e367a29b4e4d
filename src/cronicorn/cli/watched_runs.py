"""The runs of one endpoint or all: the latest ones, then whatever is newer than what was seen."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile

from cronicorn.cli.endpoint_names import NamedEndpoint, all_endpoints, find_endpoint
from cronicorn.control.plane import ControlPlane
from cronicorn.domain.history import RunQuery
from cronicorn.domain.instant import FIRST_INSTANT
from cronicorn.domain.principal import Principal
from cronicorn.domain.run import Run
from cronicorn.domain.slot import Skip

_PAGE = 100


@dataclass(frozen=True, slots=True)
class NamedRun:
    """A run and what its endpoint is called."""

    name: str
    run: Run


@dataclass(frozen=True, slots=True)
class _Mark:
    """How far the runs of one endpoint have been seen."""

    started_at: datetime
    id: str = ""

    def passed_by(self, run: Run) -> bool:
        return run.started_at >= self.started_at and run.id != self.id


class WatchedRuns:
    """Remembers for each endpoint what was seen: its runs never overlap, those of several may end in any order."""

    def __init__(self, control: ControlPlane, principal: Principal, endpoint: str | None, now: datetime) -> None:
        self._control = control
        self._principal = principal
        self._endpoint = endpoint
        self._begun = _Mark(now)
        """Of endpoints that turn up later only what runs from now on is new."""
        self._marks: dict[str, _Mark] = {}

    async def latest(self, limit: int) -> Sequence[NamedRun]:
        """The newest *limit* runs, oldest first. What is older counts as seen. Raises NotFoundError, ConflictError."""
        found: list[NamedRun] = []
        for named in await self._endpoints():
            page = await self._page(named, limit, 0)
            self._marks[named.endpoint.id] = _newest(page, _Mark(FIRST_INSTANT))
            found += [NamedRun(named.name, each) for each in page]
        return _in_order(found)[-limit:]

    async def newest_skip(self) -> Skip | None:
        """The newest slot that made no call, if one endpoint is watched and has any. Raises as `latest` does."""
        if self._endpoint is None:
            return None
        (named,) = await self._endpoints()
        skips = (await self._control.runs.skips(self._principal, named.endpoint.id, 1)).skips
        return skips[0] if skips else None

    async def newer(self) -> Sequence[NamedRun]:
        """All runs that were not seen yet, oldest first. Raises NotFoundError, ConflictError."""
        found: list[NamedRun] = []
        for named in await self._endpoints():
            mark = self._marks.get(named.endpoint.id, self._begun)
            new = await self._beyond(named, mark)
            self._marks[named.endpoint.id] = _newest(new, mark)
            found += [NamedRun(named.name, each) for each in new]
        return _in_order(found)

    async def _beyond(self, named: NamedEndpoint, mark: _Mark) -> Sequence[Run]:
        """The runs of an endpoint after *mark*, newest first."""
        found: dict[str, Run] = {}  # A run that begins between two pages moves the others: some come twice.
        for offset in range(0, 2**31, _PAGE):
            page = await self._page(named, _PAGE, offset)
            new = list(takewhile(mark.passed_by, page))
            found |= {each.id: each for each in new}
            if len(new) < _PAGE:
                break
        return list(found.values())

    async def _page(self, named: NamedEndpoint, limit: int, offset: int) -> Sequence[Run]:
        query = RunQuery(limit=limit, offset=offset)
        return (await self._control.runs.list(self._principal, named.endpoint.id, query)).runs

    async def _endpoints(self) -> Sequence[NamedEndpoint]:
        if self._endpoint is None:
            return await all_endpoints(self._control, self._principal)
        return [await find_endpoint(self._control, self._principal, self._endpoint)]


def _newest(found: Sequence[Run], otherwise: _Mark) -> _Mark:
    return _Mark(found[0].started_at, found[0].id) if found else otherwise


def _in_order(found: Iterable[NamedRun]) -> list[NamedRun]:
    return sorted(found, key=lambda each: (each.run.finished_at, each.run.id))
