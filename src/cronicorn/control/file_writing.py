"""Carrying out a plan: all that it says is written, and what the set manages from now on."""

from collections.abc import Mapping

from cronicorn.control.difference import Deed
from cronicorn.control.field_ownership import endpoint_values, fingerprints, job_values
from cronicorn.control.file_plan import EndpointStep, FilePlan, JobStep, made
from cronicorn.control.file_planning import FileNouns
from cronicorn.control.scope_names import scope_names
from cronicorn.domain.alert.alerting import NO_ALERTING
from cronicorn.domain.endpoint import Job, JobEndpoint, JobStatus
from cronicorn.domain.filing.file_set import EndpointName, FileSet, Managed, ManagedPart
from cronicorn.domain.principal import Principal
from cronicorn.domain.unchanged import Unchanged, version_of_endpoint, version_of_job


class FileWriter:
    """Writes one plan, through nouns of which all that they write stays together."""

    def __init__(self, nouns: FileNouns, plan: FilePlan) -> None:
        self._nouns = nouns
        self._plan = plan
        self._jobs = dict(plan.before.jobs)
        self._endpoints = dict(plan.before.endpoints)

    async def write(self, asker: Principal) -> None:
        """Write all of it. Raises PreconditionFailedError for what was changed since it was planned."""
        plan = self._plan
        for step in plan.steps:
            await self._write_job(asker, step)
        if plan.prune:
            await self._archive(asker)
        for name in plan.unlisted.gone:
            if isinstance(name, EndpointName):
                del self._endpoints[name]
            else:
                del self._jobs[name]
        alerts = await self._write_alerts(asker)
        after = FileSet(
            revision=plan.before.revision,
            jobs=self._jobs,
            endpoints=self._endpoints,
            alerts=alerts,
        )
        if after != plan.before:
            await self._nouns.sets.put(asker.tenant_id, plan.name, after)

    async def _write_alerts(self, asker: Principal) -> Mapping[str, ManagedPart]:
        """What the set says about alerts from now on."""
        plan, known = self._plan.alerts, self._plan.before.alerts
        if plan is None:
            return known
        if not plan.changes:
            return plan.managed(known, NO_ALERTING)
        names = await scope_names(self._nouns.jobs, self._nouns.endpoints, asker)
        return plan.managed(known, await self._nouns.alerts.carry_out(asker, plan, names))

    async def _write_job(self, asker: Principal, step: JobStep) -> None:
        name, job = step.difference.job or "", step.stored
        if job is None:
            job = await self._nouns.jobs.create(asker, step.patch)
        elif step.difference.deed is not Deed.UNCHANGED:
            job = await self._changed_job(asker, job, step)
        self._jobs[name] = Managed(
            id=job.id,
            made=made(self._jobs.get(name), step.stored),
            fields=fingerprints(step.named, job_values(job)),
        )
        moved = step.difference.deed is Deed.RESTORED  # Its endpoints, too, so none is in the version that was planned.
        for each in step.endpoints:
            await self._write_endpoint(asker, job, each, None if moved else _as_planned(each.stored))

    async def _changed_job(self, asker: Principal, job: Job, step: JobStep) -> Job:
        unchanged = Unchanged(versions=frozenset({version_of_job(job)}))
        if step.difference.deed is Deed.RESTORED:
            job = await self._nouns.jobs.move(asker, job.id, JobStatus.ACTIVE, unchanged)
            return await self._nouns.jobs.edit(asker, job.id, step.patch)
        return await self._nouns.jobs.edit(asker, job.id, step.patch, unchanged)

    async def _write_endpoint(
        self, asker: Principal, job: Job, step: EndpointStep, unchanged: Unchanged | None
    ) -> None:
        name = EndpointName(step.difference.job or "", step.difference.endpoint or "")
        endpoint = step.stored
        if endpoint is None:
            endpoint = (await self._nouns.endpoints.create(asker, job.id, step.patch)).endpoint
        elif step.difference.deed is not Deed.UNCHANGED:
            endpoint = await self._changed_endpoint(asker, endpoint, step, unchanged)
        self._endpoints[name] = Managed(
            id=endpoint.id,
            made=made(self._endpoints.get(name), step.stored),
            fields=fingerprints(step.named, endpoint_values(endpoint)),
        )

    async def _changed_endpoint(
        self, asker: Principal, endpoint: JobEndpoint, step: EndpointStep, unchanged: Unchanged | None
    ) -> JobEndpoint:
        endpoints = self._nouns.endpoints
        if step.difference.deed is Deed.RESTORED:
            await endpoints.archive(asker, endpoint.id, archived=False, unchanged=unchanged)
            return (await endpoints.edit(asker, endpoint.id, step.patch)).endpoint
        return (await endpoints.edit(asker, endpoint.id, step.patch, unchanged=unchanged)).endpoint

    async def _archive(self, asker: Principal) -> None:
        for name, endpoint in self._plan.unlisted.endpoints.items():
            await self._nouns.endpoints.archive(asker, endpoint.id, unchanged=_as_planned(endpoint))
            self._endpoints[name] = _removed(self._endpoints[name])
        for job_name, job in self._plan.unlisted.jobs.items():
            unchanged = Unchanged(versions=frozenset({version_of_job(job)}))
            await self._nouns.jobs.move(asker, job.id, JobStatus.ARCHIVED, unchanged)
            self._jobs[job_name] = _removed(self._jobs[job_name])


def _as_planned(endpoint: JobEndpoint | None) -> Unchanged | None:
    """That *endpoint* is as it was when the plan was made, if it was there."""
    return Unchanged(versions=frozenset({version_of_endpoint(endpoint)})) if endpoint is not None else None


def _removed(managed: Managed) -> Managed:
    return Managed(id=managed.id, made=managed.made, removed=True, fields=managed.fields)
