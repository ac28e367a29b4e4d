"""Routes of hints and pauses."""

from http import HTTPStatus

from fastapi import APIRouter

from cronicorn.api.parameters import Asker, Id
from cronicorn.api.preconditions import IfMatch
from cronicorn.api.strict_json import StrictRoute
from cronicorn.control.document import DeferHintDocument, IntervalHintDocument, OneShotHintDocument, PauseDocument
from cronicorn.control.hints import Hints


def hint_routes(hints: Hints) -> APIRouter:
    """What can be asked of an endpoint for a while."""
    router = APIRouter(prefix="/endpoints/{id}", tags=["hints"], route_class=StrictRoute)

    @router.post("/hints/interval", status_code=HTTPStatus.NO_CONTENT)
    async def hint_interval(asker: Asker, endpoint_id: Id, document: IntervalHintDocument, unchanged: IfMatch) -> None:
        await hints.write_interval(asker, endpoint_id, document, unchanged)

    @router.post("/hints/oneshot", status_code=HTTPStatus.NO_CONTENT)
    async def hint_one_shot(asker: Asker, endpoint_id: Id, document: OneShotHintDocument, unchanged: IfMatch) -> None:
        await hints.write_one_shot(asker, endpoint_id, document, unchanged)

    @router.post("/hints/defer", status_code=HTTPStatus.NO_CONTENT)
    async def hint_defer(asker: Asker, endpoint_id: Id, document: DeferHintDocument, unchanged: IfMatch) -> None:
        await hints.write_defer(asker, endpoint_id, document, unchanged)

    @router.delete("/hints", status_code=HTTPStatus.NO_CONTENT)
    async def clear_hints(asker: Asker, endpoint_id: Id, unchanged: IfMatch) -> None:
        """Pauses stay."""
        await hints.clear(asker, endpoint_id, unchanged)

    @router.post("/pause", status_code=HTTPStatus.NO_CONTENT)
    async def pause_endpoint(asker: Asker, endpoint_id: Id, document: PauseDocument, unchanged: IfMatch) -> None:
        """`pausedUntil: null` resumes."""
        await hints.pause(asker, endpoint_id, document, unchanged)

    return router
