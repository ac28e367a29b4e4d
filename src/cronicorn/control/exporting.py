"""What a tenant has registered, as a file that can be applied: jobs and endpoints, without a trace of what ran."""

from cronicorn.control.document import EndpointDocument
from cronicorn.control.endpoints import Endpoints
from cronicorn.control.jobs import Jobs
from cronicorn.control.permissions import operation
from cronicorn.control.rendering import Fields, shown
from cronicorn.domain.masking import MASK
from cronicorn.domain.permission import Operation
from cronicorn.domain.principal import Principal

_WIRE_NAMES = frozenset(each.alias for each in EndpointDocument.model_fields.values())


class Exporter:
    """Writes files for `FileApplier`."""

    def __init__(self, jobs: Jobs, endpoints: Endpoints) -> None:
        self._jobs = jobs
        self._endpoints = endpoints

    @operation(Operation.FILE_EXPORT)
    async def export(self, principal: Principal, *, reveal: bool = False) -> Fields:
        """The tenant's jobs and endpoints that are not archived, in the fields of a file, credentials masked.

        With *reveal* headers that look like credentials are written as they are. References to secrets always stay
        references.
        """
        jobs = []
        for job, _ in await self._jobs.list(principal):
            views = await self._endpoints.list(principal, job.id)
            endpoints = [
                {name: value for name, value in shown(view.endpoint, reveal=reveal).items() if name in _WIRE_NAMES}
                for view in views
                if view.endpoint.archived_at is None
            ]
            about = {"name": job.name, "description": job.description}
            jobs.append({name: value for name, value in about.items() if value is not None} | {"endpoints": endpoints})
        return {"jobs": jobs}


def masked_headers(document: Fields) -> list[str]:
    """Which headers of *document* hold a mask in the place of a value, as JOB/ENDPOINT: HEADER."""
    found = []
    jobs = document["jobs"]
    assert isinstance(jobs, list)
    for job in jobs:
        for endpoint in job["endpoints"]:
            for name, value in endpoint.get("headersJson", {}).items():
                if value == MASK:
                    found.append(f"{job['name']}/{endpoint['name']}: {name}")
    return found
