"""Jobs: the list, and one of them."""

from collections.abc import Mapping
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.responses import Response

from cronicorn.control.plane import ControlPlane
from cronicorn.domain.endpoint import JobStatus
from cronicorn.domain.errors import InvalidInputError
from cronicorn.domain.history import EndpointQuery
from cronicorn.domain.principal import Principal
from cronicorn.web.addresses import page_in
from cronicorn.web.live import Mark
from cronicorn.web.site import WebSite, see
from cronicorn.web.view import Looked, ThingId

JOBS_SHOWN = 60
ENDPOINTS_SHOWN = 40
"""On one page."""
_MOVES: Mapping[str, JobStatus] = {
    "pause": JobStatus.PAUSED,
    "resume": JobStatus.ACTIVE,
    "archive": JobStatus.ARCHIVED,
}


def job_list_pages(site: WebSite, control: ControlPlane) -> APIRouter:
    """All jobs of a tenant, or those that somebody looks for."""
    router = APIRouter()

    @router.get("/jobs")
    async def show_all(view: Looked, q: str = "", status: str = "", page: str = "") -> Response:
        wanted = JobStatus(status) if status in set(JobStatus) else None
        jobs = await control.jobs.list(view.asker, wanted)
        found = [each for each in jobs if q.strip().lower() in each[0].name.lower()]
        first = (min(page_in(page), max(1, -(-len(found) // JOBS_SHOWN))) - 1) * JOBS_SHOWN
        chosen = wanted.value if wanted else ""

        def turned(by: int) -> str:
            return "?" + urlencode({"q": q, "status": chosen, "page": first // JOBS_SHOWN + 1 + by})

        return site.page(
            view, "jobs.html", jobs=found[first : first + JOBS_SHOWN], found=len(found), there=len(jobs), q=q,
            chosen=chosen, statuses=[each.value for each in JobStatus], first=first, page=first // JOBS_SHOWN + 1,
            turned=turned,
        )  # fmt: skip

    return router


def job_pages(site: WebSite, control: ControlPlane) -> APIRouter:
    """What can be seen of one job, and done about it."""
    router = APIRouter()

    @router.get("/jobs/{job_id}")
    async def show(view: Looked, job_id: ThingId, after: str | None = None) -> Response:
        job = await control.jobs.get(view.asker, job_id)
        query = EndpointQuery(limit=ENDPOINTS_SHOWN + 1, after=after)
        endpoints = await control.endpoints.list(view.asker, job_id, query)
        return site.page(
            view, "job.html", job=job, endpoints=endpoints[:ENDPOINTS_SHOWN],
            owners=await control.file_owners.of_job(view.asker, job),
            warnings=await control.jobs.warnings(view.asker, job),
            further=endpoints[ENDPOINTS_SHOWN - 1].endpoint.id if len(endpoints) > ENDPOINTS_SHOWN else None,
        )  # fmt: skip

    @router.post("/jobs/{job_id}/{move}")
    async def move(view: Looked, job_id: ThingId, move: str) -> Response:
        if move not in _MOVES:
            raise InvalidInputError(f"A job can be moved by one of {', '.join(_MOVES)}, not by {move[:40]!r}.")
        await control.jobs.move(view.asker, job_id, _MOVES[move])
        return see(f"/jobs/{job_id}")

    return router


def job_mark(control: ControlPlane) -> Mark:
    """What the page of a job shows, in short."""

    async def mark(asker: Principal, job_id: str) -> str:
        job = await control.jobs.get(asker, job_id)
        endpoints = await control.endpoints.list(asker, job_id, EndpointQuery(limit=ENDPOINTS_SHOWN))
        shown = [
            (each.endpoint.id, each.endpoint.version, each.endpoint.state.due_at, each.running) for each in endpoints
        ]
        return repr((job.updated_at, job.status, shown))

    return mark
