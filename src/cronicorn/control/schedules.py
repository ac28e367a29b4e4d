"""Schedules: when an endpoint will run, and why then."""

from dataclasses import dataclass
from datetime import datetime

from cronicorn.control.document import PreviewDocument
from cronicorn.control.drafting import blank, drafted
from cronicorn.control.findings import Findings
from cronicorn.control.limits import check_limits
from cronicorn.control.validation import judge_request, judge_schedule
from cronicorn.domain.counterfactuals import Counterfactual, counterfactuals
from cronicorn.domain.editing import started
from cronicorn.domain.endpoint import JobEndpoint
from cronicorn.domain.errors import FieldError
from cronicorn.domain.explain import ExplainedStep, explained
from cronicorn.domain.hint import Hint, fresh_hints
from cronicorn.domain.plan import Plan
from cronicorn.domain.planning import plan_next_run
from cronicorn.domain.ports import Clock, Cron, EndpointCatalog
from cronicorn.domain.preview import preview
from cronicorn.domain.principal import Principal


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedPlan:
    """A plan and, in words, how it came about."""

    plan: Plan
    steps: tuple[ExplainedStep, ...]


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """The next plans of an endpoint that is not stored."""

    plans: tuple[Plan, ...]
    warnings: tuple[FieldError, ...]


class Schedules:
    """What can be asked about schedules. Nothing here changes anything."""

    def __init__(self, catalog: EndpointCatalog, clock: Clock, cron: Cron) -> None:
        self._catalog = catalog
        self._clock = clock
        self._cron = cron

    async def upcoming(self, principal: Principal, endpoint_id: str, count: int) -> tuple[Plan, ...]:
        """The next *count* plans, if every run succeeds at once and nobody steers. Raises NotFoundError."""
        endpoint, stored = await self._catalog.get(principal.tenant_id, endpoint_id)
        return preview(endpoint, stored.now, self._cron, count)

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
        )


def _explained(plan: Plan) -> ExplainedPlan:
    return ExplainedPlan(plan=plan, steps=explained(plan.trace))
