"""Quotas that are wrong in one way each, over any store."""

import asyncio
from dataclasses import replace
from datetime import timedelta

from cronicorn.adapters.memory.quota import MemoryQuota
from cronicorn.domain.quota.allowance import TOKENS_MAX, Tiers
from cronicorn.domain.quota.decision import DenialReason, Denied, Granted, Mode
from cronicorn.domain.quota.ports import Quota, QuotaGuard


def unlimited(tiers):
    """The same allowances with no end of tokens."""
    allowances = {name: replace(each, limit=TOKENS_MAX, compile_percent=0) for name, each in tiers.allowances.items()}
    return Tiers(allowances=allowances)


class CheckThenRecord(Quota, QuotaGuard):
    """Looks what remains, and then reserves without a condition: what many do who have no atomic store."""

    def __init__(self, strict, lax):
        self._strict, self._lax = strict, lax

    async def reserve(self, tenant_id, estimate, *, budget, key, ttl):
        seen = await self._strict.remaining(tenant_id)
        await asyncio.sleep(0)
        if estimate > seen.remaining:
            return Denied(remaining=0, retry_after=timedelta(1), reset_at=seen.reset_at, reason=DenialReason.LIMIT)
        decision = await self._lax.reserve(tenant_id, estimate, budget=budget, key=key, ttl=ttl)
        return replace(decision, remaining=0) if isinstance(decision, Granted) else decision

    async def commit(self, grant_id, actual):
        await self._strict.commit(grant_id, actual)

    async def release(self, grant_id):
        await self._strict.release(grant_id)

    async def remaining(self, tenant_id):
        return await self._strict.remaining(tenant_id)

    async def can_proceed(self, tenant_id):
        return await self._strict.can_proceed(tenant_id)

    async def record_usage(self, tenant_id, tokens):
        await self._strict.record_usage(tenant_id, tokens)


class CommitsEveryTime(MemoryQuota):
    """Charges a commit that is sent again."""

    def _settle(self, grant_id, actual):
        grant = self._database.grants[grant_id]
        again = grant.settled
        super()._settle(grant_id, actual)
        if again:
            grant.charged, grant.settled = True, True
            used = actual if actual is not None else grant.estimate
            self._database.books[grant.book] = self._database.books[grant.book].added(grant.budget, used=used)


class DropsReservationsAtRollOver(MemoryQuota):
    """Begins a window by forgetting what was reserved in others: a late commit, or an expiry, charges nothing."""

    def _book(self, tenant_id, allowance, now):
        key, book = super()._book(tenant_id, allowance, now)
        for grant in self._database.grants.values():
            if grant.book.tenant_id == tenant_id and grant.book.start_at < key.start_at and not grant.settled:
                super()._move(grant, used=0)
                grant.settled = True
        return key, book


class ChargesThePresentWindow(MemoryQuota):
    """Charges what comes late to the window in which it comes."""

    def __init__(self, database, tiers, *parts):
        super().__init__(database, tiers, *parts)
        self._tiers = tiers

    def _move(self, grant, *, used):
        super()._move(grant, used=0)
        now = self._database.clock.now()
        key, book = self._book(grant.book.tenant_id, self._tiers.allowances[self._tiers.default], now)
        self._database.books[key] = book.added(grant.budget, used=used)


class RefundsWhatExpires(MemoryQuota):
    """Gives back what nobody ended, as if the call had not been made."""

    def _charge_expired(self, tenant_id, now):
        for grant in self._database.grants.values():
            if grant.book.tenant_id == tenant_id and grant.expires_at <= now and not grant.settled:
                self._move(grant, used=0)
                grant.settled = True


class ReservesAgain(MemoryQuota):
    """Takes a key that it knows for another call."""

    def __init__(self, *parts):
        super().__init__(*parts)
        self._number = 0

    async def reserve(self, tenant_id, estimate, *, budget, key, ttl):
        self._number += 1
        return await super().reserve(tenant_id, estimate, budget=budget, key=f"{key} {self._number}", ttl=ttl)


class KeepsOneBookForAll(MemoryQuota):
    """Lets one tenant spend what another has."""

    def _book(self, tenant_id, allowance, now):
        return super()._book("all", allowance, now)


MEMORY_MUTANTS = (
    CommitsEveryTime,
    DropsReservationsAtRollOver,
    ChargesThePresentWindow,
    RefundsWhatExpires,
    ReservesAgain,
    KeepsOneBookForAll,
)


def check_then_record(database, tiers):
    """The first mutant, in memory."""
    return CheckThenRecord(MemoryQuota(database, tiers), MemoryQuota(database, unlimited(tiers), Mode.RESERVE))
