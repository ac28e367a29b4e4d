"""Routes of analyses by the model."""

# ruff: noqa: FAST003 - the parameters of paths have their names in `parameters`

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from cronicorn.api.cursors import Cursor, Paging
from cronicorn.api.parameters import Asker, Id, Offset
from cronicorn.api.strict_json import StrictRoute, check_says_nothing
from cronicorn.api.wire_analyses import (
    AnalysisRequestAnswer,
    SessionAnswer,
    SessionsAnswer,
    session_answer,
    sessions_answer,
)
from cronicorn.control.analyses import SESSIONS_MAX, Analyses


def analysis_routes(analyses: Analyses) -> APIRouter:
    """What a model said about endpoints, and asking it."""
    router = APIRouter(tags=["analyses"], route_class=StrictRoute)

    @router.get("/endpoints/{id}/sessions")
    async def list_sessions(
        asker: Asker, endpoint_id: Id, *, limit: Annotated[int, Query(ge=1, le=SESSIONS_MAX)] = 10, offset: Offset = 0,
        cursor: Cursor = None,
    ) -> SessionsAnswer:  # fmt: skip
        """Analyses of an endpoint by the model, newest first."""
        paging = Paging(asker, "sessions", endpoint_id)
        after = paging.after(cursor, offset=offset)
        found = await analyses.list(asker, endpoint_id, limit=limit + 1, offset=offset, after=after)
        views, more = paging.cut(found.views, limit, lambda view: (view.analysis.id,))
        return sessions_answer(found, views, more)

    @router.get("/sessions/{id}")
    async def get_session(asker: Asker, session_id: Id) -> SessionAnswer:
        """One analysis."""
        return session_answer(await analyses.get(asker, session_id))

    @router.post("/endpoints/{id}/analyze", status_code=HTTPStatus.ACCEPTED, dependencies=[Depends(check_says_nothing)])
    async def request_analysis(asker: Asker, endpoint_id: Id) -> AnalysisRequestAnswer:
        """Ask for an analysis at the planner's next look, and hear what may prevent it; 409 while analysis is off."""
        return AnalysisRequestAnswer(status="pending", warnings=list(await analyses.request(asker, endpoint_id)))

    return router
