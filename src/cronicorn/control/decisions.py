"""What was decided about an endpoint: before an instant, and by the answer of one run. Read off what is stored."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cronicorn.control.findings import refused
from cronicorn.control.permissions import operation
from cronicorn.control.runs import Runs, UnfinishedRun, parsed_run_id
from cronicorn.domain.endpoint import JobEndpoint
from cronicorn.domain.explain import ExplainedStep, explained
from cronicorn.domain.explain_steering import ExplainedSteering, explained_steering
from cronicorn.domain.history import SpanQuery
from cronicorn.domain.instant import LAST_INSTANT, shifted
from cronicorn.domain.permission import Operation
from cronicorn.domain.plan import Source
from cronicorn.domain.ports import EndpointCatalog, RunLog
from cronicorn.domain.principal import Principal
from cronicorn.domain.run import Run
from cronicorn.domain.steering_record import SteeringRecord
from cronicorn.domain.trace import Trace

_SETTLED_WITHIN = timedelta(seconds=1)
"""So soon after the end of a run the plan that follows from it is made."""
_ASKED_FOR = frozenset({Source.MANUAL, Source.TEST})
_FOLLOWING_MAX = 20
"""So many runs are looked through for the one that was planned after an instant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedCall:
    """The call that a plan was for."""

    due_at: datetime | None
    """None when nothing was planned."""
    steps: tuple[ExplainedStep, ...]
    """How the plan came about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PastDecision:
    """What was decided last about an endpoint, seen from an instant in the past."""

    endpoint: JobEndpoint
    at: datetime
    run: Run | None
    """The run whose answer was decided on last; None when there is none on record."""
    steering: ExplainedSteering | None
    """What signals and rules made of that answer; None when they had nothing to say."""
    following: PlannedCall | None
    """The plan that was in force then; None when it was replaced before it came due."""
    later_at: datetime | None
    """When the next answer had been decided on; None when no other run has ended since."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunExplanation:
    """Why a run was made when it was, and what followed from its answer."""

    endpoint: JobEndpoint
    run: Run | UnfinishedRun
    steps: tuple[ExplainedStep, ...]
    """How the plan came about that it was made by; none of a run that a person asked for."""
    steering: ExplainedSteering | None
    """What signals and rules made of its answer; None when they had nothing to say, or it has not ended."""
    following: PlannedCall | None
    """The plan that was made when it had ended; None when it has not, decides nothing, or that plan was replaced."""


class Decisions:
    """What can be asked about past decisions. Nothing here changes anything; all raise NotFoundError."""

    def __init__(self, catalog: EndpointCatalog, log: RunLog, runs: Runs) -> None:
        self._catalog = catalog
        self._log = log
        self._runs = runs

    @operation(Operation.POLICY_EXPLAIN)
    async def explain_at(self, principal: Principal, endpoint_id: str, at: datetime | None = None) -> PastDecision:
        """What had been decided last *at* an instant, by default now, and for when that planned the next call."""
        endpoint, stored = await self._catalog.get(principal.tenant_id, endpoint_id)
        at = at if at is not None else stored.now
        if at > stored.now:
            raise refused("/at", f"Nothing has been decided yet: now is {stored.now.isoformat()}.")
        if at < endpoint.created_at:
            raise refused("/at", f"The endpoint did not exist then: it was made at {endpoint.created_at.isoformat()}.")
        run = await self._log.ended_before(principal.tenant_id, endpoint_id, at)
        after = await self._after(endpoint, run, at)
        return PastDecision(
            endpoint=endpoint, at=at, run=run, steering=_steering_of(run, endpoint),
            following=_plan_after(endpoint, run, at, after), later_at=after[0].finished_at if after else None,
        )  # fmt: skip

    @operation(Operation.RUN_EXPLAIN)
    async def explain_run(self, principal: Principal, identity: str) -> RunExplanation:
        """The plan that led to the run with the id *identity*, finished or not, and what its answer decided."""
        view = await self._runs.get(principal, identity)
        run, endpoint = view.run, view.endpoint
        if isinstance(run, UnfinishedRun):
            steps = _steps_in_force(endpoint, run)
            return RunExplanation(endpoint=endpoint, run=run, steps=steps, steering=None, following=None)
        planned, decides = run.source not in _ASKED_FOR, run.source is not Source.TEST
        at = run.finished_at
        return RunExplanation(
            endpoint=endpoint, run=run, steps=explained(Trace.decode(run.trace)) if planned and run.trace else (),
            steering=_steering_of(run, endpoint),
            following=_plan_after(endpoint, run, at, await self._after(endpoint, run, at)) if decides else None,
        )  # fmt: skip

    async def _after(self, endpoint: JobEndpoint, run: Run | None, at: datetime) -> Sequence[Run]:
        """The runs that began after *run*, or *at* the instant, and ended after it; the first ones, oldest first."""
        since = run.started_at if run is not None else at
        query = SpanQuery(since=since, until=LAST_INSTANT, limit=_FOLLOWING_MAX, after=run)
        recorded = await self._log.recorded(endpoint.tenant_id, endpoint.id, query)
        return [later for later in recorded if later.finished_at > at]


def _plan_after(endpoint: JobEndpoint, run: Run | None, at: datetime, after: Sequence[Run]) -> PlannedCall | None:
    """The plan of the call that came first of those *after*; that of the one still to come when none did."""
    for later in after:
        if later.trace:
            trace = Trace.decode(later.trace)
            return PlannedCall(due_at=later.due_at, steps=explained(trace)) if _stood(trace, run, at) else None
    plan = endpoint.state.plan
    if plan is None or not _stood(plan.trace, run, at):
        return None
    return PlannedCall(due_at=plan.next_run_at, steps=explained(plan.trace))


def _steering_of(run: Run | None, endpoint: JobEndpoint) -> ExplainedSteering | None:
    if run is None or run.steering is None:
        return None
    return explained_steering(SteeringRecord.decode(run.steering), endpoint.policy)


def _steps_in_force(endpoint: JobEndpoint, run: UnfinishedRun) -> tuple[ExplainedStep, ...]:
    """How the plan came about that *run* waits or goes on by."""
    plan = endpoint.state.plan
    planned = plan is not None and parsed_run_id(run.id).slot == endpoint.state.slot
    return explained(plan.trace) if plan is not None and planned else ()


def _stood(trace: Trace, run: Run | None, at: datetime) -> bool:
    """Whether the plan of *trace* was in force *at* an instant: no edit has replaced the one that was since."""
    return trace.now <= at or (run is not None and trace.now <= shifted(run.finished_at, _SETTLED_WITHIN))
