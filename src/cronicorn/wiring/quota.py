"""The token quota that settings ask for, over the store they name."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

from cronicorn.adapters.cron.zone import zone_rules
from cronicorn.adapters.memory.database import MemoryDatabase
from cronicorn.adapters.metrics.observed_quota import ObservedQuota
from cronicorn.adapters.metrics.prometheus import Metrics
from cronicorn.control.quota import QuotaRules
from cronicorn.domain.calendar import Calendar, Period
from cronicorn.domain.quota.allowance import Allowance, Tiers
from cronicorn.domain.quota.decision import Mode
from cronicorn.domain.quota.ports import Allowances, Quota, QuotaGuard, QuotaUpkeep
from cronicorn.domain.quota.soft import SoftBound
from cronicorn.scheduler.agreed_allowances import AgreedAllowances
from cronicorn.wiring.extras import require
from cronicorn.wiring.settings import Settings
from cronicorn.wiring.stores import Stores

log = logging.getLogger(__name__)


class _Books(Quota, QuotaGuard, Protocol):
    """Both ports over the same books."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """The token budgets of an installation."""

    quota: Quota
    """Reserve, call, commit: measured."""
    guard: QuotaGuard
    """Check, call, record, over the same books."""
    upkeep: QuotaUpkeep | None
    """None where rows end by themselves, or with the process."""
    rules: QuotaRules
    bounds: tuple[tuple[str, SoftBound], ...]
    """What each tenant's limit may be exceeded by in the mode `soft`, by tier, or by tenant where one was agreed."""

    def check_bounds(self, *, forced: bool) -> None:
        """Tell by how much the mode `soft` may exceed limits: for whoever is going to ask a model.

        Raises InvalidInputError where that is too much, unless *forced*.
        """
        for whose, bound in self.bounds:
            bound.check(forced=forced)
            fields = {"whose": whose, "limit": bound.limit, "over_max": bound.overrun_max}
            if bound.worrying:
                log.warning("quota_soft_bound_high", extra=fields)
            else:
                log.info("quota_soft_bound", extra=fields)


def tiers_of(settings: Settings) -> Tiers:
    """The tiers that *settings* name."""
    calendar = Calendar(period=Period(settings.quota_period), zone=zone_rules(settings.quota_zone))
    allowances = {
        each.tier: Allowance(limit=each.value, calendar=calendar, soft_room=soft_bound(settings, each.value).room)
        for each in settings.quota_tiers
    }
    return Tiers(allowances=allowances, default=settings.quota_tier)


def soft_bound(settings: Settings, limit: int) -> SoftBound:
    """What the mode `soft` may exceed *limit* by, by all processes together."""
    return SoftBound(limit=limit, concurrency=settings.quota_calls_max, call_tokens_max=settings.quota_call_tokens_max)


async def tell_unknown_tiers(stores: Stores, tiers: Tiers) -> None:
    """Tell of tenants whose tier is no more: at the start, since only other settings make it so."""
    for tenant in await stores.keys.tenants():
        tier = tenant.terms.tier_among(tiers)
        if tenant.terms.tier not in {None, tier}:
            fields = {"tenant": tenant.id, "tier": tenant.terms.tier, "instead": tier}
            log.warning("tier_unknown", extra=fields)


@asynccontextmanager
async def token_quota(settings: Settings, stores: Stores, metrics: Metrics) -> AsyncIterator[Tokens]:
    """The quota of *settings* over *stores*, counted by *metrics*, for as long as the block lasts.

    Raises UnavailableError when a part is missing.
    """
    rules = QuotaRules(tiers=tiers_of(settings), mode=Mode(settings.quota_mode), zone_named=zone_rules)
    allowances = AgreedAllowances(stores.terms, rules.tiers, rules.zone_named)
    async with _books(settings, stores, allowances, rules.mode) as (books, upkeep):
        yield Tokens(
            quota=ObservedQuota(books, metrics, rules.mode),
            guard=books,
            upkeep=upkeep,
            rules=rules,
            bounds=await _bounds(settings, stores, rules),
        )


@asynccontextmanager
async def _books(
    settings: Settings, stores: Stores, allowances: Allowances, mode: Mode
) -> AsyncIterator[tuple[_Books, QuotaUpkeep | None]]:
    if settings.quota_store == "redis":
        async with _in_redis(settings, stores, allowances, mode) as books:
            yield books, None
        return
    match settings.database_url.backend:
        case "postgresql":
            from cronicorn.adapters.postgres.database import PostgresDatabase
            from cronicorn.adapters.postgres.quota import PostgresQuota

            assert isinstance(stores.database, PostgresDatabase)
            on_server = PostgresQuota(stores.database, allowances, mode)
            yield on_server, on_server
        case _:
            yield _of_this_machine(stores, allowances, mode)


def _of_this_machine(stores: Stores, allowances: Allowances, mode: Mode) -> tuple[_Books, QuotaUpkeep | None]:
    if isinstance(stores.database, MemoryDatabase):
        from cronicorn.adapters.memory.quota import MemoryQuota

        return MemoryQuota(stores.database, allowances, mode), None
    from cronicorn.adapters.sqlite.database import SqliteDatabase
    from cronicorn.adapters.sqlite.quota import SqliteQuota

    assert isinstance(stores.database, SqliteDatabase)
    in_file = SqliteQuota(stores.database, allowances, mode)
    return in_file, in_file


@asynccontextmanager
async def _in_redis(settings: Settings, stores: Stores, allowances: Allowances, mode: Mode) -> AsyncIterator[_Books]:
    require("redis", "redis", "A quota in Redis")
    from cronicorn.adapters.postgres.database import PostgresDatabase
    from cronicorn.adapters.postgres.external import installation_of
    from cronicorn.adapters.redis.quota import RedisPlace, RedisQuota

    assert isinstance(stores.database, PostgresDatabase)
    assert settings.redis_url is not None
    place = RedisPlace.open(settings.redis_url.text, prefix=await installation_of(stores.database))
    try:
        yield RedisQuota(place, allowances, mode)
    finally:
        await place.aclose()


async def _bounds(settings: Settings, stores: Stores, rules: QuotaRules) -> tuple[tuple[str, SoftBound], ...]:
    if rules.mode is not Mode.SOFT:
        return ()
    limits = {f"tier {tier}": allowance.limit for tier, allowance in rules.tiers.allowances.items()}
    for tenant in await stores.keys.tenants():
        if tenant.terms.limit is not None:
            limits[f"tenant {tenant.name}"] = tenant.terms.limit
    return tuple((whose, soft_bound(settings, limit)) for whose, limit in limits.items())
