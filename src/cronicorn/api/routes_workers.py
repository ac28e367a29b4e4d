"""The route of workers."""

from fastapi import APIRouter

from cronicorn.api.parameters import Asker
from cronicorn.api.strict_json import StrictRoute
from cronicorn.api.wire_workers import WorkersAnswer, workers_answer
from cronicorn.control.workers import Workers


def worker_routes(workers: Workers) -> APIRouter:
    """What can be asked about workers."""
    router = APIRouter(tags=["workers"], route_class=StrictRoute)

    @router.get("/workers")
    async def list_workers(asker: Asker) -> WorkersAnswer:
        """Who is there, of which version, since when, and what each holds of the tenant.

        Whoever runs the installation is told the names of machines, and how many leases of all tenants each holds.
        """
        return workers_answer(await workers.list(asker))

    return router
