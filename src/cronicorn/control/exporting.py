"""What a tenant has registered, as a file that can be applied: jobs and endpoints, without a trace of what ran."""

from cronicorn.control.alert_rendering import exported
from cronicorn.control.alerts import Alerts
from cronicorn.control.document import EndpointDocument
from cronicorn.control.endpoints import Endpoints
from cronicorn.control.jobs import Jobs
from cronicorn.control.permissions import operation
from cronicorn.control.rendering import Fields, set_fields, shown
from cronicorn.control.scope_names import scope_names
from cronicorn.domain.alert.alerting import NO_ALERTING
from cronicorn.domain.masking import MASK
from cronicorn.domain.permission import Operation
from cronicorn.domain.principal import Principal

_WIRE_NAMES = frozenset(each.alias for each in EndpointDocument.model_fields.values())


class Exporter:
    """Writes files for `FileApplier`."""

    def __init__(self, jobs: Jobs, endpoints: Endpoints, alerts: Alerts) -> None:
        self._jobs = jobs
        self._endpoints = endpoints
        self._alerts = alerts

    @operation(Operation.FILE_EXPORT)
    async def export(self, principal: Principal, *, reveal: bool = False) -> Fields:
        """The tenant's jobs and endpoints that are not archived, in the fields of a file, credentials masked.

        So is what it has said about alerts, if anything. With *reveal* headers that look like credentials are written
        as they are. References to secrets always stay references, and URLs of alert routes are left out.
        """
        jobs = []
        for job, _ in await self._jobs.list(principal):
            views = await self._endpoints.list(principal, job.id)
            endpoints = [
                {name: value for name, value in shown(view.endpoint, reveal=reveal).items() if name in _WIRE_NAMES}
                for view in views
                if view.endpoint.archived_at is None
            ]
            about = set_fields({"name": job.name, "description": job.description})
            jobs.append(about | {"endpoints": endpoints})
        alerting = await self._alerts.show(principal)
        if alerting == NO_ALERTING:
            return {"jobs": jobs}
        names = await scope_names(self._jobs, self._endpoints, principal)
        return {"jobs": jobs, "alerts": exported(alerting, names)}


def routes_without_url(document: Fields) -> list[str]:
    """The alert routes of *document* whose URL is left out."""
    alerts = document.get("alerts")
    return [route["name"] for route in alerts["routes"] if "target" not in route] if isinstance(alerts, dict) else []


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
