"""The promises of `WatchStore`."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from cronicorn.domain.analysis.analysis import Analysis, AnalysisUsage, CallMade
from cronicorn.domain.analysis.fingerprint import Fingerprint
from cronicorn.domain.analysis.follow_up import FollowUp
from cronicorn.domain.analysis.proposing import Proposal, Staged, applied
from cronicorn.domain.analysis.watch import Look, Watch
from cronicorn.domain.analysis.watching import NOTHING_WATCHED, Occasion, Why
from cronicorn.domain.endpoint import AnalysisSwitch, Job, JobEndpoint
from cronicorn.domain.errors import ConflictError, LeaseLostError, NotFoundError
from cronicorn.domain.hint import HintKind
from cronicorn.domain.ports import EndpointEdit
from cronicorn.domain.quota.decision import DenialReason, Denied
from cronicorn.domain.settlement import Change, Stored
from cronicorn.testing.clocks import VirtualClock
from cronicorn.testing.contracts.stores import (
    CRON,
    MINUTE,
    OTHER_TENANT,
    TENANT,
    Stores,
    StoresContract,
    endpoint_of,
    plant,
    rename,
)

ON = AnalysisSwitch(enabled=True)
OFF = AnalysisSwitch()


class WatchStoreContract(StoresContract):
    """Subclass this with a `stores` fixture."""

    async def test_only_endpoints_that_are_switched_on_are_watched(self, stores: Stores) -> None:
        await plant(stores, "on", analysis=ON)
        await plant(stores, "off")

        assert [each.endpoint.id for each in await _claim(stores)] == ["on"]

    async def test_the_switch_counts_from_its_edit_on(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores)
        await _switch(stores, ON)
        watch = (await _claim(stores, ttl=MINUTE))[0]
        clock.advance(MINUTE)
        await _switch(stores, OFF)

        assert watch.cursor == watch.claimed_at
        assert await _claim(stores) == []

    async def test_another_edit_changes_nothing_about_a_watch(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores, analysis=ON)
        watch = (await _claim(stores))[0]
        await stores.watches.settle(watch, _look(watch))
        await rename(stores, "other")

        assert await _claim(stores) == []
        clock.advance(MINUTE)
        assert [each.memory for each in await _claim(stores)] == [_look(watch).memory]

    async def test_a_claimed_watch_is_left_alone_until_its_claim_ends(
        self, stores: Stores, clock: VirtualClock
    ) -> None:
        await plant(stores, "ep1", "ep2", "ep3", analysis=ON)

        first, second = await _claim(stores, "a", limit=2), await _claim(stores, "b")
        clock.advance(2 * MINUTE)

        assert len(first) == 2
        assert len(second) == 1
        assert len(await _claim(stores, "c")) == 3

    async def test_planners_at_once_share_the_watches(self, stores: Stores) -> None:
        await plant(stores, *(f"ep{number}" for number in range(20)), analysis=ON)

        found = await asyncio.gather(*(_claim(stores, f"claim{number}", limit=7) for number in range(6)))

        ids = [each.endpoint.id for watches in found for each in watches]
        assert len(set(ids)) == len(ids)

    async def test_a_look_is_written_as_a_whole(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores, analysis=ON)
        watch = (await _claim(stores))[0]
        look = replace(_look(watch), analysis=_analysis(watch), edit=_renamed("new"))

        await stores.watches.settle(watch, look)

        clock.advance(MINUTE)
        again = (await _claim(stores, "again"))[0]
        assert (again.memory, again.cursor) == (look.memory, look.cursor)
        assert (await endpoint_of(stores)).name == "new"
        assert await stores.watches.get(TENANT, "session1") == look.analysis

    async def test_an_analysis_is_kept_with_what_its_edit_wrote(self, stores: Stores) -> None:
        await plant(stores, analysis=ON, interval_min=2 * MINUTE)
        watch = (await _claim(stores))[0]
        staged = Staged(proposals=(Proposal(kind=HintKind.INTERVAL, length=MINUTE),))

        def steer(endpoint: JobEndpoint, _job: Job, stored: Stored) -> Change:
            return applied(endpoint, staged, stored, CRON)

        await stores.watches.settle(watch, replace(_look(watch), analysis=_analysis(watch), edit=steer))

        kept = await stores.watches.get(TENANT, "session1")
        assert kept.applied == ("interval 120 s", *_analysis(watch).applied)

    async def test_a_claim_may_stay_when_a_look_is_written(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores, analysis=ON)
        watch = (await _claim(stores))[0]
        look = replace(_look(watch), look_at=watch.claimed_at)

        await stores.watches.settle(watch, replace(look, analysis=_analysis(watch), claim_stays=True))

        assert (await stores.watches.list(TENANT, "ep1", limit=10)).total == 1
        assert await _claim(stores, "other") == []
        await stores.watches.settle(watch, look)
        assert [each.memory for each in await _claim(stores, "next")] == [look.memory]

    async def test_a_claim_that_stays_is_lost_to_another_like_any(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores, analysis=ON)
        watch = (await _claim(stores, ttl=2 * MINUTE))[0]
        await stores.watches.settle(watch, replace(_look(watch), claim_stays=True))
        clock.advance(2 * MINUTE)
        await _claim(stores, "newer")

        await self._lost(stores, watch)

    async def test_an_edit_that_refuses_leaves_nothing_written(self, stores: Stores) -> None:
        def refuse(_endpoint: JobEndpoint, _job: Job, _stored: Stored) -> Change:
            raise ConflictError("No.")

        await plant(stores, analysis=ON)
        watch = (await _claim(stores))[0]

        with pytest.raises(ConflictError):
            await stores.watches.settle(watch, replace(_look(watch), analysis=_analysis(watch), edit=refuse))
        assert (await stores.watches.list(TENANT, "ep1", limit=10)).total == 0
        await stores.watches.settle(watch, _look(watch))

    async def test_a_claim_that_another_came_after_writes_nothing(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores, analysis=ON)
        late = (await _claim(stores, "late"))[0]
        clock.advance(2 * MINUTE)
        await _claim(stores, "newer")

        await self._lost(stores, late)

    async def test_a_look_at_what_is_watched_no_more_writes_nothing(self, stores: Stores) -> None:
        await plant(stores, analysis=ON)
        watch = (await _claim(stores))[0]
        await _switch(stores, OFF)

        await self._lost(stores, watch)

    async def test_a_look_at_a_deleted_endpoint_writes_nothing(self, stores: Stores) -> None:
        await plant(stores, analysis=ON)
        watch = (await _claim(stores))[0]
        await stores.endpoints.delete(TENANT, "ep1")

        with pytest.raises(LeaseLostError):
            await stores.watches.settle(watch, replace(_look(watch), analysis=_analysis(watch)))
        with pytest.raises(NotFoundError):
            await stores.watches.get(TENANT, "session1")

    async def test_an_edit_sees_the_endpoint_as_it_is_by_then(self, stores: Stores) -> None:
        await plant(stores, analysis=ON)
        watch = (await _claim(stores))[0]
        await rename(stores, "meanwhile")
        seen = []

        def look_on(endpoint: JobEndpoint, job: Job, _stored: Stored) -> Change:
            seen.append((endpoint.name, job.id))
            return Change(endpoint=endpoint)

        await stores.watches.settle(watch, replace(_look(watch), edit=look_on))

        assert seen == [("meanwhile", "job1")]

    async def test_a_request_makes_a_look_due_and_is_kept_until_it_is_answered(
        self, stores: Stores, clock: VirtualClock
    ) -> None:
        await plant(stores, analysis=ON)
        watch = (await _claim(stores))[0]
        await stores.watches.settle(watch, _look(watch))
        for name in ("alice", "bob"):
            await stores.watches.request(TENANT, "ep1", name)

        asked = (await _claim(stores, "asked"))[0]
        await stores.watches.settle(asked, _look(asked))
        clock.advance(MINUTE)
        still = (await _claim(stores, "still"))[0]
        await stores.watches.settle(still, replace(_look(still), answers_request=True))
        clock.advance(MINUTE)
        answered = (await _claim(stores, "answered"))[0]

        assert [asked.requested_by, still.requested_by, answered.requested_by] == ["alice", "alice", None]

    async def test_a_request_tells_how_long_nobody_has_looked(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores, analysis=ON)
        first = (await _claim(stores, "first"))[0]
        await stores.watches.settle(first, _look(first))
        clock.advance(6 * MINUTE)
        alone = await stores.watches.request(TENANT, "ep1", "alice")
        again = await stores.watches.request(TENANT, "ep1", "alice")
        watch = (await _claim(stores))[0]
        during = await stores.watches.request(TENANT, "ep1", "alice")
        await stores.watches.settle(watch, _look(watch))
        after = await stores.watches.request(TENANT, "ep1", "alice")
        clock.advance(MINUTE)

        assert [alone, again, during, after] == [5 * MINUTE, 5 * MINUTE, -MINUTE, -MINUTE]
        assert await stores.watches.request(TENANT, "ep1", "alice") == MINUTE

    async def test_a_request_needs_the_switch_and_the_endpoint(self, stores: Stores) -> None:
        await plant(stores)

        with pytest.raises(ConflictError):
            await stores.watches.request(TENANT, "ep1", "alice")
        with pytest.raises(NotFoundError):
            await stores.watches.request(OTHER_TENANT, "ep1", "alice")

    async def test_analyses_are_listed_newest_first_and_confined_to_their_tenant(
        self, stores: Stores, clock: VirtualClock
    ) -> None:
        await plant(stores, analysis=ON)
        for number in range(3):
            watch = (await _claim(stores, f"claim{number}"))[0]
            await stores.watches.settle(watch, replace(_look(watch), analysis=_analysis(watch, f"session{number}")))
            clock.advance(MINUTE)

        page = await stores.watches.list(TENANT, "ep1", limit=2, offset=1)

        after = [
            [each.id for each in (await stores.watches.list(TENANT, "ep1", limit=1, after=last)).analyses]
            for last in ("session2", "session1", "session0", "gone")
        ]
        assert [each.id for each in page.analyses] == ["session1", "session0"]
        assert page.total == 3
        assert after == [["session1"], ["session0"], [], []]
        for call in (stores.watches.list(OTHER_TENANT, "ep1", limit=1), stores.watches.get(OTHER_TENANT, "session1")):
            with pytest.raises(NotFoundError):
                await call

    async def test_when_to_look_again_is_told_as_the_last_look_settled_it(
        self, stores: Stores, clock: VirtualClock
    ) -> None:
        await plant(stores, analysis=ON)
        told = [(await stores.watches.list(TENANT, "ep1", limit=1)).follow_up_at]
        seen = Fingerprint(shape="s", labels={"/status": "w1"})
        for follow_up in (FollowUp(at=clock.now() + 9 * MINUTE, seen=seen, changed="/status"), None):
            watch = (await _claim(stores))[0]
            memory = replace(watch.memory, follow_up=follow_up)
            await stores.watches.settle(watch, replace(_look(watch), memory=memory))
            told.append((await stores.watches.list(TENANT, "ep1", limit=1)).follow_up_at)
            clock.advance(MINUTE)
            assert (await _claim(stores, "again", ttl=MINUTE))[0].memory == memory
            clock.advance(MINUTE)

        assert told == [None, clock.now() + 5 * MINUTE, None]

    async def _lost(self, stores: Stores, watch: Watch) -> None:
        look = replace(_look(watch), analysis=_analysis(watch), edit=_renamed("lost"))
        with pytest.raises(LeaseLostError):
            await stores.watches.settle(watch, look)
        assert (await stores.watches.list(TENANT, "ep1", limit=10)).total == 0
        assert (await endpoint_of(stores)).name == "ep1"


async def _claim(stores: Stores, claim_id: str = "claim", *, limit: int = 10, ttl: timedelta = MINUTE) -> list[Watch]:
    return list(await stores.watches.claim_due(claim_id=claim_id, limit=limit, ttl=ttl))


async def _switch(stores: Stores, switch: AnalysisSwitch) -> None:
    def edit(endpoint: JobEndpoint, _job: Job, _stored: Stored) -> Change:
        return Change(endpoint=replace(endpoint, analysis=switch))

    await stores.endpoints.change(TENANT, "ep1", edit)


def _renamed(name: str) -> EndpointEdit:
    return lambda endpoint, job, stored: Change(endpoint=replace(endpoint, name=name))


def _look(watch: Watch) -> Look:
    memory = replace(NOTHING_WATCHED, failures=watch.memory.failures + 1, pending=_WHY)
    return Look(memory=memory, cursor=watch.claimed_at, look_at=watch.claimed_at + MINUTE)


_WHY = Why(occasion=Occasion.NOVELTY, detail="/status")


def _analysis(watch: Watch, analysis_id: str = "session1") -> Analysis:
    return Analysis(
        id=analysis_id,
        tenant_id=TENANT,
        endpoint_id=watch.endpoint.id,
        at=watch.claimed_at,
        why=_WHY,
        denied=Denied(reason=DenialReason.LIMIT, remaining=7, retry_after=MINUTE, reset_at=watch.claimed_until),
        model="m",
        reasoning="Because.",
        confidence_percent=90,
        next_analysis=MINUTE,
        calls=(CallMade(tool="get_history", arguments="{}", result="[]", refused=True),),
        warnings=("unknown_tool",),
        applied=("rule: hurry",),
        spent=AnalysisUsage(input=1, output=2, cached=3, estimated=4, charged=9, cost="0.01", duration=MINUTE),
        error="none",
    )
