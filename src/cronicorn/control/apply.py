"""Applying a file: jobs and endpoints are made to be what the file says, told apart by their names.

What the file leaves out of an endpoint, or of an object inside it, is the default, so that the file alone decides; only
an anchor that it leaves out stays while the interval stays, and a policy that came of a draft until the file names one.
Hints, pauses and failures are not the file's business, and nothing is ever removed.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from cronicorn.control.alert_files import AlertFiles, AlertPlan
from cronicorn.control.difference import Applied, Deed, Difference, endpoint_difference, job_difference
from cronicorn.control.document import (
    Document,
    EndpointDocument,
    EndpointPatch,
    JobPatch,
    JobWithEndpoints,
)
from cronicorn.control.drafting import blank, drafted
from cronicorn.control.endpoints import Endpoints
from cronicorn.control.execution_tiers import spaced
from cronicorn.control.file_document import FileDocument
from cronicorn.control.findings import Findings
from cronicorn.control.jobs import Jobs, judge_job
from cronicorn.control.misfits import read_document
from cronicorn.control.permissions import operation
from cronicorn.control.scope_names import scope_names
from cronicorn.control.validation import judge
from cronicorn.domain.compilation.draft import brought
from cronicorn.domain.compilation.ports import Drafts
from cronicorn.domain.endpoint import Job, JobEndpoint
from cronicorn.domain.execution.limits import ExecutionLimits
from cronicorn.domain.instant import EPOCH
from cronicorn.domain.permission import Operation
from cronicorn.domain.ports import Clock, Cron
from cronicorn.domain.principal import Principal

JOBS_MAX = 1_000
ENDPOINTS_MAX = 10_000

Named = TypeVar("Named", Job, JobEndpoint)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    """One endpoint of the file, and what it is to be made of."""

    difference: Difference
    patch: EndpointPatch
    stored: JobEndpoint | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _JobStep:
    """One job of the file, and what it is to be made of."""

    difference: Difference
    patch: JobPatch
    stored: Job | None
    endpoints: tuple[_Step, ...]


class FileApplier:
    """Makes jobs and endpoints what a file says."""

    def __init__(
        self, jobs: Jobs, endpoints: Endpoints, drafts: Drafts, clock: Clock, cron: Cron, *, alerts: AlertFiles
    ) -> None:
        self._jobs = jobs
        self._endpoints = endpoints
        self._drafts = drafts
        self._clock = clock
        self._cron = cron
        self._alerts = alerts

    @operation(Operation.FILE_APPLY)
    async def apply(
        self,
        principal: Principal,
        document: object,
        *,
        dry_run: bool = False,
        written: Callable[[Difference], None] = lambda _: None,
    ) -> Applied:
        """Create and update what *document* lists; with *dry_run* only tell what would be done.

        The whole file is checked first: InvalidInputError tells all that is wrong with it, and nothing is written then.
        The writes come one by one, and *written* is told each; when one fails, applying the same file again does the
        rest.
        """
        findings = Findings()
        file = read_document(FileDocument, document, findings)
        steps = [] if file is None else await self._planned(principal, file, findings)
        alerts = None if file is None else await self._planned_alerts(principal, file, findings)
        findings.raise_errors()
        if not dry_run:
            for step in steps:
                await self._carry_out(principal, step, written)
            if alerts is not None and alerts.changes:
                await self._alerts.carry_out(
                    principal, alerts, await scope_names(self._jobs, self._endpoints, principal)
                )
                for difference in alerts.differences:
                    written(difference)
        told = alerts.differences if alerts is not None else ()
        return Applied(differences=(*_in_order(steps), *told), warnings=findings.warnings)

    async def _planned_alerts(self, principal: Principal, file: FileDocument, findings: Findings) -> AlertPlan | None:
        """What the file says about alerts, where all is there that the file names."""
        if file.alerts is None:
            return None
        names = await scope_names(self._jobs, self._endpoints, principal)
        for job in file.jobs:
            names = names.with_job(job.name or "", [endpoint.name or "" for endpoint in job.endpoints])
        return await self._alerts.planned(principal, file.alerts, names, findings.inside("/alerts"))

    async def _planned(self, principal: Principal, file: FileDocument, findings: Findings) -> list[_JobStep]:
        if len(file.jobs) > JOBS_MAX or sum(len(job.endpoints) for job in file.jobs) > ENDPOINTS_MAX:
            findings.refuse("/jobs", f"At most {JOBS_MAX} jobs and {ENDPOINTS_MAX} endpoints; split the file.")
            return []
        _refuse_repeated([job.name for job in file.jobs], findings.inside("/jobs"))
        stored = [job for job, _ in await self._jobs.list(principal)]
        limits = await self._endpoints.limits(principal)
        steps: list[_JobStep] = []
        for place, document in enumerate(file.jobs):
            inside = findings.inside(f"/jobs/{place}")
            job = _namesake(stored, document.name, inside)
            steps.append(await self._planned_job(principal, document, job, limits, inside))
        return steps

    async def _planned_job(
        self,
        principal: Principal,
        document: JobWithEndpoints,
        job: Job | None,
        limits: ExecutionLimits,
        findings: Findings,
    ) -> _JobStep:
        judge_job(document, findings)
        _refuse_repeated([endpoint.name for endpoint in document.endpoints], findings.inside("/endpoints"))
        views = [] if job is None else await self._endpoints.list(principal, job.id)
        stored = [view.endpoint for view in views if view.endpoint.archived_at is None]
        endpoints: list[_Step] = []
        for place, endpoint in enumerate(document.endpoints):
            inside = findings.inside(f"/endpoints/{place}")
            before = _namesake(stored, endpoint.name, inside)
            given = complete(endpoint, keeps_policy=await self._keeps_policy(endpoint, before))
            inside.adopt(await self._endpoints.secret_names.unknown(principal.tenant_id, given))
            difference = self._difference(document.name or "", given, before, limits, inside)
            endpoints.append(_Step(difference=difference, patch=given, stored=before))
        patch = JobPatch.model_validate({"name": document.name, "description": document.description})
        after = Job(
            id="",
            tenant_id="",
            name=patch.name or "",
            description=patch.description,
            created_at=EPOCH,
            updated_at=EPOCH,
        )
        return _JobStep(difference=job_difference(job, after), patch=patch, stored=job, endpoints=tuple(endpoints))

    async def _keeps_policy(self, document: EndpointDocument, before: JobEndpoint | None) -> bool:
        """Whether the policy in force came of a draft, and the file says nothing of one."""
        if before is None or before.policy is None or "policy" in document.model_fields_set:
            return False
        return brought(await self._drafts.list(before.tenant_id, before.id), before.policy) is not None

    def _difference(
        self, job: str, patch: EndpointPatch, before: JobEndpoint | None, limits: ExecutionLimits, findings: Findings
    ) -> Difference:
        now = self._clock.now()
        drawn_on = before or blank("", "", "new", now)
        after = spaced(drafted(drawn_on, patch, now, findings), drawn_on, limits, findings)
        judge(after, drawn_on, now, self._cron, findings)
        return endpoint_difference(job, before, after, anchored=patch.anchor_at is not None)

    async def _carry_out(self, principal: Principal, step: _JobStep, written: Callable[[Difference], None]) -> None:
        job = step.stored
        if job is None:
            job = await self._jobs.create(principal, step.patch)
        elif step.difference.deed is Deed.UPDATED:
            await self._jobs.edit(principal, job.id, step.patch)
        written(step.difference)
        for endpoint in step.endpoints:
            if endpoint.stored is None:
                await self._endpoints.create(principal, job.id, endpoint.patch)
            elif endpoint.difference.deed is Deed.UPDATED:
                await self._endpoints.edit(principal, endpoint.stored.id, endpoint.patch, job.id)
            written(endpoint.difference)


def complete(document: EndpointDocument, *, keeps_policy: bool) -> EndpointPatch:
    """*document* as a patch that leaves nothing as it was: what it does not give is null.

    But for the anchor, and the policy where that is kept.
    """
    fields = {name: _whole(getattr(document, name)) for name in EndpointPatch.model_fields}
    stays = {"anchor_at"} if document.anchor_at is None else set()
    if keeps_policy:
        stays.add("policy")
    return EndpointPatch.model_construct(_fields_set=set(fields) - stays, **fields)


def _whole(value: object) -> object:
    """*value*; an object inside a document as one that leaves nothing as it was either."""
    if not isinstance(value, Document):
        return value
    return type(value).model_construct(_fields_set=set(type(value).model_fields), **dict(value))


def _namesake(stored: Iterable[Named], name: str | None, findings: Findings) -> Named | None:
    found = [one for one in stored if one.name == name]
    if len(found) > 1:
        findings.refuse("/name", f"{len(found)} have this name already, so it is unclear which one is meant.")
    return found[0] if found else None


def _refuse_repeated(names: Sequence[str | None], findings: Findings) -> None:
    first: dict[str | None, int] = {}
    for place, name in enumerate(names):
        if first.setdefault(name, place) != place:
            findings.refuse(f"/{place}/name", f"The same name as number {first[name]} of the list has.")


def _in_order(steps: Iterable[_JobStep]) -> tuple[Difference, ...]:
    return tuple(
        difference
        for step in steps
        for difference in (step.difference, *(endpoint.difference for endpoint in step.endpoints))
    )
