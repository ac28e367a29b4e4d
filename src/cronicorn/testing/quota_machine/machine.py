"""Random commands for quotas. Every answer is compared with the other stores', every sum with the ledger."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from cronicorn.domain.fixtures import MIDNIGHT
from cronicorn.domain.quota.allowance import Allowance, Budget, Burst, Tiers
from cronicorn.domain.quota.decision import Decision, Denied, Granted, Mode
from cronicorn.testing.clocks import VirtualClock
from cronicorn.testing.contracts.quota_books import Books
from cronicorn.testing.quota_machine.ledger import Entry, Ledger
from cronicorn.testing.store_machine.fleet import BrokenPromiseError, promise

LIMIT = 1_000
TENANTS = ("t1", "t2")
DAY = timedelta(days=1)
ROOM = 700
ALLOWANCE = Allowance(limit=LIMIT, burst=Burst(calls=6, every=timedelta(seconds=20)), soft_room=ROOM)

T = TypeVar("T")

tenants = st.sampled_from(TENANTS)
budgets = st.sampled_from(Budget)
picks = st.integers(0, 30)
ttls = st.sampled_from([timedelta(seconds=30), timedelta(minutes=5), timedelta(hours=1)])
pauses = st.sampled_from(
    [timedelta(seconds=1), timedelta(seconds=20), timedelta(minutes=5), timedelta(hours=1), timedelta(hours=11), DAY]
)
actuals = st.one_of(st.none(), st.integers(0, 400), st.integers(900, 1_500))


class QuotaMachine(RuleBasedStateMachine):
    """Drives the quotas that `open_quotas` opens. The first one is the reference for the others."""

    mode = Mode.RESERVE
    steps = 0

    async def open_quotas(self, clock: VirtualClock, tiers: Tiers, mode: Mode) -> Sequence[Books]:
        """Quotas over books that are empty. Override this."""
        raise NotImplementedError

    async def close_quotas(self) -> None:
        """Close what `open_quotas` opened."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = VirtualClock(MIDNIGHT)
        self._runner = asyncio.Runner()
        self._loop = self._runner.get_loop()
        self._ledger = Ledger(calendar=ALLOWANCE.calendar, mode=self.mode)
        self._numbers = iter(range(1_000_000))
        tiers = Tiers(allowances={"free-tier": ALLOWANCE})
        self._quotas = self._runner.run(self.open_quotas(self.clock, tiers, self.mode))

    def teardown(self) -> None:
        self._runner.run(self.close_quotas())
        self._runner.close()

    @rule(tenant=tenants, estimate=st.integers(1, 450), budget=budgets, ttl=ttls)
    def reserve(self, *, tenant: str, estimate: int, budget: Budget, ttl: timedelta) -> None:
        self._reserve(tenant, f"k{next(self._numbers)}", estimate, budget, ttl)

    @precondition(lambda self: self._ledger.remembered(self.clock.now()))
    @rule(pick=picks, estimate=st.integers(1, 450), budget=budgets, ttl=ttls)
    def reserve_again(self, *, pick: int, estimate: int, budget: Budget, ttl: timedelta) -> None:
        entry = self._picked(pick)
        _known(self._reserve(entry.tenant_id, entry.key, estimate, budget, ttl))

    @rule(tenant=tenants, estimate=st.integers(1, 450), count=st.integers(2, 5), budget=budgets)
    def reserve_at_once(self, *, tenant: str, estimate: int, count: int, budget: Budget) -> None:
        """Several ask at the same time: so many are granted as fit, whichever they are. Then all give it back."""
        self.look(tenant=tenant)
        keys = [f"k{next(self._numbers)}" for _ in range(count)]

        async def granted(quota: Books) -> int:
            asked = (quota.reserve(tenant, estimate, budget=budget, key=key, ttl=DAY / 24) for key in keys)
            grants = [each.grant_id for each in await asyncio.gather(*asked) if isinstance(each, Granted)]
            self._promise_within(*await _standing(quota, tenant), tenant)
            for grant_id in grants:
                await quota.release(grant_id)
            return len(grants)

        self._alike(granted)

    @precondition(lambda self: self._ledger.remembered(self.clock.now()))
    @rule(pick=picks, actual=actuals)
    def commit(self, *, pick: int, actual: int | None) -> None:
        self._end(pick, lambda quota, grant_id: quota.commit(grant_id, actual), actual)

    @precondition(lambda self: self._ledger.remembered(self.clock.now()))
    @rule(pick=picks)
    def release(self, *, pick: int) -> None:
        self._end(pick, lambda quota, grant_id: quota.release(grant_id), 0)

    @rule(tenant=tenants, tokens=st.integers(0, 300))
    def record(self, *, tenant: str, tokens: int) -> None:
        self._alike(lambda quota: quota.record_usage(tenant, tokens))
        self._ledger.record(tenant, tokens, self.clock.now())

    @rule(by=pauses)
    def wait(self, *, by: timedelta) -> None:
        self.clock.advance(by)

    @rule(tenant=tenants)
    def look(self, *, tenant: str) -> None:
        self._count()
        seen = self._alike(lambda quota: quota.remaining(tenant))
        self._ledger.charge_expired(tenant, self.clock.now())
        expected = self._ledger.standing(tenant, self.clock.now())
        promise((seen.used, seen.reserved) == expected, "used and reserved add up", seen, expected)
        self._promise_within(seen.used, seen.reserved, tenant)
        proceeds = self._alike(lambda quota: quota.can_proceed(tenant))
        promise(proceeds == (seen.used < LIMIT), "whoever has used less than the limit may proceed", seen)

    @rule()
    def look_back(self) -> None:
        """What came too late for its window is in the book of that window."""
        now = self.clock.now()
        for at in (now, now - DAY, now - 2 * DAY):
            self.clock.jump(at)
            for tenant in TENANTS:
                self.look(tenant=tenant)
        self.clock.jump(now)

    def _reserve(self, tenant: str, key: str, estimate: int, budget: Budget, ttl: timedelta) -> Decision:
        self._count()
        now = self.clock.now()
        decision = self._alike(lambda quota: quota.reserve(tenant, estimate, budget=budget, key=key, ttl=ttl))
        if isinstance(decision, Denied):
            promise(decision.retry_after / timedelta(seconds=1) > 0, "a refusal says when to come back", decision)
        else:
            self._ledger.grant(tenant, key, budget, estimate=estimate, now=now, ttl=ttl)
        self.look(tenant=tenant)
        return decision

    def _end(self, pick: int, end: Callable[[Books, str], Awaitable[None]], actual: int | None) -> None:
        self._count()
        entry = self._picked(pick)

        async def ended(quota: Books) -> None:
            decision = await quota.reserve(
                entry.tenant_id, entry.estimate, budget=entry.budget, key=entry.key, ttl=DAY / 24
            )
            await end(quota, _known(decision).grant_id)

        self._alike(ended)
        if entry.actual is None:
            entry.actual = actual if actual is not None else entry.estimate
        self.look(tenant=entry.tenant_id)

    def _picked(self, pick: int) -> Entry:
        entries = self._ledger.remembered(self.clock.now())
        return entries[-1 - pick % len(entries)]

    def _promise_within(self, used: int, reserved: int, tenant: str) -> None:
        """Q1, in the modes that promise it; Q3 in the other."""
        most = LIMIT + self._ledger.beyond(tenant, self.clock.now()) + (ROOM - 1) * (self.mode is Mode.SOFT)
        promise(used + reserved <= most, "no more is used and reserved than the mode allows", used, reserved, most)
        if self.mode is Mode.SOFT:
            promise(reserved <= ROOM, "calls in progress reserve no more than there is room for", reserved)

    def _alike(self, command: Callable[[Books], Awaitable[T]]) -> T:
        answers = [self._loop.run_until_complete(command(quota)) for quota in self._quotas]
        for other in answers[1:]:
            promise(other == answers[0], "the stores answer alike", *answers)
        return answers[0]

    def _count(self) -> None:
        type(self).steps += 1


def _known(decision: Decision) -> Granted:
    if not isinstance(decision, Granted):
        raise BrokenPromiseError(f"a key that is known answers its grant: {decision!r}")
    return decision


async def _standing(quota: Books, tenant: str) -> tuple[int, int]:
    seen = await quota.remaining(tenant)
    return seen.used, seen.reserved
