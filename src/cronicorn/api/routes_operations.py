"""Routes for whoever operates Cronicorn. They carry no tenant's data and need no key."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus

from fastapi import APIRouter
from starlette.responses import Response

from cronicorn.api.description import problem_responses
from cronicorn.api.readiness import Readiness
from cronicorn.api.wire_values import Answer
from cronicorn.domain.ports import StoreHealth

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class OperationAnswer(Answer):
    """How it goes."""

    status: str


def operation_routes(health: StoreHealth, metrics: Callable[[], Awaitable[bytes]]) -> APIRouter:
    """Whether it lives, whether it can work, and what it measures."""
    router, readiness = APIRouter(tags=["operations"]), Readiness(health)

    @router.get("/healthz")
    async def healthz() -> OperationAnswer:
        """The process answers."""
        return OperationAnswer(status="ok")

    @router.get("/readyz", responses=problem_responses(HTTPStatus.SERVICE_UNAVAILABLE))
    async def readyz() -> OperationAnswer:
        """The store can be read and, as far as it tells, written; 503 otherwise. It answers within 2 seconds."""
        await readiness.check()
        return OperationAnswer(status="ready")

    @router.get("/metrics", response_class=Response)
    async def prometheus() -> Response:
        """Measurements in Prometheus' text format."""
        return Response(await metrics(), media_type=METRICS_TYPE)

    return router
