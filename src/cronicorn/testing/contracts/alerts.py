"""The promises of `AlertingBook`, `AlertWatch`, `IncidentBook` and `Outbox`."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from cronicorn.domain.alert.alerting import (
    NO_ALERTING,
    AlertChannel,
    Alerting,
    AlertRoute,
    AlertRules,
    AlertScope,
    FailureShare,
    IncidentKind,
    MaintenanceWindow,
    RulesException,
)
from cronicorn.domain.alert.incident import AlertEvent, AlertMessage, Incident, MessageState, Receipt
from cronicorn.domain.cron import CronSchedule
from cronicorn.domain.endpoint import Job, JobEndpoint
from cronicorn.domain.errors import ConflictError, LeaseLostError, NotFoundError
from cronicorn.domain.fixtures import MIDNIGHT, a_run, an_outcome
from cronicorn.domain.governor import GovernorMemory
from cronicorn.domain.instant import ZERO, shifted
from cronicorn.domain.run import RunStatus
from cronicorn.domain.settlement import Change, Stored
from cronicorn.domain.steering_memory import SteeringMemory
from cronicorn.domain.tenant import ApiKey, Tenant
from cronicorn.testing.clocks import VirtualClock
from cronicorn.testing.contracts.stores import (
    MINUTE,
    OTHER_TENANT,
    TENANT,
    TTL,
    Stores,
    StoresContract,
    claim_one,
    endpoint_of,
    plant,
    settle,
)

_EVERY = timedelta(seconds=10)
_ALL = Alerting(
    rules=AlertRules(
        failures=2, share=FailureShare(failures=3, runs=10), successes=2, late_after=MINUTE, pause_after=5,
        near_percent=90,
    ),
    exceptions=(RulesException(scope=AlertScope(job_ids=("job1",)), rules=AlertRules(failures=7)),),
    routes=(
        AlertRoute(
            id="route1", name="ünïcode \u2028", channel=AlertChannel.WEBHOOK, target="https://example.com/hook",
            kinds=(IncidentKind.FAILING, IncidentKind.LATE), scope=AlertScope(endpoint_ids=("ep1",)),
            remind_every=timedelta(hours=1), enabled=False, sealed="not a URL any more",
        ),
        AlertRoute(id="route2", name="mail", channel=AlertChannel.EMAIL, target="ops@example.com"),
    ),
    windows=(
        MaintenanceWindow(id="window1", name="once", duration=MINUTE, start_at=MIDNIGHT),
        MaintenanceWindow(id="window2", name="nightly", duration=MINUTE, cron=CronSchedule("0 3 * * *", "Asia/Tokyo")),
    ),
)  # fmt: skip


def an_incident(**changes: object) -> Incident:
    """An incident of `ep1` that was never written."""
    values: dict[str, object] = {
        "id": "incident1", "tenant_id": TENANT, "kind": IncidentKind.FAILING, "subject": "ep1", "opened_at": MIDNIGHT,
        "job_id": "job1", "summary": "3 slots in a row failed.",
    }  # fmt: skip
    return Incident(**(values | changes))  # type: ignore[arg-type]


def a_message(message_id: str = "alert1", **changes: object) -> AlertMessage:
    """A message about it that is due."""
    values: dict[str, object] = {
        "id": message_id, "tenant_id": TENANT, "incident_id": "incident1", "route_id": "route1",
        "event": AlertEvent.OPENED, "created_at": MIDNIGHT, "due_at": MIDNIGHT, "body": {"type": "incident.opened"},
    }  # fmt: skip
    return AlertMessage(**(values | changes))  # type: ignore[arg-type]


async def _claimed(stores: Stores, claim_id: str, limit: int = 10) -> list[str]:
    return [each.id for each in await stores.outbox.claim_due(claim_id=claim_id, limit=limit, ttl=MINUTE)]


async def _suspects(stores: Stores, since: datetime, *, marked: bool = False) -> list[tuple[str, bool]]:
    found = await stores.alert_watch.suspects(since, _EVERY, marked=marked)
    return [(each.endpoint.id, each.leased) for each in found]


async def _fail(stores: Stores) -> None:
    lease = await claim_one(stores)
    await settle(stores, lease, a_run(lease, an_outcome(500)))


class AlertsContract(StoresContract):
    """Subclass this with a `stores` fixture."""

    async def test_what_a_tenant_has_said_is_kept_for_it_alone(self, stores: Stores) -> None:
        for name in (TENANT, OTHER_TENANT):
            key = ApiKey(id=f"key-{name}", tenant_id=name, prefix="ck", hash=f"hash-{name}", created_at=MIDNIGHT)
            await stores.keys.add_tenant(Tenant(id=name, name=name, created_at=MIDNIGHT), key)
        assert await stores.alertings.get(TENANT) == NO_ALERTING

        await stores.alertings.change(TENANT, lambda _: _ALL)
        seen: list[Alerting] = []

        def looked_at(before: Alerting) -> Alerting:
            seen.append(before)
            return before

        await stores.alertings.change(TENANT, looked_at)

        assert seen[-1] == _ALL
        assert await stores.alertings.get(TENANT) == _ALL
        assert await stores.alertings.get(OTHER_TENANT) == NO_ALERTING
        assert await stores.alertings.all() == {TENANT: _ALL}

    async def test_changes_at_once_lose_nothing(self, stores: Stores) -> None:
        key = ApiKey(id="key", tenant_id=TENANT, prefix="ck", hash="hash", created_at=MIDNIGHT)
        await stores.keys.add_tenant(Tenant(id=TENANT, name=TENANT, created_at=MIDNIGHT), key)
        routes = [replace(_ALL.routes[1], id=f"route{number}") for number in range(5)]

        async def add(route: AlertRoute) -> None:
            await stores.alertings.change(TENANT, lambda before: before.with_route(route))

        await asyncio.gather(*map(add, routes))

        assert {route.id for route in (await stores.alertings.get(TENANT)).routes} == {each.id for each in routes}

    async def test_a_tenant_that_is_not_there_says_nothing(self, stores: Stores) -> None:
        with pytest.raises(NotFoundError):
            await stores.alertings.change("nobody", lambda _: _ALL)

        assert await stores.alertings.all() == {}

    async def test_one_process_at_a_time_makes_a_round(self, stores: Stores, clock: VirtualClock) -> None:
        first = await stores.alert_watch.begin(claim_id="c1", every=_EVERY, ttl=MINUTE)
        beside = await stores.alert_watch.begin(claim_id="c2", every=_EVERY, ttl=MINUTE)
        assert first is not None
        await stores.alert_watch.end(first)
        too_early = await stores.alert_watch.begin(claim_id="c3", every=_EVERY, ttl=MINUTE)
        clock.advance(_EVERY)
        second = await stores.alert_watch.begin(claim_id="c4", every=_EVERY, ttl=MINUTE)

        assert (beside, too_early) == (None, None)
        assert second is not None
        assert (second.since, second.now) == (first.now, shifted(first.now, _EVERY))
        clock.advance(timedelta(hours=-1))  # Set back: nobody has to wait until it is as late again.
        assert await stores.alert_watch.begin(claim_id="c5", every=_EVERY, ttl=MINUTE) is not None

    async def test_a_round_that_nobody_ends_is_made_again(self, stores: Stores, clock: VirtualClock) -> None:
        killed = await stores.alert_watch.begin(claim_id="c1", every=_EVERY, ttl=MINUTE)
        clock.advance(MINUTE)
        again = await stores.alert_watch.begin(claim_id="c2", every=_EVERY, ttl=MINUTE)
        assert killed is not None
        assert again is not None
        await stores.alert_watch.end(killed)  # Too late: it changes nothing.

        assert again.since == killed.since
        assert await stores.alert_watch.begin(claim_id="c3", every=_EVERY, ttl=MINUTE) is None

    async def test_who_failed_lately_is_suspect_and_who_succeeded_is_not(
        self, stores: Stores, clock: VirtualClock
    ) -> None:
        await plant(stores, "ep1")
        clock.advance(MINUTE)
        await _fail(stores)
        failed_at = clock.now()
        clock.advance(10 * MINUTE)
        await settle(stores, await claim_one(stores))

        assert await _suspects(stores, failed_at) == [("ep1", False)]
        assert await _suspects(stores, clock.now()) == []

    async def test_who_is_overdue_is_suspect_until_somebody_runs_it(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores, "ep1")
        clock.advance(MINUTE + _EVERY)
        in_time = await _suspects(stores, clock.now())
        clock.advance(timedelta(seconds=1))
        late = await _suspects(stores, clock.now())
        await claim_one(stores)
        leased = await _suspects(stores, clock.now())
        clock.advance(TTL)

        assert (in_time, late, leased) == ([], [("ep1", False)], [])
        assert await _suspects(stores, clock.now()) == [("ep1", False)]

    async def test_who_has_an_incident_is_suspect_while_it_is_open(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores, "ep1")
        clock.advance(MINUTE)
        await claim_one(stores)
        await stores.incidents.write(an_incident())
        open_now = await _suspects(stores, clock.now())
        await stores.incidents.write(an_incident(version=1, closed_at=MIDNIGHT, ending="Over."))

        assert open_now == [("ep1", True)]
        assert await _suspects(stores, clock.now()) == []

    async def test_who_is_frozen_is_suspect_when_marks_are_looked_for(
        self, stores: Stores, clock: VirtualClock
    ) -> None:
        await plant(stores, "ep1")
        await plant(stores, "ep2")
        governor = GovernorMemory(frozen_until=shifted(clock.now(), MINUTE))

        def frozen(endpoint: JobEndpoint, _job: Job, _stored: Stored) -> Change:
            memory = SteeringMemory(governor=governor)
            return Change(endpoint=endpoint.standing(replace(endpoint.state, memory=memory)))

        await stores.endpoints.change(TENANT, "ep2", frozen)

        assert await _suspects(stores, clock.now(), marked=True) == [("ep2", False)]
        assert await _suspects(stores, clock.now()) == []

    async def test_it_knows_how_the_last_runs_ended(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores, "ep1")
        for status in (500, 200, 500):
            clock.advance(10 * MINUTE)
            lease = await claim_one(stores)
            await settle(stores, lease, a_run(lease, an_outcome(status)))

        ended = await stores.alert_watch.recent(TENANT, "ep1", 2)

        assert list(ended) == [RunStatus.FAILED, RunStatus.SUCCESS]
        assert list(await stores.alert_watch.recent(OTHER_TENANT, "ep1", 2)) == []

    async def test_an_incident_is_kept_as_it_was_written(self, stores: Stores) -> None:
        told = {"route1": MIDNIGHT}
        full = an_incident(
            told=told, acknowledged_at=MIDNIGHT, acknowledged_by="Ädä", closed_at=MIDNIGHT, ending="Over \u2028.",
            relapses=2, quiet_until=shifted(MIDNIGHT, MINUTE),
        )  # fmt: skip

        assert await stores.incidents.write(full)

        assert await stores.incidents.get(TENANT, "incident1") == replace(full, version=1)
        with pytest.raises(NotFoundError):
            await stores.incidents.get(OTHER_TENANT, "incident1")

    async def test_one_incident_of_a_kind_and_subject_is_open(self, stores: Stores) -> None:
        both = await asyncio.gather(
            *(stores.incidents.write(an_incident(id=name), [a_message(f"of-{name}")]) for name in ("a", "b"))
        )
        (kept,) = await stores.incidents.open()
        of_another_kind = await stores.incidents.write(an_incident(id="c", kind=IncidentKind.LATE))

        assert sorted(both) == [False, True]
        assert [each.id for each in await stores.outbox.list(TENANT)] == [f"of-{kept.id}"]
        assert of_another_kind
        assert await stores.incidents.write(replace(kept, closed_at=MIDNIGHT, ending="Over."))
        assert await stores.incidents.write(an_incident(id="d"))

    async def test_whoever_saw_an_older_version_writes_nothing(self, stores: Stores) -> None:
        await stores.incidents.write(an_incident())
        (seen,) = await stores.incidents.open()
        assert await stores.incidents.write(replace(seen, acknowledged_at=MIDNIGHT, acknowledged_by="Ada"))

        assert not await stores.incidents.write(replace(seen, closed_at=MIDNIGHT, ending="Over."), [a_message()])

        assert (await stores.incidents.get(TENANT, "incident1")).open
        assert list(await stores.outbox.list(TENANT)) == []

    async def test_an_edit_is_written_with_its_incident_or_not_at_all(self, stores: Stores) -> None:
        await plant(stores, "ep1")

        def rename(endpoint: JobEndpoint, _job: Job, _stored: Stored) -> Change:
            return Change(endpoint=replace(endpoint, name="after"))

        def refuse(_endpoint: JobEndpoint, _job: Job, _stored: Stored) -> Change:
            raise ConflictError("no")

        with pytest.raises(ConflictError):
            await stores.incidents.write(an_incident(), [a_message()], refuse)
        assert (list(await stores.incidents.open()), list(await stores.outbox.list(TENANT))) == ([], [])
        assert await stores.incidents.write(an_incident(), [a_message()], rename)
        late = await stores.incidents.write(an_incident(id="another"), [], lambda endpoint, _job, _stored: Change(
            endpoint=replace(endpoint, name="too late")
        ))  # fmt: skip

        assert not late
        assert (await endpoint_of(stores)).name == "after"

    async def test_incidents_are_listed_by_tenant_newest_first(self, stores: Stores) -> None:
        for name in ("a", "b", "c"):
            over = {"closed_at": MIDNIGHT, "ending": "Over."} if name == "b" else {}
            await stores.incidents.write(an_incident(id=name, subject=name, **over))
        await stores.incidents.write(an_incident(id="other", tenant_id=OTHER_TENANT))

        listed = [each.id for each in await stores.incidents.list(TENANT)]
        open_ones = [each.id for each in await stores.incidents.list(TENANT, open_only=True, limit=1, offset=1)]

        assert (listed, open_ones) == (["c", "b", "a"], ["a"])
        assert {each.id for each in await stores.incidents.open()} == {"a", "c", "other"}

    async def test_what_is_over_for_long_is_forgotten_and_what_goes_on_is_not(self, stores: Stores) -> None:
        await stores.incidents.write(an_incident(id="open"))
        await stores.incidents.write(an_incident(id="over", subject="x", closed_at=MIDNIGHT, ending="Over."))
        await stores.outbox.add(a_message("waits"))
        settled = a_message("settled", state=MessageState.DELIVERED, settled_at=MIDNIGHT)
        await stores.outbox.add(settled)

        removed = await stores.incidents.prune(shifted(MIDNIGHT, MINUTE), 10)

        assert removed == 2
        assert [each.id for each in await stores.incidents.list(TENANT)] == ["open"]
        assert [each.id for each in await stores.outbox.list(TENANT)] == ["waits"]

    async def test_a_message_is_claimed_once_and_again_when_its_claim_has_run_out(
        self, stores: Stores, clock: VirtualClock
    ) -> None:
        await stores.outbox.add(a_message(due_at=shifted(clock.now(), MINUTE)))
        early = await _claimed(stores, "c0")
        clock.advance(MINUTE)
        first = await _claimed(stores, "c1")
        beside = await _claimed(stores, "c2")
        clock.advance(MINUTE)

        assert (early, first, beside) == ([], ["alert1"], [])
        assert await _claimed(stores, "c3") == ["alert1"]

    async def test_tenants_take_turns_however_many_messages_wait_of_one(
        self, stores: Stores, clock: VirtualClock
    ) -> None:
        for number in range(5):
            await stores.outbox.add(a_message(f"many{number}", due_at=clock.now(), route_id=f"route{number}"))
        clock.advance(MINUTE)
        for few in ("few0", "few1"):
            await stores.outbox.add(a_message(few, due_at=clock.now(), route_id=few, tenant_id=OTHER_TENANT))

        claims = [await _claimed(stores, f"c{number}", limit) for number, limit in enumerate((3, 1, 10))]

        assert [set(claim) for claim in claims] == [{"many0", "many1", "few0"}, {"few1"}, {"many2", "many3", "many4"}]

    async def test_whoever_lost_a_claim_settles_nothing(self, stores: Stores, clock: VirtualClock) -> None:
        await stores.outbox.add(a_message(due_at=clock.now()))
        (slow,) = await stores.outbox.claim_due(claim_id="c1", limit=1, ttl=MINUTE)
        clock.advance(MINUTE)
        (quick,) = await stores.outbox.claim_due(claim_id="c2", limit=1, ttl=MINUTE)
        await stores.outbox.settle(quick.after(Receipt(), clock.now()))

        for late in (slow, quick):
            with pytest.raises(LeaseLostError):
                await stores.outbox.settle(late.after(Receipt("no"), clock.now()))

        (kept,) = await stores.outbox.list(TENANT)
        assert (kept.state, kept.attempts, kept.settled_at) == (MessageState.DELIVERED, 1, clock.now())
        assert await stores.alert_watch.waiting() == {}

    async def test_a_failed_message_waits_longer_each_time_until_it_is_given_up(
        self, stores: Stores, clock: VirtualClock
    ) -> None:
        await stores.outbox.add(a_message(created_at=clock.now(), due_at=clock.now()))
        waits = []
        for attempt in range(100):
            (claimed,) = await stores.outbox.claim_due(claim_id=f"c{attempt}", limit=1, ttl=MINUTE)
            failed = claimed.after(Receipt("It is down."), clock.now())
            await stores.outbox.settle(failed)
            if failed.state is MessageState.UNDELIVERED:
                break
            waits.append(failed.due_at - clock.now())
            clock.advance(waits[-1])

        (kept,) = await stores.outbox.list(TENANT)
        assert waits == sorted(waits)
        assert (waits[0], waits[-1]) == (timedelta(seconds=5), timedelta(minutes=30))
        assert timedelta(hours=24) <= sum(waits, ZERO) <= timedelta(hours=25)
        assert (kept.state, kept.error) == (MessageState.UNDELIVERED, "It is down.")

    async def test_one_message_of_a_route_goes_at_a_time_and_those_of_an_incident_in_their_order(
        self, stores: Stores, clock: VirtualClock
    ) -> None:
        later = shifted(clock.now(), MINUTE)
        await stores.outbox.add(a_message("opened", due_at=later))
        await stores.outbox.add(a_message("recovered", due_at=clock.now(), event=AlertEvent.RECOVERED))
        await stores.outbox.add(a_message("other", due_at=clock.now(), incident_id="incident2"))
        await stores.outbox.add(a_message("test", due_at=clock.now(), incident_id=None, event=AlertEvent.TEST))
        await stores.outbox.add(a_message("elsewhere", due_at=clock.now(), route_id="route2", tenant_id=OTHER_TENANT))

        claimed = await _claimed(stores, "c1")
        beside = await _claimed(stores, "c2")

        assert sorted(claimed) == ["elsewhere", "other"]
        assert beside == []
        assert await stores.alert_watch.waiting() == {"route1": 4, "route2": 1}

    async def test_messages_are_listed_by_route_and_incident(self, stores: Stores) -> None:
        await stores.outbox.add(a_message("a"))
        await stores.outbox.add(a_message("b", incident_id="incident2", route_id="route2"))
        await stores.outbox.add(a_message("c", tenant_id=OTHER_TENANT))

        assert list(await stores.outbox.list(TENANT, limit=1)) == [
            a_message("b", incident_id="incident2", route_id="route2")
        ]
        assert [each.id for each in await stores.outbox.list(TENANT, route_id="route1")] == ["a"]
        assert [each.id for each in await stores.outbox.list(TENANT, incident_id="incident2")] == ["b"]
