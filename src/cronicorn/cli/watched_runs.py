"""The runs of one endpoint or all: the latest ones, then whatever is newer than what was seen."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from typing import Any

from cronicorn.cli.finding import FoundEndpoint, endpoints_of, find_endpoint, find_job, jobs_of
from cronicorn.cli.instants import written
from cronicorn.cli.interface import Interface
from cronicorn.domain.instant import FIRST_INSTANT

_PAGE = 100
_ALWAYS_ASKED_MAX = 20
"""Of more endpoints only those are asked about whose last run is another one."""


@dataclass(frozen=True, slots=True)
class NamedRun:
    """A run as it is listed, and what its endpoint is called."""

    name: str
    run: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Mark:
    """How far the runs of one endpoint have been seen."""

    started_at: str
    id: str = ""

    def passed_by(self, run: Mapping[str, Any]) -> bool:
        # Instants are written all alike, so the later one is also the greater text.
        return bool(run["startedAt"] >= self.started_at and run["runId"] != self.id)


class WatchedRuns:
    """Remembers for each endpoint what was seen: its runs never overlap, those of several may end in any order."""

    def __init__(self, there: Interface, endpoint: str | None, now: datetime, *, job: str | None = None) -> None:
        """Of one *endpoint*, of those of a *job*, or of all."""
        self._there = there
        self._endpoint = endpoint
        self._job = job
        self._begun = _Mark(written(now))
        """Of endpoints that turn up later only what runs from now on is new."""
        self._marks: dict[str, _Mark] = {}
        self._last_run_at: dict[str, str | None] = {}

    async def latest(self, limit: int) -> Sequence[NamedRun]:
        """The newest *limit* runs, oldest first. What is older counts as seen. Raises NotFoundError, ConflictError."""
        found: list[NamedRun] = []
        for each in await self._endpoints():
            page = await self._page(each, limit, 0)
            self._marks[each.id] = _newest(page, _Mark(written(FIRST_INSTANT)))
            self._last_run_at[each.id] = each.document.get("lastRunAt")
            found += [NamedRun(each.name, run) for run in page]
        return _in_order(found)[-limit:]

    async def newest_skip(self) -> Mapping[str, Any] | None:
        """The newest slot that made no call, if one endpoint is watched and has any. Raises as `latest` does."""
        if self._endpoint is None:
            return None
        (watched,) = await self._endpoints()
        skips = (await self._there.get(f"/endpoints/{watched.id}/skips", limit=1))["skips"]
        return skips[0] if skips else None

    async def newer(self) -> Sequence[NamedRun]:
        """All runs that were not seen yet, oldest first. Raises NotFoundError, ConflictError.

        Of very many endpoints a test call is seen only with the next run.
        """
        found: list[NamedRun] = []
        endpoints = await self._endpoints()
        for each in endpoints:
            last_run_at = each.document.get("lastRunAt")
            if len(endpoints) > _ALWAYS_ASKED_MAX and self._last_run_at.get(each.id) == last_run_at:
                continue
            mark = self._marks.get(each.id, self._begun)
            new = await self._beyond(each, mark)
            self._marks[each.id] = _newest(new, mark)
            self._last_run_at[each.id] = last_run_at
            found += [NamedRun(each.name, run) for run in new]
        return _in_order(found)

    async def _beyond(self, endpoint: FoundEndpoint, mark: _Mark) -> Sequence[Mapping[str, Any]]:
        """The runs of an endpoint after *mark*, newest first."""
        found: dict[str, Mapping[str, Any]] = {}  # A run that begins between two pages moves the others.
        for offset in range(0, 2**31, _PAGE):
            page = await self._page(endpoint, _PAGE, offset)
            new = list(takewhile(mark.passed_by, page))
            found |= {run["runId"]: run for run in new}
            if len(new) < _PAGE:
                break
        return list(found.values())

    async def _page(self, endpoint: FoundEndpoint, limit: int, offset: int) -> Sequence[Mapping[str, Any]]:
        runs: Sequence[Mapping[str, Any]]
        runs = (await self._there.get(f"/endpoints/{endpoint.id}/runs", limit=limit, offset=offset))["runs"]
        return runs

    async def _endpoints(self) -> Sequence[FoundEndpoint]:
        if self._endpoint is not None:
            found = await find_endpoint(self._there, self._endpoint)
            self._endpoint = found.id  # It is found at once from now on, whatever it is called.
            return [found]
        jobs = await jobs_of(self._there) if self._job is None else [await find_job(self._there, self._job)]
        return [each for job in jobs for each in await endpoints_of(self._there, job)]


def _newest(found: Sequence[Mapping[str, Any]], otherwise: _Mark) -> _Mark:
    return _Mark(found[0]["startedAt"], found[0]["runId"]) if found else otherwise


def _in_order(found: Iterable[NamedRun]) -> list[NamedRun]:
    return sorted(found, key=lambda each: (each.run["finishedAt"], each.run["runId"]))
