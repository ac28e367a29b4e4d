"""The promises of `Timeline` about the slots of an endpoint."""

from dataclasses import replace

import pytest

from cronicorn.domain.endpoint import RetryPolicy
from cronicorn.domain.errors import NotFoundError
from cronicorn.domain.fixtures import a_pause, an_outcome
from cronicorn.domain.instant import MICROSECOND
from cronicorn.domain.past_slots import PastSlot, RanSlot, SlotQuery
from cronicorn.domain.run import RunStatus
from cronicorn.domain.slot import Skip
from cronicorn.testing.clocks import VirtualClock
from cronicorn.testing.contracts.stores import (
    MINUTE,
    OTHER_TENANT,
    TENANT,
    Stores,
    StoresContract,
    claim_one,
    hint,
    plant,
    run_once,
    settle,
)

EVERYTHING = SlotQuery(limit=100)
FAILED = {"status": RunStatus.FAILED, "outcome": an_outcome(500)}


class PastSlotsContract(StoresContract):
    """Part of `TimelineContract`."""

    async def test_slots_are_told_once_with_their_attempts_newest_first(
        self, stores: Stores, clock: VirtualClock
    ) -> None:
        await plant(stores, "ep1", retries=RetryPolicy(count=1))
        first = await run_once(stores, clock)
        failed = await run_once(stores, clock, **FAILED)
        again = await run_once(stores, clock, outcome=an_outcome(body="long"))
        clock.advance(3 * MINUTE)
        skips = (await settle(stores, await claim_one(stores))).skips
        late = (await stores.timeline.slots(TENANT, "ep1", SlotQuery(limit=1))).slots[0]

        page = await stores.timeline.slots(TENANT, "ep1", EVERYTHING)

        assert (failed.slot, failed.attempt, again.attempt) == (again.slot, 1, 2)
        assert isinstance(late, RanSlot)
        assert _ran(page.slots) == [[late.runs[0].id], [failed.id, again.id], [first.id]]
        assert {run.outcome.body for slot in page.slots if isinstance(slot, RanSlot) for run in slot.runs} == {None}
        assert skips
        assert _skipped(page.slots) == list(reversed(skips))
        places = [slot.place for slot in page.slots]
        assert places == sorted(places, reverse=True)
        assert not page.more

    async def test_pages_hold_each_slot_once_also_when_more_come_meanwhile(
        self, stores: Stores, clock: VirtualClock
    ) -> None:
        await plant(stores, "ep1", retries=RetryPolicy(count=2))
        for changes in ({}, FAILED, {}, FAILED, FAILED):
            await run_once(stores, clock, **changes)
        clock.advance(3 * MINUTE)
        await settle(stores, await claim_one(stores))
        before = await stores.timeline.slots(TENANT, "ep1", EVERYTHING)

        for limit in (1, 2, 3):
            query, told = SlotQuery(limit=limit), list[PastSlot]()
            while True:
                page = await stores.timeline.slots(TENANT, "ep1", query)
                told += page.slots
                if not page.more:
                    break
                assert len(page.slots) == limit
                query = replace(query, after=page.slots[-1].place)
                await run_once(stores, clock)
            known = {slot.place for slot in before.slots}
            assert [slot.place for slot in told if slot.place in known] == [slot.place for slot in before.slots]
            assert len({slot.place for slot in told}) == len(told)

    async def test_slots_of_a_span_begin_in_it_and_ranges_touch_it(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores)
        runs = [await run_once(stores, clock) for _ in range(3)]
        await hint(stores, a_pause(clock.now() + 10 * MINUTE, now=clock.now()))
        resumed = await run_once(stores, clock)
        everything = await stores.timeline.slots(TENANT, "ep1", EVERYTHING)
        (paused,) = [skip for skip in _skipped(everything.slots) if skip.count > 1]
        within = paused.first_at + MINUTE

        until = await stores.timeline.slots(TENANT, "ep1", SlotQuery(limit=9, until=within))
        since = await stores.timeline.slots(TENANT, "ep1", SlotQuery(limit=9, since=within))
        exactly = SlotQuery(limit=9, since=runs[1].started_at, until=runs[1].started_at)
        before = SlotQuery(limit=9, until=runs[0].started_at - MICROSECOND)
        beyond = SlotQuery(limit=1, until=within)
        rest = await stores.timeline.slots(TENANT, "ep1", replace(beyond, after=until.slots[0].place))

        assert paused.first_at < within < paused.last_at
        assert _skipped(until.slots) == [paused]
        assert _ran(until.slots) == [[run.id] for run in reversed(runs)]
        assert paused in _skipped(since.slots)
        assert _ran(since.slots) == [[resumed.id]]
        assert _ran((await stores.timeline.slots(TENANT, "ep1", exactly)).slots) == [[runs[1].id]]
        assert (await stores.timeline.slots(TENANT, "ep1", before)).slots == ()
        assert (_ran(rest.slots), rest.more) == ([[runs[2].id]], True)

    async def test_a_slot_whose_first_attempt_is_forgotten_is_told_by_the_next(
        self, stores: Stores, clock: VirtualClock
    ) -> None:
        await plant(stores, "ep1", retries=RetryPolicy(count=2))
        first = await run_once(stores, clock, **FAILED)
        others = [await run_once(stores, clock, **FAILED), await run_once(stores, clock)]
        await stores.runs.prune(first.finished_at + MICROSECOND, 1)

        page = await stores.timeline.slots(TENANT, "ep1", EVERYTHING)

        assert _ran(page.slots)[-1] == [run.id for run in others]

    async def test_slots_of_others_are_not_found(self, stores: Stores) -> None:
        await plant(stores)

        for tenant_id, endpoint_id in ((OTHER_TENANT, "ep1"), (TENANT, "ep2")):
            with pytest.raises(NotFoundError):
                await stores.timeline.slots(tenant_id, endpoint_id, EVERYTHING)


def _ran(slots: tuple[PastSlot, ...]) -> list[list[str]]:
    return [[run.id for run in slot.runs] for slot in slots if isinstance(slot, RanSlot)]


def _skipped(slots: tuple[PastSlot, ...]) -> list[Skip]:
    return [slot.skip for slot in slots if not isinstance(slot, RanSlot)]
