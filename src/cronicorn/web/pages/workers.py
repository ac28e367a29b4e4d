"""Workers: which there are, and what each holds of the tenant."""

from fastapi import APIRouter
from starlette.responses import Response

from cronicorn.control.plane import ControlPlane
from cronicorn.domain.principal import Principal
from cronicorn.web.live import Mark
from cronicorn.web.site import WebSite
from cronicorn.web.view import Looked

WORKERS_SHOWN = 40
LEASES_SHOWN = 40
"""Of all workers together, those held longest."""


def worker_pages(site: WebSite, control: ControlPlane) -> APIRouter:
    """What can be seen of workers."""
    router = APIRouter()

    @router.get("/workers")
    async def show(view: Looked) -> Response:
        found = await control.workers.list(view.asker)
        leases = sorted(
            ((slot, worker.name) for worker in found.workers for slot in worker.leases),
            key=lambda each: each[0].claimed_at,
        )
        return site.page(
            view, "workers.html", found=found, workers=found.workers[:WORKERS_SHOWN], leases=leases[:LEASES_SHOWN],
            held=len(leases), alive=sum(worker.alive for worker in found.workers),
            expired=sum(slot.expires_at <= found.now for slot, _ in leases),
        )  # fmt: skip

    return router


def workers_mark(control: ControlPlane) -> Mark:
    """What the page of workers shows, in short."""

    async def mark(asker: Principal, _: str) -> str:
        shown = []
        for each in (await control.workers.list(asker)).workers:
            held = [(slot.endpoint_id, slot.slot, slot.attempt) for slot in each.leases]
            shown.append((each.name, each.alive, each.in_all, held))
        return repr(shown)

    return mark
