"""Replaying the recorded runs of an endpoint under another policy, on a timeline of its own.

Each imagined call is planned by `decide` and gets the answer that was recorded last at or before it. The answer of a
recorded run is taken to stand until the next one; what was really answered in between nobody knows.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType

from cronicorn.domain.admission import admit
from cronicorn.domain.decision import Facts, decide
from cronicorn.domain.editing import started
from cronicorn.domain.endpoint import EndpointState, JobEndpoint, ManualSlot
from cronicorn.domain.hint import Author
from cronicorn.domain.instant import MICROSECOND, ZERO, shifted
from cronicorn.domain.plan import Plan, Source
from cronicorn.domain.policy.memory import PolicyMemory
from cronicorn.domain.policy.policy import Policy
from cronicorn.domain.policy.steps import PolicySteps
from cronicorn.domain.ports import Cron
from cronicorn.domain.replay.bystander import ASIDE, Bystander, FailureStreak
from cronicorn.domain.replay.concluding import Evidence, concluded, remarks
from cronicorn.domain.replay.counting import CallCount
from cronicorn.domain.replay.following import RulesFollowed
from cronicorn.domain.replay.replayed import Replayed
from cronicorn.domain.replay.siblings import SiblingsHeard
from cronicorn.domain.run import Run, judged, run_status
from cronicorn.domain.settlement import Settlement, Stored
from cronicorn.domain.signals.conditional import says_something
from cronicorn.domain.steering_record import SteeringRecord
from cronicorn.domain.trace import Trace

NOTHING: Mapping[int, int] = MappingProxyType({})
CALLS_MAX = 200_000
"""A replay makes no more imagined calls than this, and says so when it was cut."""


class Replay:
    """A replay in progress: it is told what was recorded, in the order of time, and goes on step by step.

    `record` the runs of the endpoint and `hear` those of siblings, by their beginning; after each, `step` until it
    answers False. `close` when there are no more, and `step` on until the end.
    """

    def __init__(self, endpoint: JobEndpoint, cron: Cron, *, calls_max: int = CALLS_MAX) -> None:
        """*endpoint* has the policy and signals to try; its state doesn't matter."""
        self._policy = endpoint.policy or Policy()
        self._endpoint = replace(endpoint, archived_at=None, state=EndpointState())
        self._cron = cron
        self._calls_max = calls_max
        self._old, self._new = CallCount(), CallCount()
        self._rules = RulesFollowed(self._policy, self._old, self._new)
        self._bystander = Bystander(endpoint)
        self._streak = FailureStreak()
        self._evidence = Evidence()
        self._coming: deque[Run] = deque()
        self._siblings = SiblingsHeard(cron)
        self._current: Run | None = None
        """The recorded run whose answer stands."""
        self._full: Run | None = None
        """The last one that says something by itself: 304 only says that it is still so."""
        self._full_given = False
        self._first_at: datetime | None = None
        self._last_at: datetime | None = None
        self._gap_max = ZERO
        self._together = 0
        self._met = False
        """Whether an imagined call came together with the current run."""
        self._now: datetime | None = None
        self._closed = False

    @property
    def cut(self) -> bool:
        """Whether it has made all the calls that it may; what is recorded later doesn't matter any more."""
        return self._evidence.cut_at is not None

    def record(self, run: Run) -> None:
        """The next recorded run of the endpoint."""
        assert not self._closed
        if self._now is None:
            self._begin(run)
        self._coming.append(run)

    def hear(self, sibling: JobEndpoint, run: Run) -> None:
        """The next recorded run of a *sibling* whose answers the policy reads, or whose rules steer the endpoint.

        What it answered before the first recorded run of the endpoint is passed over.
        """
        if self._now is not None:
            self._siblings.add(sibling, run)

    def close(self) -> None:
        """There is nothing more on record."""
        self._closed = True

    def step(self) -> bool:
        """Do the next thing that is settled by what was told so far; False when there is none."""
        if self.cut or self._now is None or not (self._coming or self._closed):
            return False
        state = self._endpoint.state
        due_at = state.plan.next_run_at if state.plan is not None else None
        coming = self._coming[0] if self._coming else None
        if coming is not None and (due_at is None or coming.due_at <= due_at):
            if not self._heard_before(coming.started_at):
                self._take(self._coming.popleft())
            return True
        current = self._current
        if due_at is None or current is None or (coming is None and due_at > current.started_at):
            return False
        begins_at = max(due_at, current.started_at)
        if not self._heard_before(begins_at):
            self._call(current, due_at, begins_at)
        return True

    @property
    def span(self) -> tuple[datetime, datetime] | None:
        """When the first recorded run began and where the replay ends; None when there is none."""
        end = self._evidence.cut_at or self._last_at
        return (self._first_at, end) if self._first_at is not None and end is not None else None

    def replayed(self, beside: Mapping[int, int] = NOTHING) -> Replayed:
        """What came of it; *beside* it siblings called the same host, so often in each minute since 1970."""
        first_at, end = self.span or (None, None)
        span = end - first_at if first_at is not None and end is not None else ZERO
        rules = self._rules.summaries(end) if end is not None else ()
        moved = self._old.calls + self._new.calls - 2 * self._together
        conclusion, because = concluded(self._policy, self._evidence, rules, moved)
        return Replayed(
            first_at=first_at, last_at=end, recorded=self._evidence.recorded, gap_max=self._gap_max,
            old=self._old.behaviour(span, beside), new=self._new.behaviour(span, beside), together=self._together,
            rules=rules, episodes=tuple(self._rules.episodes), episodes_count=self._rules.episodes_count,
            conclusion=conclusion, because=because,
            remarks=tuple(remarks(self._policy, self._evidence, rules, self._rules.held_at_first)),
        )  # fmt: skip

    def _begin(self, run: Run) -> None:
        """Both timelines begin with the first recorded run."""
        if run.source in ASIDE:
            self._endpoint = started(self._endpoint, run.started_at, self._cron)
        else:
            plan = Plan(
                run.due_at, run.source, Trace(run.due_at, ()), run.nominal_at, is_retry=run.source is Source.RETRY
            )
            state = EndpointState(
                slot=run.slot,
                slots_issued=run.slot,
                attempt=run.attempt,
                accounted_until=shifted(run.due_at, -MICROSECOND),
                plan=plan,
            )
            self._endpoint = self._endpoint.standing(state)
        self._now = run.due_at

    def _take(self, run: Run) -> None:
        """Let the answer of *run* stand from now on, and account for *run* as it happened."""
        if self._last_at is not None:
            self._gap_max = max(self._gap_max, run.started_at - self._last_at)
        self._first_at = self._first_at or run.started_at
        self._last_at = run.started_at
        self._current, self._met = run, False
        if says_something(run.outcome):
            self._full, self._full_given = run, False
        self._note(run)
        planned = run.source not in ASIDE
        self._rules.recorded(run.started_at, self._bystander.verdicts(run, self._streak.after(run)))
        if planned:
            self._old.called(run.started_at)
        if run.source is Source.MANUAL:
            self._settle_manual(run)

    def _note(self, run: Run) -> None:
        evidence, outcome = self._evidence, run.outcome
        evidence.recorded += 1
        if self._full is run:
            evidence.answers += 1
            evidence.without_body += outcome.body is None
            evidence.cut_body += outcome.body_truncated
        if run.trace:
            evidence.by_person += any(step.author is Author.PERSON for step in Trace.decode(run.trace).steps)
        if run.steering is not None:
            self._old.flips += _flips(SteeringRecord.decode(run.steering).own)

    def _settle_manual(self, run: Run) -> None:
        """A run that a person asked for steers under any policy."""
        state = self._endpoint.state
        slot = state.slots_issued + 1
        manual = ManualSlot(slot=slot, requested_at=run.due_at)
        self._endpoint = self._endpoint.standing(replace(state, manual=manual, slots_issued=slot))
        self._full_given = self._full_given or run is self._full
        self._rules.looked(run.started_at)
        self._settle(run, max(run.finished_at, self._now or run.finished_at), manual=True)

    def _call(self, current: Run, due_at: datetime, begins_at: datetime) -> None:
        """Make the imagined call that is due, or find that it came too late."""
        if self._new.calls >= self._calls_max:
            self._evidence.cut_at = begins_at
            return
        admission = admit(self._endpoint, begins_at, self._cron)
        if not admission.run:
            self._settle(None, begins_at)
            return
        if begins_at == current.started_at and current.source not in ASIDE and not self._met:
            self._met = True
            self._together += 1
        run = self._imagined(self._answer(current, begins_at), due_at, begins_at, admission.nominal_at)
        self._new.called(begins_at)
        if not run.outcome.kind.tells_nothing:
            self._rules.looked(begins_at)
        self._settle(run, run.finished_at)

    def _answer(self, current: Run, at: datetime) -> Run:
        """The recorded run whose answer a call *at* gets.

        A 304 is no answer for who has not seen what is still so, and what ended on our side is none for another call.
        """
        full = self._full
        if full is None or (current.outcome.kind.tells_nothing and at == current.started_at):
            return current
        if current is not full and self._full_given and not current.outcome.kind.tells_nothing:
            return current
        self._full_given = True
        return full

    def _imagined(self, answer: Run, due_at: datetime, at: datetime, nominal_at: datetime | None) -> Run:
        endpoint, state = self._endpoint, self._endpoint.state
        assert state.plan is not None
        outcome = judged(endpoint, answer.outcome)
        return Run(
            tenant_id=endpoint.tenant_id, endpoint_id=endpoint.id, slot=state.slot, attempt=state.attempt, fence=0,
            source=state.plan.source, trace="", due_at=due_at, nominal_at=nominal_at, started_at=at,
            finished_at=shifted(at, answer.finished_at - answer.started_at),
            status=run_status(endpoint, outcome), outcome=outcome,
        )  # fmt: skip

    def _settle(self, run: Run | None, now: datetime, *, manual: bool = False) -> None:
        """Apply what `decide` makes of *run*. Orders to siblings go nowhere."""
        state = self._endpoint.state
        slot = state.manual.slot if manual and state.manual is not None else state.slot
        facts = Facts(stored=Stored(now=now, leased_slot=slot), run=run, manual=manual, cron=self._cron)
        settled: Settlement = decide(self._endpoint, facts)
        self._rules.asked(settled.record.own if settled.record is not None else None)
        self._become(self._endpoint.standing(settled.state), now)

    def _heard_before(self, moment: datetime) -> bool:
        """Whether a sibling answered before *moment*: if so, the endpoint's rules have read it now."""
        run = self._siblings.next_before(moment)
        if run is None:
            return False
        now = max(run.finished_at, self._now or run.finished_at)
        after, record = self._siblings.heard(run, self._endpoint, now)
        if run.steering is not None:
            self._old.flips += _flips(SteeringRecord.decode(run.steering).siblings.get(self._endpoint.id))
        if record is not None:
            self._rules.asked(record.siblings.get(self._endpoint.id))
        self._become(after, now)
        return True

    def _become(self, after: JobEndpoint, now: datetime) -> None:
        before: PolicyMemory = self._endpoint.state.memory.rules
        self._endpoint, self._now = after, now
        self._rules.moved(before, after.state.memory.rules, now)


def _flips(steps: PolicySteps | None) -> int:
    """How many rules came into force or went out of it."""
    return sum(step.was.phase.acting != step.phase.acting for step in steps.rules) if steps is not None else 0
