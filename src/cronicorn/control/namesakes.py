"""Names that repeat: allowed, but whoever goes by name can't tell which job, or which endpoint of one, is meant."""

from cronicorn.domain.endpoint import Job, JobStatus
from cronicorn.domain.errors import FieldError
from cronicorn.domain.history import JobQuery
from cronicorn.domain.ports import EndpointCatalog, JobCatalog

COMPARED_MAX = 200
"""Among more jobs, and in a job with more endpoints, no names are compared: that would slow down each answer."""

_REPEATED = FieldError(
    pointer="/name", message="Another endpoint of the job has this name: files and commands that go by name refuse it."
)

_JOB_REPEATED = FieldError(
    pointer="/name", message="Another job has this name: files and commands that go by name refuse it."
)


async def warnings_of_job(catalog: JobCatalog, job: Job) -> tuple[FieldError, ...]:
    """A warning when another job of the tenant has the name of *job*; archived ones are not known by name."""
    if job.status is JobStatus.ARCHIVED:
        return ()
    found = await catalog.list(job.tenant_id, query=JobQuery(limit=COMPARED_MAX + 1))
    if len(found) > COMPARED_MAX:
        return ()
    return (_JOB_REPEATED,) if any(other.id != job.id and other.name == job.name for other, _ in found) else ()


class Namesakes:
    """Notices endpoints of one job that have the same name."""

    def __init__(self, catalog: EndpointCatalog) -> None:
        self._catalog = catalog
        self._large: set[str] = set()
        """Jobs once found to be larger than that: not even counted again by this process."""

    async def warnings(
        self, tenant_id: str, job_id: str, name: str, endpoint_id: str | None = None
    ) -> tuple[FieldError, ...]:
        """A warning when an endpoint of the job, not archived and not *endpoint_id*, is called *name*.

        Raises NotFoundError for the job.
        """
        if job_id in self._large:
            return ()
        found = await self._catalog.list(tenant_id, job_id)
        if len(found) > COMPARED_MAX:
            self._large.add(job_id)
            return ()
        others = (other for other, _ in found if other.id != endpoint_id and other.archived_at is None)
        return (_REPEATED,) if any(other.name == name for other in others) else ()
