"""Prospects: what an endpoint would do, and be answered, if it were stored as a document says. Nothing is stored."""

from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from cronicorn.control.document import EndpointPatch
from cronicorn.control.drafting import blank, drafted
from cronicorn.control.endpoints import Endpoints
from cronicorn.control.execution_tiers import spaced
from cronicorn.control.findings import FINDINGS_MAX, Findings
from cronicorn.control.identity import NewId
from cronicorn.control.permissions import operation
from cronicorn.control.trial_calls import TrialCalls, Unwanted
from cronicorn.control.validation import judge, judge_schedule
from cronicorn.domain.clock_change import ScheduleAtChange, schedule_at_change
from cronicorn.domain.editing import edited, started
from cronicorn.domain.endpoint import JobEndpoint
from cronicorn.domain.errors import FieldError
from cronicorn.domain.permission import Operation
from cronicorn.domain.plan import Plan
from cronicorn.domain.ports import Clock, Cron
from cronicorn.domain.preview import preview
from cronicorn.domain.principal import Principal
from cronicorn.domain.run import Run
from cronicorn.domain.settlement import Stored

PLANS_SHOWN = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Prospect:
    """An endpoint as it would be at `now`."""

    endpoint: JobEndpoint
    now: datetime
    plans: tuple[Plan, ...]
    """The next PLANS_SHOWN, if every run succeeds at once and nobody steers; none of a schedule with errors."""
    at_change: ScheduleAtChange | None
    """What its schedule does when its zone's clock jumps next."""
    errors: tuple[FieldError, ...]
    """Why it would not be stored."""
    warnings: tuple[FieldError, ...]
    """What its owner may not have meant."""


class Prospects:
    """Shows what would come of a document: of a new endpoint, or of an edit of the one that is named.

    Every call raises NotFoundError for an endpoint that is not there.
    """

    def __init__(self, endpoints: Endpoints, trials: TrialCalls, clock: Clock, cron: Cron, new_id: NewId) -> None:
        self._endpoints = endpoints
        self._trials = trials
        self._clock = clock
        self._cron = cron
        self._new_id = new_id

    @operation(Operation.ENDPOINT_FORESEE)
    async def foresee(
        self, principal: Principal, document: EndpointPatch, endpoint_id: str | None = None, job_id: str | None = None
    ) -> Prospect:
        """When the endpoint would run: the one that is named, or a new one of the job *job_id*.

        With a window, a new one gets another offset inside it when it is stored.
        """
        before, after, now, findings = await self._drafted(principal, document, endpoint_id)
        repeated = await self._repeated(
            before if endpoint_id is not None else replace(before, job_id=job_id or ""), after
        )
        schedule = Findings()
        judge_schedule(after, before, now, self._cron, schedule)
        told = Prospect(
            endpoint=after, now=now, plans=(), at_change=None, errors=tuple(findings.errors)[:FINDINGS_MAX],
            warnings=(*repeated, *findings.warnings),
        )  # fmt: skip
        if schedule.errors:
            return told
        planned = self._planned(None if endpoint_id is None else before, after, now)
        return replace(
            told,
            endpoint=planned,
            plans=preview(planned, now, self._cron, PLANS_SHOWN),
            at_change=schedule_at_change(after.baseline, ZoneInfo(after.baseline.zone), now, self._cron),
        )

    @operation(Operation.ENDPOINT_TRY)
    async def call(
        self, principal: Principal, document: EndpointPatch, endpoint_id: str | None = None,
        unwanted: Unwanted | None = None,
    ) -> Run:  # fmt: skip
        """Call the endpoint now, and record nothing; as `TrialCalls.call` otherwise.

        Raises InvalidInputError with all findings, as storing it would.
        """
        _, after, _, findings = await self._drafted(principal, document, endpoint_id)
        findings.raise_errors()
        return (await self._trials.made(after, unwanted)).run

    async def _drafted(
        self, principal: Principal, document: EndpointPatch, endpoint_id: str | None
    ) -> tuple[JobEndpoint, JobEndpoint, datetime, Findings]:
        """The endpoint as it is and as it would be, at the instant that is told, and all that is wrong with it."""
        limits = await self._endpoints.limits(principal)
        findings = await self._endpoints.secret_names.unknown(principal.tenant_id, document)
        if endpoint_id is None:
            now = self._clock.now()
            before = blank(principal.tenant_id, "", self._new_id("trial"), now)
        else:
            view = await self._endpoints.get(principal, endpoint_id)
            before, now = view.endpoint, view.now
        after = spaced(drafted(before, document, now, findings), before, limits, findings)
        judge(after, before, now, self._cron, findings)
        return before, after, now, findings

    async def _repeated(self, before: JobEndpoint, after: JobEndpoint) -> tuple[FieldError, ...]:
        """A warning when another endpoint of the job has the name that this one would have."""
        if not before.job_id or not after.name or before.archived_at is not None:
            return ()
        return await self._endpoints.namesakes.warnings(before.tenant_id, before.job_id, after.name, before.id)

    def _planned(self, before: JobEndpoint | None, after: JobEndpoint, now: datetime) -> JobEndpoint:
        if before is None:
            return started(after, now, self._cron)
        return edited(before, after, Stored(now=now), self._cron).endpoint
