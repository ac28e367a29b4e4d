"""Names that repeat inside a job: allowed, but whoever goes by name can't tell which endpoint is meant."""

from cronicorn.domain.errors import FieldError
from cronicorn.domain.ports import EndpointCatalog

COMPARED_MAX = 200
"""In a job with more endpoints no names are compared: looking at all of them would slow down each answer."""

_REPEATED = FieldError(
    pointer="/name", message="Another endpoint of the job has this name: files and commands that go by name refuse it."
)


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
