"""Schedules: when an endpoint will run, and why then."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cronicorn.control.document import PreviewDocument
from cronicorn.control.drafting import blank, drafted
from cronicorn.control.execution_tiers import ExecutionTiers
from cronicorn.control.findings import Findings
from cronicorn.control.limits import check_limits
from cronicorn.control.permissions import operation
from cronicorn.control.validation import judge_request, judge_schedule
from cronicorn.control.whereabouts import LATE_AFTER
from cronicorn.domain.counterfactuals import Counterfactual, counterfactuals
from cronicorn.domain.editing import started
from cronicorn.domain.endpoint import JobEndpoint
from cronicorn.domain.errors import FieldError
from cronicorn.domain.execution.limits import Ration, month_of
from cronicorn.domain.explain import ExplainedStep, explained
from cronicorn.domain.flow.limits import HeldBack
from cronicorn.domain.hint import Hint, fresh_hints
from cronicorn.domain.instant import shifted
from cronicorn.domain.permission import Operation
from cronicorn.domain.plan import Plan
from cronicorn.domain.planning import plan_next_run
from cronicorn.domain.ports import Clock, Cron, EndpointCatalog, RunHistory
from cronicorn.domain.preview import preview
from cronicorn.domain.principal import Principal
from cronicorn.domain.slot import Skip, SlotState


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedPlan:
    """A plan and, in words, how it came about."""

    plan: Plan
    steps: tuple[ExplainedStep, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OverLimit:
    """Why slots of an endpoint end without a call, as `skipped_quota`: its tenant's runs of the month are used up."""

    ration: Ration
    next_at: datetime | None
    """When the next slot will end so; None where none is planned before the next month."""
    last_at: datetime | None
    """The last instant of the month that did; None where none has yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why an endpoint runs when it does."""

    endpoint: JobEndpoint
    now: datetime
    running: str | None
    """The id of the run that a worker is making of it, or None. When that ends, the endpoint is planned again."""
    stored: ExplainedPlan | None
    """The plan in force, made when something last changed."""
    current: ExplainedPlan
    """What the plan would be if it were made now."""
    hints: tuple[Hint, ...]
    """The hints that count now."""
    otherwise: tuple[Counterfactual, ...]
    """What the plan would be, if it were made now, without each of the things that steer it."""
    held: HeldBack | None
    """What is due is held back; None when it is not."""
    over_limit: OverLimit | None
    """None while the tenant has runs left."""

    @property
    def replanned(self) -> bool:
        """Whether a plan that was made now would be another one than the one in force."""
        stored, current = self.stored, self.current.plan
        return stored is None or (stored.plan.next_run_at, stored.plan.source) != (current.next_run_at, current.source)

    @property
    def left_lying(self) -> bool:
        """Whether its plan has lain in the past for LATE_AFTER and nothing holds it back: no scheduler has taken it."""
        at = self.stored.plan.next_run_at if self.stored is not None else None
        waits = self.running is not None or self.held is not None
        return at is not None and at < shifted(self.now, -LATE_AFTER) and not waits

    @property
    def frozen_until(self) -> datetime | None:
        """Until then it keeps to its baseline, because its steering went to and fro; None while it does not."""
        governor = self.endpoint.state.memory.governor
        return governor.frozen_until if governor.frozen(self.now) else None

    def unexplained(self, skips: Sequence[Skip]) -> Skip | None:
        """The newest of *skips* for a limit, if it was this month and no such limit is known here."""
        newest = skips[0] if skips else None
        if self.over_limit is not None or newest is None:
            return None
        return newest if month_of(newest.last_at) == month_of(self.now) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """The next plans of an endpoint that is not stored."""

    plans: tuple[Plan, ...]
    warnings: tuple[FieldError, ...]


class Schedules:
    """What can be asked about schedules. Nothing here changes anything."""

    def __init__(
        self, catalog: EndpointCatalog, history: RunHistory, tiers: ExecutionTiers, clock: Clock, cron: Cron
    ) -> None:
        self._catalog = catalog
        self._history = history
        self._tiers = tiers
        self._clock = clock
        self._cron = cron

    @operation(Operation.SCHEDULE_UPCOMING)
    async def upcoming(self, principal: Principal, endpoint_id: str, count: int) -> tuple[Plan, ...]:
        """The next *count* plans, if every run succeeds at once and nobody steers. Raises NotFoundError."""
        endpoint, stored = await self._catalog.get(principal.tenant_id, endpoint_id)
        return preview(endpoint, stored.now, self._cron, count)

    @operation(Operation.SCHEDULE_PREVIEW)
    async def preview(self, principal: Principal, document: PreviewDocument) -> Preview:
        """The next plans of the endpoint that *document* describes, as if created now. Raises InvalidInputError.

        With a window, a stored endpoint has an offset of its own inside it.
        """
        now = self._clock.now()
        findings = Findings()
        check_limits(document, findings)
        inside = findings.inside("/endpoint")
        before = blank(principal.tenant_id, "", "preview", now)
        endpoint = drafted(before, document.endpoint, now, inside)
        judge_schedule(endpoint, before, now, self._cron, inside)
        judge_request(endpoint.request, inside)
        findings.raise_errors()
        endpoint = started(endpoint, now, self._cron)
        return Preview(plans=preview(endpoint, now, self._cron, document.count), warnings=findings.warnings)

    @operation(Operation.SCHEDULE_EXPLAIN)
    async def explain(self, principal: Principal, endpoint_id: str) -> Explanation:
        """Why the endpoint runs when it does. Raises NotFoundError."""
        endpoint, stored = await self._catalog.get(principal.tenant_id, endpoint_id)
        plan = endpoint.state.plan
        return Explanation(
            endpoint=endpoint,
            now=stored.now,
            running=stored.running(endpoint),
            stored=None if plan is None else _explained(plan),
            current=_explained(plan_next_run(stored.now, endpoint, self._cron)),
            hints=fresh_hints(endpoint.state.hints, stored.now),
            otherwise=counterfactuals(stored.now, endpoint, self._cron),
            held=_held(endpoint, stored.now),
            over_limit=await self._over_limit(endpoint, stored.now),
        )

    async def _over_limit(self, endpoint: JobEndpoint, now: datetime) -> OverLimit | None:
        if not self._tiers.counts_runs:
            return None
        ration = (await self._tiers.standing(endpoint.tenant_id, now)).runs
        if ration is None or not ration.exhausted:
            return None
        page = await self._history.skips(endpoint.tenant_id, endpoint.id, 1, SlotState.SKIPPED_QUOTA)
        due_at = endpoint.state.due_at
        return OverLimit(
            ration=ration,
            next_at=due_at if due_at is not None and due_at < ration.month.end_at else None,
            last_at=next((skip.last_at for skip in page.skips if skip.last_at >= ration.month.start_at), None),
        )


def _held(endpoint: JobEndpoint, now: datetime) -> HeldBack | None:
    held = endpoint.state.held
    return held if held is not None and held.until > now else None


def _explained(plan: Plan) -> ExplainedPlan:
    return ExplainedPlan(plan=plan, steps=explained(plan.trace))
