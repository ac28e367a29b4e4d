"""What the contract suites of quotas share: books that are empty at first, and short ways to ask."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Protocol, TypeAlias

import pytest

from cronicorn.domain.calendar import Calendar
from cronicorn.domain.fixtures import MIDNIGHT
from cronicorn.domain.quota.allowance import Allowance, Budget, Burst, Tiers
from cronicorn.domain.quota.decision import Decision, Denied, Granted, Mode
from cronicorn.domain.quota.ports import Quota, QuotaGuard
from cronicorn.testing.clocks import VirtualClock

TTL = timedelta(minutes=2)
DAY = timedelta(days=1)
LIMIT = 1_000
NOON = MIDNIGHT + DAY / 2


class Books(Quota, QuotaGuard, Protocol):
    """What a store of quotas is: both ports over the same books."""


OpenQuota: TypeAlias = Callable[[Tiers, Mode], Awaitable[Books]]


def tiers(
    limit: int = LIMIT, *, burst: Burst | None = None, calendar: Calendar | None = None, soft_room: int | None = None
) -> Tiers:
    """The same allowance for every tenant."""
    calendar = calendar if calendar is not None else Calendar()
    allowance = Allowance(limit=limit, burst=burst, calendar=calendar, soft_room=soft_room)
    return Tiers(allowances={"free-tier": allowance})


async def ask(
    quota: Quota, key: str = "k1", estimate: int = 100, *, tenant_id: str = "t1", budget: Budget = Budget.ANALYSIS
) -> Decision:
    """Ask for a reservation that lasts for TTL."""
    return await quota.reserve(tenant_id, estimate, budget=budget, key=key, ttl=TTL)


async def grant(
    quota: Quota, key: str = "k1", estimate: int = 100, *, tenant_id: str = "t1", budget: Budget = Budget.ANALYSIS
) -> str:
    """The id of the grant that `ask` gets."""
    decision = await ask(quota, key, estimate, tenant_id=tenant_id, budget=budget)
    assert isinstance(decision, Granted), decision
    return decision.grant_id


async def denied(quota: Quota, key: str, estimate: int = 100, *, budget: Budget = Budget.ANALYSIS) -> Denied:
    """The refusal that `ask` gets."""
    decision = await ask(quota, key, estimate, budget=budget)
    assert isinstance(decision, Denied), decision
    return decision


async def standing(quota: Quota, tenant_id: str = "t1") -> tuple[int, int]:
    """What is used and what is reserved."""
    seen = await quota.remaining(tenant_id)
    return seen.used, seen.reserved


class OpeningQuota:
    @pytest.fixture
    def clock(self) -> VirtualClock:
        """Judges windows and grants: noon of a day in UTC."""
        return VirtualClock(NOON)

    @pytest.fixture
    async def open_quota(self, clock: VirtualClock) -> OpenQuota | AsyncIterator[OpenQuota]:
        """Opens a quota, each time over the same books, which are empty at first. Override this."""
        raise NotImplementedError

    @pytest.fixture
    async def quota(self, open_quota: OpenQuota) -> Books:
        """LIMIT tokens a day for every tenant, reserved before they are used."""
        return await open_quota(tiers(), Mode.RESERVE)
