"""Random commands, one rule each, a model beside them, and invariants after every step."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from cronicorn.domain.admission import admit
from cronicorn.domain.call import Outcome
from cronicorn.domain.endpoint import Baseline, CatchUp, CatchUpMode, Job, JobEndpoint, JobStatus, Overlap, RetryPolicy
from cronicorn.domain.fixtures import MIDNIGHT, a_job, a_run, an_endpoint, an_outcome
from cronicorn.domain.history import RunQuery
from cronicorn.domain.lease import Lease
from cronicorn.domain.plan import Source
from cronicorn.domain.ports import JobStore
from cronicorn.domain.run import Run, RunStatus
from cronicorn.domain.settlement import Change, Stored
from cronicorn.testing.clocks import VirtualClock
from cronicorn.testing.contracts.stores import CRON, TENANT, Stores, deciding, next_due_at, start
from cronicorn.testing.store_machine.books import check_books
from cronicorn.testing.store_machine.edits import EDITS, Edit, follow
from cronicorn.testing.store_machine.fleet import Fleet, promise, shown_endpoint, shown_lease, shown_settlement
from cronicorn.testing.store_machine.model import Known, Taken

JOBS = ("job1", "job2")
ENDPOINTS_MAX = 6
TAKEN_MAX = 16

workers = st.integers(0, 2)
picks = st.integers(0, 15)
lengths = st.sampled_from([timedelta(seconds=s) for s in (0.5, 5, 20, 30, 31, 90, 400)])
ttls = st.sampled_from([timedelta(seconds=s) for s in (5, 30, 120)])
baselines = st.sampled_from(
    [
        Baseline(interval=timedelta(seconds=10), anchor_at=MIDNIGHT),
        Baseline(interval=timedelta(seconds=45), anchor_at=MIDNIGHT + timedelta(seconds=7.25)),
        Baseline(cron="* * * * *"),
        Baseline(once_at=MIDNIGHT + timedelta(minutes=2)),
        Baseline(dormant=True),
    ]
)
catch_ups = st.builds(CatchUp, mode=st.sampled_from(CatchUpMode), runs_max=st.sampled_from([1, 3]))
retries = st.sampled_from([RetryPolicy(), RetryPolicy(count=2, backoff_max=timedelta(seconds=9))])
endings = st.sampled_from(
    [
        (an_outcome(), RunStatus.SUCCESS),
        (an_outcome(500), RunStatus.FAILED),
        (an_outcome(503, headers=(("retry-after", "40"),)), RunStatus.FAILED),
        (an_outcome(status_code=0), RunStatus.CANCELLED),
    ]
)


class CommandMachine(RuleBasedStateMachine):
    """What a machine can do to its stores."""

    steps: ClassVar[int] = 0
    """How many commands all machines of the class have given."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = VirtualClock()
        self.runner = asyncio.Runner()
        self.fleet = Fleet(self.runner, self.runner.run(self.open_stores(self.clock)))
        self.alive: list[Known] = []
        self.taken: list[Taken] = []
        self.born = 0

    async def open_stores(self, clock: VirtualClock) -> Sequence[Stores]:
        """Open fresh stores whose leases *clock* judges."""
        raise NotImplementedError

    def job_store(self, stores: Stores, _worker: int) -> JobStore:
        """The job store of a worker. Override this when not all have the same mechanism, or memory of their own."""
        return stores.job_store

    @initialize()
    def begin(self) -> None:
        for job_id in JOBS:
            self.fleet.ask(partial(_add_job, job_id))

    @precondition(lambda self: len(self.alive) < ENDPOINTS_MAX)
    @rule(
        job_id=st.sampled_from(JOBS), baseline=baselines, catch_up=catch_ups, retry=retries,
        overlap=st.sampled_from(Overlap),
    )  # fmt: skip
    def add(self, *, job_id: str, baseline: Baseline, catch_up: CatchUp, retry: RetryPolicy, overlap: Overlap) -> None:
        self.born += 1
        name = f"ep{self.born}"
        endpoint = an_endpoint(
            id=name, name=name, job_id=job_id, baseline=baseline, catch_up=catch_up, retries=retry, overlap=overlap,
            created_at=self.clock.now(),
        )  # fmt: skip
        added = self.fleet.ask(lambda store, _: store.endpoints.add(endpoint, start), shown_endpoint).first
        self.alive.append(Known(number=self.born, endpoint=added, created_at=self.clock.now()))

    @rule(worker=workers, limit=st.integers(0, 4), ttl=ttls)
    def claim(self, *, worker: int, limit: int, ttl: timedelta) -> None:
        now = self.clock.now()
        answers = self.fleet.ask(
            lambda store, _: self.job_store(store, worker).claim_due(worker_id=f"w{worker}", limit=limit, ttl=ttl),
            _shown_leases,
        )
        expected = [known.endpoint.id for known in self._claimable(worker)[:limit]]
        claimed = [lease.endpoint.id for lease in answers.first]
        promise(claimed == expected, "I4, I5, I7: a claim takes what is due, and only that", claimed, expected)
        for leases in zip(*answers.values, strict=True):
            known = self._known(leases[0].endpoint.id)
            self._begin(known, worker, leases).known.claimed(self.taken[-1], now, ttl)
        del self.taken[:-TAKEN_MAX]

    @precondition(lambda self: self.taken)
    @rule(pick=picks, ending=endings)
    def settle(self, *, pick: int, ending: tuple[Outcome, RunStatus]) -> None:
        self._settle(self._pick(pick), ending)

    @precondition(lambda self: self.taken)
    @rule(chosen=st.lists(picks, min_size=1, max_size=3), ttl=ttls)
    def renew(self, *, chosen: list[int], ttl: timedelta) -> None:
        self._renew(self._pick_all(chosen), ttl)

    @precondition(lambda self: self.taken)
    @rule(chosen=st.lists(picks, max_size=3))
    def abandon(self, *, chosen: list[int]) -> None:
        self._abandon(self._pick_all(chosen))

    @precondition(lambda self: self.alive)
    @rule(pick=picks, edit=st.sampled_from(EDITS), length=lengths)
    def edit(self, *, pick: int, edit: Edit, length: timedelta) -> None:
        self._edit(self.alive[pick % len(self.alive)], edit, length)

    @precondition(lambda self: self.alive)
    @rule(pick=picks)
    def delete(self, *, pick: int) -> None:
        known = self.alive.pop(pick % len(self.alive))
        known.deleted = True
        self.fleet.ask(lambda store, _: store.endpoints.delete(TENANT, known.endpoint.id))

    @rule(job_id=st.sampled_from(JOBS), status=st.sampled_from([JobStatus.ACTIVE, JobStatus.PAUSED]))
    def set_job(self, *, job_id: str, status: JobStatus) -> None:
        def edit(job: Job, _: datetime) -> Job:
            return replace(job, status=status)

        self.fleet.ask(lambda store, _: store.jobs.change(TENANT, job_id, edit, follow))
        for known in self.alive:
            if known.endpoint.job_id == job_id:
                known.endpoint = self._seen(known)[0]

    @precondition(lambda self: any(not taken.known.deleted for taken in self.taken))
    @rule(pick=picks, off=st.integers(0, 1))
    def cancel(self, *, pick: int, off: int) -> None:
        held = [taken.known for taken in self.taken if not taken.known.deleted]
        known = held[-1 - pick % len(held)]
        slot = known.claim.lease.slot if known.claim is not None else known.endpoint.state.slot
        self._cancel(known, slot + off)

    @precondition(lambda self: self.alive)
    @rule(pick=picks)
    def record_test(self, *, pick: int) -> None:
        known = self.alive[pick % len(self.alive)]
        state = known.endpoint.state
        run = Run(
            tenant_id=TENANT, endpoint_id=known.endpoint.id, slot=0, attempt=1, fence=0, source=Source.TEST, trace="",
            due_at=self.clock.now(), nominal_at=None, started_at=self.clock.now(), finished_at=self.clock.now(),
            status=RunStatus.SUCCESS, outcome=an_outcome(),
        )  # fmt: skip
        slot = self.fleet.ask(lambda store, _: store.run_control.record_test(run)).first
        promise(slot == state.slots_issued + 1, "a test call has a slot of its own", slot)
        known.runs[slot, 1] = replace(run, slot=slot)
        known.endpoint = known.endpoint.standing(replace(state, slots_issued=slot))

    @rule(length=lengths)
    def wait(self, *, length: timedelta) -> None:
        self.clock.advance(length)

    @rule(worker=workers)
    def wait_until_due(self, *, worker: int) -> None:
        due_at = self.fleet.ask(lambda store, _: next_due_at(self.job_store(store, worker))).first
        instants = (known.claimable_at(worker, self.clock.now()) for known in self.alive)
        expected = min((instant for instant in instants if instant is not None), default=None)
        promise(due_at == expected, "the next claim is foreseen", due_at, expected)
        self._wait_for(due_at)

    @rule(pick=picks, by=lengths)
    def look_back(self, *, pick: int, by: timedelta) -> None:
        self.fleet.ask(lambda store, _: store.health.overdue(by))
        if self.alive:
            known = self.alive[pick % len(self.alive)]
            since = self.clock.now() - by
            self.fleet.ask(lambda store, _: store.runs.health(TENANT, known.endpoint.id, since))

    @invariant()
    def every_endpoint_is_as_it_must_be(self) -> None:
        type(self).steps += 1
        for job_id in JOBS:
            expected = [known for known in self.alive if known.endpoint.job_id == job_id]
            listed = self.fleet.ask(partial(_list, job_id), lambda listed: [_shown_seen(seen) for seen in listed])
            if listed.error is not None:
                promise(not expected, "jobs stay", listed.error)  # Only before they were added.
                continue
            ids = [endpoint.id for endpoint, _ in listed.first]
            promise(ids == [known.endpoint.id for known in expected], "I5: no endpoint is lost", ids)
            for known, (endpoint, stored) in zip(expected, listed.first, strict=True):
                promise(
                    shown_endpoint(endpoint) == shown_endpoint(known.endpoint),
                    "I11, I13: nothing changes an endpoint but what was asked", endpoint, known.endpoint,
                )  # fmt: skip
                known.check(self.clock.now(), leased=stored.leased)

    def teardown(self) -> None:
        try:
            for known in self.alive:
                self._check_history(known)
        finally:
            self.fleet.close()
            self.runner.close()

    def _check_history(self, known: Known) -> None:
        endpoint = known.endpoint
        runs = self.fleet.ask(lambda store, _: store.runs.list(TENANT, endpoint.id, RunQuery(limit=10_000))).first.runs
        skips = self.fleet.ask(lambda store, _: store.runs.skips(TENANT, endpoint.id, 10_000)).first.skips
        promise({(run.slot, run.attempt): run for run in runs}.keys() == known.runs.keys(), "I1: each run once", runs)
        promise(len(runs) == len(known.runs), "I1: each run once", runs)
        check_books(endpoint, known.created_at, self.clock.now(), runs, skips)

    def _edit(self, known: Known, edit: Edit, length: timedelta) -> None:
        def apply(endpoint: JobEndpoint, job: Job, stored: Stored) -> Change:
            return edit.apply(endpoint, job, stored, length)

        answers = self.fleet.ask(lambda store, _: store.endpoints.change(TENANT, known.endpoint.id, apply), _shown_seen)
        if answers.error is None:
            known.endpoint, stored = answers.first
            edit.note(known, stored, length)

    def _settle(self, taken: Taken, ending: tuple[Outcome, RunStatus]) -> None:
        known = taken.known
        if taken.run is None and not taken.late:
            taken.run = self._run(taken, ending)
        before, accepted, repeated = known.endpoint, known.may_settle(taken, self.clock.now()), known.done is taken
        answers = self.fleet.ask(
            lambda store, number: self.job_store(store, taken.worker).settle(
                taken.leases[number], taken.run, deciding(taken.lease, taken.run)
            ),
            shown_settlement,
        )
        if accepted:
            promise(answers.error is None, "a lease that stands settles", taken.lease, answers.error)
            known.settled(taken, answers.first)
            known.endpoint = known.endpoint.standing(answers.first.state)
        elif repeated and not known.deleted:
            promise(answers.error is None, "I11: a settled lease is answered again", answers.error)
            promise(answers.first.state == before.state, "I11: a repetition changes nothing", before)
            promise(known.answer is not None and answers.first.skips == known.answer.skips, "I11: the same answer")
        else:
            promise(answers.error == "LeaseLostError", "I2: a lost lease settles nothing", taken.lease, known.fence)
            if taken.unlocked:
                known.ended(taken)

    def _wait_for(self, instant: datetime | None) -> None:
        if instant is not None and instant > self.clock.now():
            self.clock.advance(instant - self.clock.now())

    def _renew(self, takens: Sequence[Taken], ttl: timedelta) -> None:
        async def command(store: Stores, number: int) -> list[tuple[bool, bool]]:
            answers = []
            for taken in takens:
                lease, job_store = taken.leases[number], self.job_store(store, taken.worker)
                renewal = await asyncio.to_thread(job_store.renew, [lease], ttl=ttl)
                answers.append((lease.claim_id in renewal.lost, lease.claim_id in renewal.cancelled))
            return answers

        answers = self.fleet.ask(command).first
        for taken, (lost, cancelled) in zip(takens, answers, strict=True):
            known = taken.known
            held = known.holds(taken)
            promise(lost is not held, "renewing names the lost leases and no others", taken.lease)
            stop = held and not taken.unlocked and known.cancelled
            promise(cancelled == stop, "renewing says who shall stop", taken.lease)
            if held:
                known.extended(taken, self.clock.now(), ttl)

    def _abandon(self, takens: Sequence[Taken]) -> None:
        async def command(store: Stores, number: int) -> None:
            for worker in {taken.worker for taken in takens}:
                leases = [taken.leases[number] for taken in takens if taken.worker == worker]
                await self.job_store(store, worker).abandon(leases)

        self.fleet.ask(command)
        for taken in takens:
            taken.known.ended(taken)

    def _cancel(self, known: Known, slot: int) -> None:
        live = known.leased(self.clock.now()) and known.claim is not None and slot == known.claim.lease.slot
        cancelled = self.fleet.ask(lambda store, _: store.run_control.cancel(TENANT, known.endpoint.id, slot)).first
        promise(cancelled == live, "only the slot under a live lease is cancelled", cancelled, live)
        known.cancelled |= live

    def _claimable(self, worker: int) -> list[Known]:
        now = self.clock.now()
        instants = ((known, known.claimable_at(worker, now)) for known in self.alive)
        due = [known for known, instant in instants if instant is not None and instant <= now]
        return sorted(due, key=lambda known: (known.endpoint.state.due_at, known.number))

    def _begin(self, known: Known, worker: int, leases: tuple[Lease, ...]) -> Taken:
        """The worker begins the call at once."""
        lease = leases[0]
        admission = admit(lease.endpoint, self.clock.now(), CRON, taken_over=lease.taken_over)
        late = not lease.manual and not admission.run
        nominal_at = None if lease.manual else admission.nominal_at
        taken = Taken(known=known, worker=worker, leases=leases, nominal_at=nominal_at, late=late)
        self.taken.append(taken)
        return taken

    def _run(self, taken: Taken, ending: tuple[Outcome, RunStatus]) -> Run:
        outcome, status = ending
        return a_run(
            taken.lease, nominal_at=taken.nominal_at, outcome=outcome, status=status, finished_at=self.clock.now()
        )

    def _pick(self, pick: int) -> Taken:
        return self.taken[-1 - pick % len(self.taken)]

    def _pick_all(self, chosen: Iterable[int]) -> list[Taken]:
        return list({id(taken): taken for taken in map(self._pick, chosen)}.values())

    def _known(self, endpoint_id: str) -> Known:
        return next(known for known in self.alive if known.endpoint.id == endpoint_id)

    def _seen(self, known: Known) -> tuple[JobEndpoint, Stored]:
        return self.fleet.ask(lambda store, _: store.endpoints.get(TENANT, known.endpoint.id), _shown_seen).first


async def _add_job(job_id: str, store: Stores, _: int) -> None:
    await store.jobs.add(a_job(id=job_id))


async def _list(job_id: str, store: Stores, _: int) -> Sequence[tuple[JobEndpoint, Stored]]:
    return await store.endpoints.list(TENANT, job_id)


def _shown_leases(leases: Sequence[Lease]) -> object:
    return [shown_lease(lease) for lease in leases]


def _shown_seen(seen: tuple[JobEndpoint, Stored]) -> object:
    return shown_endpoint(seen[0]), seen[1]
