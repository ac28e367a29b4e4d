"""Jobs: groups of endpoints that are paused, resumed and archived together."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from cronicorn.control.document import JobPatch
from cronicorn.control.findings import Findings, refused
from cronicorn.control.identity import NewId
from cronicorn.control.limits import check_limits
from cronicorn.control.namesakes import warnings_of_job
from cronicorn.control.permissions import operation
from cronicorn.domain.editing import suspended
from cronicorn.domain.endpoint import Job, JobEndpoint, JobStatus
from cronicorn.domain.errors import FieldError
from cronicorn.domain.history import JobQuery
from cronicorn.domain.permission import Operation
from cronicorn.domain.ports import Clock, Cron, JobCatalog
from cronicorn.domain.principal import Principal
from cronicorn.domain.settlement import Change, Stored
from cronicorn.domain.unchanged import Unchanged, version_of_job


class Jobs:
    """What can be asked about jobs."""

    def __init__(self, catalog: JobCatalog, clock: Clock, cron: Cron, new_id: NewId, wake: Callable[[], None]) -> None:
        self._catalog = catalog
        self._clock = clock
        self._cron = cron
        self._new_id = new_id
        self._wake = wake

    @operation(Operation.JOB_CREATE)
    async def create(self, principal: Principal, document: JobPatch) -> Job:
        """Store a new job."""
        now = self._clock.now()
        job = Job(id=self._new_id("job"), tenant_id=principal.tenant_id, name="", created_at=now, updated_at=now)
        job = patched(job, document, now)
        await self._catalog.add(job, principal)
        return job

    @operation(Operation.JOB_LIST)
    async def list(
        self, principal: Principal, status: JobStatus | None = None, query: JobQuery | None = None
    ) -> Sequence[tuple[Job, int]]:
        """Jobs, oldest first, each with its number of endpoints; archived ones only when asked for.

        Of a *query* there is one page. Raises InvalidInputError where the job that it is to begin after is gone.
        """
        return await self._catalog.list(principal.tenant_id, status, query)

    @operation(Operation.JOB_GET)
    async def get(self, principal: Principal, job_id: str) -> Job:
        """The job. Raises NotFoundError."""
        return await self._catalog.get(principal.tenant_id, job_id)

    @operation(Operation.JOB_GET)
    async def warnings(self, principal: Principal, job: Job) -> tuple[FieldError, ...]:
        """What of a job of the principal's tenant may not be meant: that another one has its name."""
        assert job.tenant_id == principal.tenant_id
        return await warnings_of_job(self._catalog, job)

    @operation(Operation.JOB_EDIT)
    async def edit(self, principal: Principal, job_id: str, patch: JobPatch, unchanged: Unchanged | None = None) -> Job:
        """Change name or description. Raises NotFoundError, PreconditionFailedError where it is not *unchanged*."""

        def edit(job: Job, now: datetime) -> Job:
            if unchanged is not None:
                unchanged.check(version_of_job(job))
            return patched(job, patch, now)

        return await self._catalog.change(principal.tenant_id, job_id, edit, by=principal)

    @operation(Operation.JOB_MOVE)
    async def move(
        self, principal: Principal, job_id: str, status: JobStatus, unchanged: Unchanged | None = None
    ) -> Job:
        """Pause, archive or (re)activate the job with its endpoints, each planned again. Raises NotFoundError.

        An archived job comes back by being activated; it can't be paused. Raises PreconditionFailedError where it is
        not *unchanged*.
        """

        def edit(job: Job, now: datetime) -> Job:
            if unchanged is not None:
                unchanged.check(version_of_job(job))
            return _moved(job, status, now)

        def edit_endpoint(endpoint: JobEndpoint, job: Job, stored: Stored) -> Change:
            active = job.status is JobStatus.ACTIVE
            return suspended(
                endpoint, job_active=active, archived_at=endpoint.archived_at, stored=stored, cron=self._cron
            )

        job = await self._catalog.change(principal.tenant_id, job_id, edit, edit_endpoint, principal)
        self._wake()
        return job


def patched(job: Job, patch: JobPatch, now: datetime) -> Job:
    """*job* with what *patch* gives; the same job when that changes nothing. Raises InvalidInputError."""
    given = patch.model_fields_set
    findings = Findings()
    name = (patch.name or "") if "name" in given else job.name
    description = patch.description if "description" in given else job.description
    judge_job(patch, findings, name)
    findings.raise_errors()
    after = replace(job, name=name, description=description)
    return job if after == job else replace(after, updated_at=now)


def judge_job(document: JobPatch, findings: Findings, name: str | None = None) -> None:
    """Report what is wrong with *document*, of which a job with the name *name* (its own by default) is made."""
    check_limits(document, findings)
    if not (document.name or "" if name is None else name).strip() and not findings.found("/name"):
        findings.refuse("/name", "Give the job a name.")


def _moved(job: Job, status: JobStatus, now: datetime) -> Job:
    if job.status is status:
        return job
    if job.status is JobStatus.ARCHIVED and status is JobStatus.PAUSED:
        raise refused("", f"Job {job.id} is archived, so there is nothing to pause; unarchive it first.")
    archived_at = now if status is JobStatus.ARCHIVED else None
    return replace(job, status=status, archived_at=archived_at, updated_at=now)
