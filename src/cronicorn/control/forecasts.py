"""Forecasts: what all endpoints of a tenant will call, and when hosts get the most of it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from cronicorn.control.findings import refused
from cronicorn.control.permissions import operation
from cronicorn.domain.endpoint import Job, JobEndpoint
from cronicorn.domain.finding.forecast import Forecast, Forecaster
from cronicorn.domain.finding.host_load import CallTally, HostLoad
from cronicorn.domain.finding.ports import EndpointFinder
from cronicorn.domain.instant import DAY, MICROSECOND, ZERO
from cronicorn.domain.permission import Operation
from cronicorn.domain.ports import Clock, Cron
from cronicorn.domain.principal import Principal
from cronicorn.domain.target import host_of

FORECAST_SPAN_MAX = 7 * DAY
FORECAST_AHEAD_MAX = 366 * DAY
"""Nothing that comes later is foreseen."""
ENDPOINTS_FORESEEN_MAX = 1_000
"""Those that are due first, and no more."""
HOURS_OF_HOSTS = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeseenEndpoint:
    """An endpoint, and what it will call."""

    job: Job
    endpoint: JobEndpoint
    forecast: Forecast


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreseen:
    """What a tenant's endpoints will call from `since` to `until`, seen from `now`; nothing lies before that."""

    now: datetime
    since: datetime
    until: datetime
    endpoints: tuple[ForeseenEndpoint, ...]
    """Those that will call, the one that does first at the beginning."""
    counts: tuple[int, ...]
    """How many calls they make together in each part of the span, all equally long."""
    complete: bool
    """Whether there are no more than ENDPOINTS_FORESEEN_MAX, and every call is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostForecast:
    """How many calls each host will get in each minute of the HOURS_OF_HOSTS from `since` on."""

    since: datetime
    hosts: tuple[HostLoad, ...]
    """The one with the fullest minute first."""
    complete: bool
    """Whether every call is counted."""


class Forecasts:
    """Looks ahead, as if every run succeeded at once and nobody steered."""

    def __init__(self, finder: EndpointFinder, clock: Clock, cron: Cron) -> None:
        self._finder = finder
        self._clock = clock
        self._cron = cron

    @property
    def now(self) -> datetime:
        """The present, from which a forecast looks ahead."""
        return self._clock.now()

    @operation(Operation.FORECAST_SHOW)
    async def show(self, principal: Principal, since: datetime, until: datetime, parts: int) -> Foreseen:
        """What comes from *since* to before *until*, counted in so many *parts*.

        Raises InvalidInputError for a span that is longer than FORECAST_SPAN_MAX or ends later than FORECAST_AHEAD_MAX.
        """
        now = self._clock.now()
        if not ZERO < until - since <= FORECAST_SPAN_MAX or until - now > FORECAST_AHEAD_MAX:
            raise refused("", "A forecast is of 7 days at most, and of the year to come: choose an earlier day.")
        tally, calling, number, whole = CallTally(since, parts, (until - since) / parts), [], 0, True
        async for each in self._foreseen(principal, now, since, until - MICROSECOND):
            number += 1
            if each.forecast.stretches and number <= ENDPOINTS_FORESEEN_MAX:
                tally.add("", each.forecast)
                calling.append(each)
                whole = whole and each.forecast.whole
        calling.sort(key=lambda each: each.forecast.stretches[0].first_at)
        return Foreseen(
            now=now, since=since, until=until, endpoints=tuple(calling), counts=tally.of(""),
            complete=whole and number <= ENDPOINTS_FORESEEN_MAX,
        )  # fmt: skip

    @operation(Operation.FORECAST_HOSTS)
    async def hosts(self, principal: Principal) -> HostForecast:
        """What hosts get from this minute on."""
        now = self._clock.now()
        since = now.replace(second=0, microsecond=0)
        tally, whole, number = CallTally(since, HOURS_OF_HOSTS * 60), True, 0
        until = since + timedelta(hours=HOURS_OF_HOSTS) - MICROSECOND
        async for each in self._foreseen(principal, now, since, until):
            number += 1
            if number <= ENDPOINTS_FORESEEN_MAX:
                tally.add(host_of(each.endpoint.request.url), each.forecast)
                whole = whole and each.forecast.whole
        return HostForecast(since=since, hosts=tally.loads(), complete=whole and number <= ENDPOINTS_FORESEEN_MAX)

    async def _foreseen(
        self, principal: Principal, now: datetime, since: datetime, until: datetime
    ) -> AsyncIterator[ForeseenEndpoint]:
        """The first endpoints that are due, one more than are foreseen where there are others."""
        forecaster = Forecaster(self._cron, now, since, until)
        planned = await self._finder.planned(principal.tenant_id, until, ENDPOINTS_FORESEEN_MAX + 1)
        for job, endpoint in planned:
            await asyncio.sleep(0)  # Whoever else is served here gets a turn.
            yield ForeseenEndpoint(job=job, endpoint=endpoint, forecast=forecaster.foresee(endpoint))
