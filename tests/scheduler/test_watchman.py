"""Watchman and courier on real stores in virtual time: what is noticed, who is told, and what a death costs."""

import shutil
from dataclasses import replace
from datetime import timedelta
from itertools import count

import pytest

from cronicorn.adapters.memory.stores import MemoryStores
from cronicorn.adapters.sqlite.stores import SqliteStores
from cronicorn.adapters.vault.aes_vault import AesVault
from cronicorn.adapters.vault.master_keys import GivenKeys, PassingKey
from cronicorn.domain.access.audit_entry import AuditQuery
from cronicorn.domain.alert.alerting import (
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
from cronicorn.domain.alert.incident import WAITING_MAX, AlertEvent, MessageState
from cronicorn.domain.alert.judging import used_up
from cronicorn.domain.alert.targets import place_of_route, with_url
from cronicorn.domain.alert.telling import trial
from cronicorn.domain.call import Outcome, OutcomeKind
from cronicorn.domain.editing import resumed
from cronicorn.domain.endpoint import Baseline, RetryPolicy
from cronicorn.domain.fixtures import MIDNIGHT, a_run, an_outcome
from cronicorn.domain.governor import GovernorMemory
from cronicorn.domain.hint import HintKind
from cronicorn.domain.plan import Source
from cronicorn.domain.policy.memory import PolicyMemory, RuleMemory
from cronicorn.domain.ports import Dispatcher
from cronicorn.domain.principal import ActorKind
from cronicorn.domain.settlement import Change
from cronicorn.domain.steering_memory import SteeringMemory
from cronicorn.domain.tenant import ApiKey, Tenant
from cronicorn.scheduler.delivering import CLAIM_TTL, Courier, CourierPorts
from cronicorn.scheduler.watchman import ROUND_TTL, Watchman, WatchmanPorts
from cronicorn.testing.clocks import VirtualClock
from cronicorn.testing.contracts.stores import CRON, TENANT, claim, deciding, endpoint_of, plant

EVERY = timedelta(seconds=10)
HOOK = AlertRoute(id="hook", name="hook", channel=AlertChannel.WEBHOOK, target="https://example.com/hook")
USUAL = Alerting(rules=AlertRules(failures=2), routes=(HOOK,))


class Receivers(Dispatcher):
    """Servers that take what they are sent, or answer with another status."""

    def __init__(self):
        self.calls = []
        self.status = 200

    async def dispatch(self, call):
        self.calls.append(call)
        return Outcome(kind=OutcomeKind.RESPONDED, duration=timedelta(0), status_code=self.status)


class World:
    """A store, a watchman and a courier, and what there is to be seen of them."""

    def __init__(self, stores, clock):
        self.stores, self.clock = stores, clock
        self.receivers = Receivers()
        self.vault = AesVault(PassingKey())
        self.vault.make_key()
        self.numbers = count(1)
        self.usage = []
        self.settled = []
        self.hire()

    def hire(self):
        """A new process."""
        stores = self.stores
        self.watchman = Watchman(
            WatchmanPorts(
                book=stores.alertings, watch=stores.alert_watch, incidents=stores.incidents, usage=self._usage,
                cron=CRON, new_id=self._new_id, wake=lambda: None,
            ),
            EVERY,
        )  # fmt: skip
        self.courier = Courier(
            CourierPorts(
                outbox=stores.outbox, book=stores.alertings, dispatcher=self.receivers, vault=self.vault, mailer=None,
                clock=self.clock, new_id=self._new_id,
                settled=lambda state, channel: self.settled.append((state, channel)),
            ),
            EVERY,
        )  # fmt: skip

    async def say(self, **alerting):
        await self.stores.alertings.change(TENANT, lambda _: replace(USUAL, **alerting))

    async def run(self, status=200, source=None):
        """Wait until what is due next is due, and run it."""
        due = await self.stores.job_store.next_due()
        self.clock.advance(max(due.due_at - self.clock.now(), timedelta(0)))
        for lease in await claim(self.stores):
            run = a_run(lease, an_outcome(status))
            run = run if source is None else replace(run, source=source)
            await self.stores.job_store.settle(lease, run, deciding(lease, run))

    async def look(self):
        """The next round, and then everything that waits is sent, as far as it can be."""
        self.clock.advance(EVERY)
        assert await self.watchman.look_once()
        await self.send()

    async def send(self):
        while claimed := await self.stores.outbox.claim_due(claim_id=self._new_id("c"), limit=5, ttl=CLAIM_TTL):
            for message in claimed:
                await self.courier.deliver(message)

    async def open(self):
        return [(each.kind.value, each.subject) for each in await self.stores.incidents.open()]

    async def events(self):
        """What was sent, oldest first."""
        return [each.event.value for each in reversed(await self.stores.outbox.list(TENANT))]

    async def _usage(self, tenant_id, rules):
        return self.usage

    def _new_id(self, kind):
        return f"{kind}_{next(self.numbers)}"


async def _populated(stores, clock):
    key = ApiKey(id="key", tenant_id=TENANT, prefix="ck", hash="hash", created_at=MIDNIGHT)
    await stores.keys.add_tenant(Tenant(id=TENANT, name=TENANT, created_at=MIDNIGHT), key)
    world = World(stores, clock)
    await world.say()
    return world


@pytest.fixture
async def world():
    clock = VirtualClock()
    return await _populated(MemoryStores.open(clock), clock)


async def test_failing_is_told_once_and_so_is_that_it_is_over_with_one_id(world):
    await plant(world.stores, "ep1")
    await world.run(500)
    await world.look()
    after_one = await world.open()
    await world.run(500)
    await world.look()
    await world.run(500)
    await world.look()
    after_more = await world.open()
    await world.run()
    await world.look()

    messages = await world.stores.outbox.list(TENANT)
    (incident,) = await world.stores.incidents.list(TENANT)
    assert (after_one, after_more, await world.open()) == ([], [("failing", "ep1")], [])
    assert [each.event for each in messages] == [AlertEvent.RECOVERED, AlertEvent.OPENED]
    assert {each.incident_id for each in messages} == {incident.id}
    assert len({call.headers["Idempotency-Key"] for call in world.receivers.calls}) == len(world.receivers.calls) == 2
    assert incident.ending == "The last run succeeded."


async def test_what_comes_and_goes_is_told_now_and_then_and_soon_when_it_stays(world):
    await world.say(rules=AlertRules(failures=1))
    await plant(world.stores, "ep1", baseline=Baseline(interval=timedelta(seconds=20)))
    begun = world.clock.now()
    while world.clock.now() - begun < timedelta(hours=1):
        for status in (500, 200):
            await world.run(status)
            await world.look()
    flapping = await world.events()
    incidents = len(await world.stores.incidents.list(TENANT, limit=1_000))

    broken = world.clock.now()
    while len(await world.events()) == len(flapping):
        await world.run(500)
        await world.look()

    assert incidents > 40
    assert flapping.count("opened") == flapping.count("recovered") <= 10
    assert (await world.events())[-1] == "opened"
    assert world.clock.now() - broken < timedelta(minutes=16)


async def test_what_is_quiet_is_told_when_the_clock_is_set_back(world):
    await world.say(rules=AlertRules(failures=1))
    await plant(world.stores, "ep1")
    for status in (500, 200, 500):
        await world.run(status)
        await world.look()
    quiet = await world.events()
    world.clock.advance(timedelta(hours=-2))
    await world.look()

    assert quiet == ["opened", "recovered"]
    assert await world.events() == ["opened", "recovered", "opened"]


async def test_what_comes_back_after_a_while_is_told_at_once(world):
    await world.say(rules=AlertRules(failures=1))
    await plant(world.stores, "ep1")
    for status in (500, 200):
        await world.run(status)
        await world.look()
    world.clock.advance(timedelta(minutes=10))
    await world.run(500)
    await world.look()

    assert [event for event in await world.events() if event != "reminder"] == ["opened", "recovered", "opened"]


@pytest.mark.parametrize(
    ("rules", "opened_by"),
    [
        (AlertRules(failures=2), 6),
        (AlertRules(failures=50, share=FailureShare(failures=3, runs=3)), 3),
    ],
    ids=["in a row", "share"],
)
async def test_a_slot_fails_once_its_retries_have_and_a_share_counts_each_of_them(world, rules, opened_by):
    await world.say(rules=rules)
    await plant(world.stores, "ep1", retries=RetryPolicy(count=2), baseline=Baseline(interval=timedelta(hours=1)))
    seen = []
    for _ in range(6):
        await world.run(500)
        await world.look()
        seen.append(bool(await world.open()))

    assert seen.index(True) + 1 == opened_by


async def test_a_share_of_the_last_runs_is_enough_and_it_recovers_when_it_is_less(world):
    rules = AlertRules(failures=50, share=FailureShare(failures=2, runs=4), successes=3)
    await world.say(rules=rules)
    await plant(world.stores, "ep1")
    seen = []
    for status in (500, 200, 500, 200, 200, 200, 200):
        await world.run(status)
        await world.look()
        seen.append(len(await world.open()))

    assert seen == [0, 0, 1, 1, 1, 0, 0]


async def test_test_calls_and_cancelled_ones_decide_nothing(world):
    await plant(world.stores, "ep1")
    await world.say(rules=AlertRules(failures=50, share=FailureShare(failures=1, runs=1)))
    await world.run(500, source=Source.TEST)
    await world.look()

    assert await world.open() == []


async def test_an_exception_holds_for_its_endpoints_alone(world):
    patient = RulesException(scope=AlertScope(endpoint_ids=("ep2",)), rules=AlertRules(failures=50))
    await world.say(exceptions=(patient,))
    await plant(world.stores, "ep1", "ep2")
    for _ in range(4):
        await world.run(500)
    await world.look()

    assert await world.open() == [("failing", "ep1")]


async def test_a_slot_that_nobody_runs_is_late_until_somebody_does(world):
    await plant(world.stores, "ep1")
    world.clock.advance(timedelta(minutes=2))
    await world.look()
    in_time = await world.open()
    world.clock.advance(timedelta(minutes=1))
    await world.look()
    late = await world.open()
    await world.run()
    await world.look()

    assert (in_time, late, await world.open()) == ([], [("late", "ep1")], [])
    assert await world.events() == ["opened", "recovered"]


async def test_many_late_endpoints_are_one_incident_until_none_is(world):
    names = [f"ep{number}" for number in range(21)]
    await plant(world.stores, *names)
    world.clock.advance(timedelta(minutes=4))
    await world.look()
    together = await world.open()
    for lease in await claim(world.stores, limit=20):
        run = a_run(lease)
        await world.stores.job_store.settle(lease, run, deciding(lease, run))
    await world.look()
    one_left = await world.open()
    await world.run()
    await world.look()

    assert (together, one_left, await world.open()) == ([("late", "")], [("late", "")], [])
    assert await world.events() == ["opened", "recovered"]


async def test_who_fails_too_often_is_paused_with_a_reason_until_a_person_resumes_it(world):
    await world.say(rules=AlertRules(failures=50, pause_after=3))
    await plant(world.stores, "ep1")
    for _ in range(3):
        await world.run(500)
    await world.look()
    paused = await endpoint_of(world.stores)
    (hint,) = paused.state.hints
    await world.look()
    while_paused = await world.open()
    (entry,) = await world.stores.audit_log.list(TENANT, AuditQuery(limit=9))
    await world.stores.endpoints.change(TENANT, "ep1", lambda before, job, stored: resumed(before, stored, CRON))
    await world.look()
    after = await world.open()
    await world.run(500)
    await world.look()

    assert paused.state.plan is not None
    assert paused.state.plan.source is Source.PAUSED
    assert hint.reason is not None
    assert (hint.kind, hint.reason.split(";")[0]) == (
        HintKind.PAUSE,
        "Paused by the alert rules after 3 failures in a row",
    )
    assert (while_paused, after, await world.open()) == ([("paused", "ep1")], [], [])
    assert await world.events() == ["opened", "recovered"]
    assert (entry.actor_kind, entry.actor, entry.action) == (ActorKind.RULE, "alert rules", "endpoint.pause")
    assert "after 3 failures in a row" in repr(entry.after)


@pytest.mark.parametrize(
    ("memory", "kind"),
    [
        (SteeringMemory(governor=GovernorMemory(frozen_until=MIDNIGHT + timedelta(minutes=30))), IncidentKind.FROZEN),
        (SteeringMemory(rules=PolicyMemory(rules={"slow": RuleMemory(unknowns=3)})), IncidentKind.DRIFTED),
    ],
)
async def test_what_steering_remembers_is_noticed_and_so_is_its_end(world, memory, kind):
    await plant(world.stores, "ep1")

    def remember(kept):
        return lambda endpoint, job, stored: Change(endpoint=endpoint.standing(replace(endpoint.state, memory=kept)))

    await world.stores.endpoints.change(TENANT, "ep1", remember(memory))
    await world.look()
    wrong = await world.open()
    await world.stores.endpoints.change(TENANT, "ep1", remember(SteeringMemory()))
    await world.look()

    assert (wrong, await world.open()) == ([(kind.value, "ep1")], [])


@pytest.mark.parametrize(("used", "wrong"), [(79, None), (80, "tokens_near"), (99, "tokens_near"), (100, "tokens_out")])
async def test_quotas_are_told_when_they_are_near_and_when_they_are_out(world, used, wrong):
    kinds = (IncidentKind.TOKENS_NEAR, IncidentKind.TOKENS_OUT)
    world.usage = list(used_up("tokens", used, 100, 80, kinds))
    await world.look()

    assert await world.open() == ([] if wrong is None else [(wrong, "")])


async def test_an_endpoint_that_is_deleted_or_archived_ends_its_incidents(world):
    await plant(world.stores, "ep1", "ep2")
    for _ in range(2):
        await world.run(500)
    await world.look()
    both = await world.open()
    await world.stores.endpoints.delete(TENANT, "ep1")
    await world.stores.endpoints.change(
        TENANT, "ep2", lambda before, job, stored: Change(endpoint=replace(before, archived_at=stored.now))
    )
    await world.look()

    assert (len(both), await world.open()) == (2, [])
    endings = {each.subject: each.ending for each in await world.stores.incidents.list(TENANT)}
    assert endings == {
        "ep1": "The endpoint was deleted.",
        "ep2": "The endpoint or its job was archived or paused.",
    }


async def test_reminders_come_as_often_as_is_wanted_until_somebody_acknowledges(world):
    reminding = replace(HOOK, remind_every=timedelta(minutes=1))
    await world.say(routes=(reminding,))
    await plant(world.stores, "ep1")
    for _ in range(2):
        await world.run(500)
    for _ in range(14):
        await world.look()
    events = await world.events()
    (incident,) = await world.stores.incidents.open()
    seen = replace(incident, acknowledged_at=world.clock.now(), acknowledged_by="Ada")
    assert await world.stores.incidents.write(seen)
    for _ in range(14):
        await world.look()

    assert events == ["opened", "reminder", "reminder"]
    assert await world.events() == events


async def test_only_who_wants_to_know_is_told(world):
    routes = (
        replace(HOOK, id="other-kind", kinds=(IncidentKind.LATE,)),
        replace(HOOK, id="other-endpoint", scope=AlertScope(endpoint_ids=("ep9",))),
        replace(HOOK, id="its-job", scope=AlertScope(job_ids=("job1",))),
        replace(HOOK, id="switched-off", enabled=False),
    )
    await world.say(routes=routes)
    await plant(world.stores, "ep1")
    for _ in range(2):
        await world.run(500)
    await world.look()

    assert [each.route_id for each in await world.stores.outbox.list(TENANT)] == ["its-job"]


async def test_in_a_maintenance_window_nobody_is_told_and_what_outlasts_it_is_told_then(world):
    await plant(world.stores, "ep1")
    start_at = world.clock.now()
    window = MaintenanceWindow(id="w", name="w", start_at=start_at, duration=timedelta(minutes=30))
    await world.say(windows=(window,))
    for _ in range(2):
        await world.run(500)
    await world.look()
    during = (await world.open(), await world.events())
    world.clock.advance(timedelta(minutes=30))
    await world.look()

    assert during == ([("failing", "ep1")], [])
    assert (await world.events())[0] == "opened"


def test_a_window_holds_from_each_of_its_instants_on():
    from cronicorn.domain.cron import CronSchedule

    window = MaintenanceWindow(id="w", name="w", cron=CronSchedule("* * * * *"), duration=timedelta(seconds=20))
    held = [window.holds(MIDNIGHT + timedelta(seconds=second), CRON) for second in (0, 19, 20, 59, 60)]

    assert held == [True, True, False, False, True]


async def test_a_dead_receiver_fills_nothing_and_is_told_no_more_until_it_is_back(world):
    world.receivers.status = 503
    for number in range(WAITING_MAX):
        await world.stores.outbox.add(trial(TENANT, HOOK, world.clock.now(), f"old{number}"))
    await plant(world.stores, "ep1")
    for _ in range(2):
        await world.run(500)
    await world.look()
    while_dead = (await world.stores.alert_watch.waiting(), await world.open())
    world.receivers.status = 200
    world.clock.advance(timedelta(hours=1))
    await world.send()
    await world.look()

    assert while_dead == ({"hook": WAITING_MAX}, [("failing", "ep1")])
    messages = await world.stores.outbox.list(TENANT, limit=1_000)
    assert {each.state for each in messages} == {MessageState.DELIVERED}
    kinds = [each.body["data"]["kind"] for each in messages if each.incident_id]
    assert kinds.count("failing") == 1
    assert (MessageState.WAITING, AlertChannel.WEBHOOK) in world.settled


async def test_a_route_that_was_switched_off_is_sent_nothing_but_tests(world):
    off = replace(HOOK, enabled=False)
    await world.say(routes=(off,))
    opened = replace(trial(TENANT, off, world.clock.now(), "opened"), event=AlertEvent.OPENED)
    await world.stores.outbox.add(opened)
    await world.stores.outbox.add(trial(TENANT, off, world.clock.now(), "test"))
    await world.send()

    found = {each.id: (each.state, each.error) for each in await world.stores.outbox.list(TENANT)}
    assert found == {
        "opened": (MessageState.UNDELIVERED, "The route was switched off."), "test": (MessageState.DELIVERED, None),
    }  # fmt: skip


async def test_a_receiver_that_is_gone_and_a_route_that_was_removed_end_a_message(world):
    world.receivers.status = 410
    await world.stores.outbox.add(trial(TENANT, HOOK, world.clock.now(), "gone"))
    await world.stores.outbox.add(trial(TENANT, replace(HOOK, id="x"), world.clock.now(), "removed"))
    mail = replace(HOOK, id="mail", channel=AlertChannel.EMAIL, target="ops@example.com")
    await world.say(routes=(HOOK, mail))
    await world.stores.outbox.add(trial(TENANT, mail, world.clock.now(), "no-server"))
    await world.send()

    found = {each.id: (each.state, each.error) for each in await world.stores.outbox.list(TENANT)}
    assert found == {
        "gone": (MessageState.UNDELIVERED, "The receiver answered 410."),
        "removed": (MessageState.UNDELIVERED, "The route was removed."),
        "no-server": (
            MessageState.WAITING,
            "No mail server is configured: set CRONICORN_SMTP_URL and CRONICORN_SMTP_FROM.",
        ),
    }


async def test_a_sealed_url_is_opened_to_send_and_a_message_waits_until_it_can_be(world):
    url = "https://hooks.example/services/T0815"
    route = with_url(HOOK, url, world.vault.seal(url.encode(), place_of_route(TENANT, HOOK.id)))
    await world.say(routes=(route,))
    await world.stores.outbox.add(trial(TENANT, HOOK, world.clock.now(), "first"))
    vault, world.vault = world.vault, AesVault(GivenKeys((b"x" * 32,)))
    world.hire()
    await world.send()
    [waiting] = await world.stores.outbox.list(TENANT)
    world.vault = vault
    world.hire()
    world.clock.advance(timedelta(hours=1))
    await world.send()

    [sent] = await world.stores.outbox.list(TENANT)
    assert waiting.state is MessageState.WAITING
    assert "master key" in waiting.error
    assert "0815" not in waiting.error
    assert sent.state is MessageState.DELIVERED
    assert [call.url for call in world.receivers.calls] == [url]


class KilledError(BaseException):
    """The process is gone."""


class Mortal:
    """A port whose caller dies at the call that is counted down to, before it or after it."""

    def __init__(self, inner, life):
        self._inner, self._life = inner, life

    def __getattr__(self, name):
        method = getattr(self._inner, name)

        async def called(*args, **kwargs):
            self._life.step()
            result = await method(*args, **kwargs)
            self._life.step()
            return result

        return called


class Life:
    """Ends after so many steps."""

    def __init__(self, steps):
        self.left = steps

    def step(self):
        if self.left == 0:
            raise KilledError
        self.left -= 1


async def _live(world, life):
    """One round and what it sends, in a process with this *life*; whether it outlived them."""
    kept, receivers = world.stores, world.receivers
    mortal = {name: Mortal(getattr(kept, name), life) for name in ("alertings", "alert_watch", "incidents", "outbox")}
    world.stores = replace(kept, **mortal)
    world.receivers = Mortal(receivers, life)
    world.hire()
    try:
        await world.watchman.look_once()
        await world.send()
    except KilledError:
        return False
    finally:
        world.stores, world.receivers = kept, receivers
        world.hire()
    return True


@pytest.mark.parametrize("backend", ["memory", "sqlite"])
async def test_a_death_at_any_await_loses_nothing_and_sends_nothing_under_another_id(backend, tmp_path):
    template = tmp_path / "template.db"
    await (await SqliteStores.open(template, VirtualClock())).aclose()
    for steps in count():
        clock = VirtualClock()
        place = shutil.copy(template, tmp_path / f"{steps}.db")
        stores = MemoryStores.open(clock) if backend == "memory" else await SqliteStores.open(place, clock)
        world = await _populated(stores, clock)
        await world.say(rules=AlertRules(failures=2, pause_after=2))
        await plant(stores, "ep1")
        for _ in range(2):
            await world.run(500)
        clock.advance(EVERY)

        outlived = await _live(world, Life(steps))
        clock.advance(max(ROUND_TTL, CLAIM_TTL))
        await world.look()
        await world.look()

        incidents = await stores.incidents.list(TENANT)
        assert sorted(each.kind.value for each in incidents) == ["failing", "paused"]
        plan = (await endpoint_of(stores)).state.plan
        assert plan is not None
        assert plan.source is Source.PAUSED
        messages = await stores.outbox.list(TENANT)
        assert {each.state for each in messages} == {MessageState.DELIVERED}
        assert len(messages) == len({each.incident_id for each in messages}) == 2
        sent = {call.headers["Idempotency-Key"]: call.body for call in world.receivers.calls}
        assert sent.keys() == {each.id for each in messages}
        assert all(sent[call.headers["Idempotency-Key"]] == call.body for call in world.receivers.calls)
        assert len(world.receivers.calls) <= 3
        await stores.aclose()
        if outlived:
            assert steps > 20
            return
