"""Routes of schedules: when an endpoint will run, and why then."""

# ruff: noqa: FAST003 - the parameters of paths have their names in `parameters`

from typing import Annotated

from fastapi import APIRouter, Query

from cronicorn.api.parameters import Asker, Id
from cronicorn.api.strict_json import StrictRoute
from cronicorn.api.wire_schedule import (
    ExplanationAnswer,
    PlansAnswer,
    PreviewAnswer,
    explanation_answer,
    plans_answer,
    preview_answer,
)
from cronicorn.control.document import PreviewDocument
from cronicorn.control.schedules import Schedules
from cronicorn.domain.preview import PREVIEW_MAX


def schedule_routes(schedules: Schedules) -> APIRouter:
    """What can be asked about schedules; nothing here changes anything."""
    router = APIRouter(tags=["schedules"], route_class=StrictRoute)

    @router.get("/endpoints/{id}/next")
    async def next_runs(
        asker: Asker, endpoint_id: Id, count: Annotated[int, Query(ge=1, le=PREVIEW_MAX)] = 10
    ) -> PlansAnswer:
        """The next runs, if every one succeeds at once and nobody steers."""
        return plans_answer(await schedules.upcoming(asker, endpoint_id, count))

    @router.get("/endpoints/{id}/explain")
    async def explain(asker: Asker, endpoint_id: Id) -> ExplanationAnswer:
        """Every candidate and step of the plan, with why it won or lost."""
        return explanation_answer(await schedules.explain(asker, endpoint_id))

    @router.post("/preview")
    async def preview(asker: Asker, document: PreviewDocument) -> PreviewAnswer:
        """The next runs of an endpoint that is not stored."""
        return preview_answer(await schedules.preview(asker, document))

    return router
