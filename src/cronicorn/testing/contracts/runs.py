"""The promises of `RunHistory`."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from cronicorn.domain.call import OutcomeKind
from cronicorn.domain.errors import NotFoundError
from cronicorn.domain.fixtures import MIDNIGHT, a_run, an_outcome
from cronicorn.domain.history import Health, RunPage, RunQuery, SpanQuery
from cronicorn.domain.instant import MICROSECOND, minute_of
from cronicorn.domain.plan import Source
from cronicorn.domain.run import RunStatus
from cronicorn.domain.settlement import Settlement
from cronicorn.domain.slot import Skip, SlotState
from cronicorn.testing.clocks import VirtualClock
from cronicorn.testing.contracts.run_control import a_test_run
from cronicorn.testing.contracts.stores import (
    MINUTE,
    OTHER_TENANT,
    TENANT,
    Stores,
    StoresContract,
    claim_one,
    endpoint_of,
    plant,
    run_once,
    settle,
)

_FAILED = {"status": RunStatus.FAILED, "outcome": an_outcome(500)}


class RunHistoryContract(StoresContract):
    """Subclass this with a `stores` fixture."""

    async def test_a_run_comes_back_as_it_was_recorded(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores)
        clock.advance(MINUTE)
        lease = await claim_one(stores)
        outcome = an_outcome(
            418,
            kind=OutcomeKind.BROKEN,
            duration=timedelta(seconds=1, microseconds=3),
            headers=(("set-cookie", "a=ä"), ("set-cookie", "b")),
            body="Töpfe\u0000 \ud800",
            body_is_json=True,
            body_truncated=True,
            error="The answer broke off.",
        )
        run = a_run(lease, outcome, source=Source.RETRY, status=RunStatus.CANCELLED)

        await settle(stores, lease, run)

        assert await stores.runs.get(TENANT, run.id) == run

    async def test_an_answer_without_body_is_told_from_one_with_an_empty_body(
        self, stores: Stores, clock: VirtualClock
    ) -> None:
        await plant(stores)

        runs = [await run_once(stores, clock, outcome=an_outcome(body=body)) for body in (None, "")]

        assert [(await stores.runs.get(TENANT, run.id)).outcome.body for run in runs] == [None, ""]

    async def test_runs_are_listed_newest_first_without_bodies(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores)
        runs = [await run_once(stores, clock, outcome=an_outcome(body="long")) for _ in range(3)]

        page = await stores.runs.list(TENANT, "ep1", RunQuery())

        expected = [replace(run, outcome=run.outcome._replace(body=None)) for run in reversed(runs)]
        assert page == RunPage(runs=tuple(expected), total=3)

    async def test_runs_are_listed_in_pages(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores)
        runs = [await run_once(stores, clock) for _ in range(5)]

        page = await stores.runs.list(TENANT, "ep1", RunQuery(limit=2, offset=1))

        assert [run.id for run in page.runs] == [runs[3].id, runs[2].id]
        assert page.total == 5

    async def test_runs_are_listed_that_began_in_a_span_ends_included(
        self, stores: Stores, clock: VirtualClock
    ) -> None:
        await plant(stores)
        runs = [await run_once(stores, clock, **(_FAILED if number == 2 else {})) for number in range(5)]
        span = RunQuery(since=runs[1].started_at, until=runs[3].started_at, limit=2)

        page = await stores.runs.list(TENANT, "ep1", span)
        rest = await stores.runs.list(TENANT, "ep1", replace(span, offset=2))
        failed = await stores.runs.list(TENANT, "ep1", replace(span, status=RunStatus.FAILED))

        assert ([run.id for run in page.runs], page.total) == ([runs[3].id, runs[2].id], 3)
        assert ([run.id for run in rest.runs], rest.total) == ([runs[1].id], 3)
        assert ([run.id for run in failed.runs], failed.total) == ([runs[2].id], 1)

    async def test_runs_are_listed_by_status(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores)
        await run_once(stores, clock)
        failed = await run_once(stores, clock, **_FAILED)
        await run_once(stores, clock)

        page = await stores.runs.list(TENANT, "ep1", RunQuery(status=RunStatus.FAILED))

        assert [run.id for run in page.runs] == [failed.id]
        assert page.total == 1

    async def test_the_runs_of_a_span_come_oldest_first_with_their_bodies(
        self, stores: Stores, clock: VirtualClock
    ) -> None:
        await plant(stores)
        runs = [await run_once(stores, clock, outcome=an_outcome(body=f"{number}")) for number in range(5)]
        span = SpanQuery(since=runs[1].started_at, until=runs[3].started_at)

        assert await stores.runs.recorded(TENANT, "ep1", span) == runs[1:4]

    async def test_the_runs_of_a_span_come_in_pages(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores)
        runs = [await run_once(stores, clock) for _ in range(5)]
        span = SpanQuery(since=MIDNIGHT, until=clock.now(), limit=2)

        pages = [await stores.runs.recorded(TENANT, "ep1", span)]
        while len(pages[-1]) == 2:
            pages.append(await stores.runs.recorded(TENANT, "ep1", replace(span, after=pages[-1][-1])))

        assert [len(page) for page in pages] == [2, 2, 1]
        assert [run for page in pages for run in page] == runs

    async def test_the_runs_of_a_span_are_counted_by_the_minute(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores)
        runs = [await run_once(stores, clock) for _ in range(5)]
        tests = [a_test_run() for _ in range(2)]
        for test in tests:
            await stores.run_control.record_test(test)
        span = SpanQuery(since=MIDNIGHT, until=runs[3].started_at, limit=1, after=runs[0])

        begun = await stores.runs.begun_by_minute(TENANT, "ep1", span)

        assert begun == Counter(minute_of(run.started_at) for run in (*tests, *runs[:4]))
        assert begun[minute_of(MIDNIGHT)] >= 2

    async def test_runs_that_began_at_once_are_neither_lost_nor_doubled_between_pages(self, stores: Stores) -> None:
        await plant(stores)
        slots = [await stores.run_control.record_test(a_test_run()) for _ in range(3)]
        span = SpanQuery(since=MIDNIGHT, until=MIDNIGHT, limit=1)

        first = await stores.runs.recorded(TENANT, "ep1", span)
        second = await stores.runs.recorded(TENANT, "ep1", replace(span, after=first[0]))
        third = await stores.runs.recorded(TENANT, "ep1", replace(span, after=second[0]))

        assert [run.slot for run in (*first, *second, *third)] == slots
        assert await stores.runs.recorded(TENANT, "ep1", replace(span, after=third[0])) == []

    async def test_of_the_runs_that_had_ended_the_last_begun_is_found(
        self, stores: Stores, clock: VirtualClock
    ) -> None:
        await plant(stores)
        first = await run_once(stores, clock, outcome=an_outcome(body="first"))
        second = await run_once(stores, clock)

        found = [
            await stores.runs.ended_before(TENANT, "ep1", at)
            for at in (MIDNIGHT, first.finished_at, second.finished_at - MICROSECOND, second.finished_at)
        ]

        assert found == [None, first, first, second]

    @pytest.mark.parametrize("run_id", ["ep1:2:1", "ep1:1:2", "ep2:1:1", "ep1", "", "ep1:x:1", "ep1:01:1"])
    async def test_a_run_that_is_not_there_is_not_found(self, stores: Stores, clock: VirtualClock, run_id: str) -> None:
        await plant(stores)
        await run_once(stores, clock)

        with pytest.raises(NotFoundError):
            await stores.runs.get(TENANT, run_id)

    async def test_an_endpoint_id_may_hold_a_colon(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores, "shop:stock:1")
        run = await run_once(stores, clock)

        assert await stores.runs.get(TENANT, run.id) == run

    async def test_the_past_of_other_tenants_is_not_found(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores)
        run = await run_once(stores, clock)

        with pytest.raises(NotFoundError):
            await stores.runs.get(OTHER_TENANT, run.id)
        with pytest.raises(NotFoundError):
            await stores.runs.list(OTHER_TENANT, "ep1", RunQuery())
        with pytest.raises(NotFoundError):
            await stores.runs.health(OTHER_TENANT, "ep1", MIDNIGHT)
        with pytest.raises(NotFoundError):
            await stores.runs.skips(OTHER_TENANT, "ep1", 10)
        with pytest.raises(NotFoundError):
            await stores.runs.recorded(OTHER_TENANT, "ep1", SpanQuery(since=MIDNIGHT, until=run.started_at))
        with pytest.raises(NotFoundError):
            await stores.runs.begun_by_minute(OTHER_TENANT, "ep1", SpanQuery(since=MIDNIGHT, until=run.started_at))
        with pytest.raises(NotFoundError):
            await stores.runs.ended_before(OTHER_TENANT, "ep1", run.finished_at)

    async def test_the_health_of_an_endpoint_that_never_ran_is_empty(self, stores: Stores) -> None:
        await plant(stores)

        assert await stores.runs.health(TENANT, "ep1", MIDNIGHT) == Health(
            success_count=0, failure_count=0, duration_mean=None, last_run_at=None, last_status=None, failure_streak=0
        )  # fmt: skip

    async def test_health_counts_since_an_instant_and_the_streak_over_all_history(
        self, stores: Stores, clock: VirtualClock
    ) -> None:
        await plant(stores)
        await run_once(stores, clock)
        for status in (RunStatus.FAILED, RunStatus.FAILED, RunStatus.CANCELLED):
            await run_once(stores, clock, status=status, outcome=an_outcome(500, duration=timedelta(seconds=9)))
        since = (await run_once(stores, clock, **_FAILED)).started_at
        last = await run_once(stores, clock, status=RunStatus.FAILED, outcome=an_outcome(duration=timedelta(0)))

        health = await stores.runs.health(TENANT, "ep1", since)

        assert health == Health(
            success_count=0, failure_count=2, duration_mean=timedelta(microseconds=2_500),
            last_run_at=last.started_at, last_status=RunStatus.FAILED, failure_streak=4,
        )  # fmt: skip

    async def test_a_success_ends_the_streak(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores)
        await run_once(stores, clock, **_FAILED)
        await run_once(stores, clock)

        health = await stores.runs.health(TENANT, "ep1", MIDNIGHT)

        assert (health.success_count, health.failure_count, health.failure_streak) == (1, 1, 0)
        assert health.last_status is RunStatus.SUCCESS

    async def test_the_newest_skips_come_first(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores)
        settlements = []
        for _ in range(3):
            clock.advance(3 * MINUTE)
            settlements.append(await settle(stores, await claim_one(stores)))

        page = await stores.runs.skips(TENANT, "ep1", 2)

        skips = [skip for settlement in settlements for skip in settlement.skips]
        assert len(skips) > 2
        assert page.skips == tuple(reversed(skips))[:2]

    async def test_the_newest_skips_in_one_state_are_found_behind_others(
        self, stores: Stores, clock: VirtualClock
    ) -> None:
        await plant(stores)
        told = [SlotState.SKIPPED_QUOTA, SlotState.SKIPPED_QUOTA, SlotState.MISSED_WINDOW]
        skips = [
            Skip(state=state, reason="", first_at=at, last_at=at, count=1)
            for state, at in zip(told, (MIDNIGHT + minute * MINUTE for minute in range(3)), strict=True)
        ]
        clock.advance(MINUTE)
        lease = await claim_one(stores)
        await stores.job_store.settle(
            lease, None, lambda endpoint, _stored: Settlement(state=endpoint.state, skips=tuple(skips))
        )

        assert (await stores.runs.skips(TENANT, "ep1", 1)).skips == (skips[2],)
        assert (await stores.runs.skips(TENANT, "ep1", 1, SlotState.SKIPPED_QUOTA)).skips == (skips[1],)
        assert (await stores.runs.skips(TENANT, "ep1", 9, SlotState.SKIPPED_QUOTA)).skips == (skips[1], skips[0])
        assert (await stores.runs.skips(TENANT, "ep1", 9, SlotState.CANCELLED)).skips == ()

    async def test_pruning_takes_the_oldest_runs_and_skips_and_says_how_many(
        self, stores: Stores, clock: VirtualClock
    ) -> None:
        await plant(stores)
        runs = [await run_once(stores, clock) for _ in range(4)]

        removed = [await stores.runs.prune(runs[3].finished_at, 2) for _ in range(3)]

        assert removed == [2, 1, 0]
        assert [run.id for run in (await stores.runs.list(TENANT, "ep1", RunQuery())).runs] == [runs[3].id]

    async def test_pruning_takes_skips_that_ended_before(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores)
        clock.advance(4.5 * MINUTE)
        skips = (await settle(stores, await claim_one(stores))).skips

        some = await stores.runs.prune(skips[-1].last_at, 100)
        rest = await stores.runs.prune(skips[-1].last_at + MICROSECOND, 100)

        assert (some, rest) == (len(skips) - 1, 1)
        assert (await stores.runs.skips(TENANT, "ep1", 10)).skips == ()

    async def test_pruning_leaves_the_schedule_alone(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores)
        await run_once(stores, clock)
        before = await endpoint_of(stores)

        await stores.runs.prune(clock.now() + MINUTE, 100)

        assert await endpoint_of(stores) == before
        await run_once(stores, clock)
