"""Routes of past decisions: why a run was made, what came of it, and why nothing else was done then."""

# ruff: noqa: FAST003 - the parameters of paths have their names in `parameters`

from fastapi import APIRouter

from cronicorn.api.parameters import Asker, Id
from cronicorn.api.strict_json import StrictRoute
from cronicorn.api.wire_decisions import (
    PastDecisionAnswer,
    RunExplanationAnswer,
    past_decision_answer,
    run_explanation_answer,
)
from cronicorn.control.decisions import Decisions
from cronicorn.control.document import InstantOrNull


def decision_routes(decisions: Decisions) -> APIRouter:
    """What can be asked about past decisions; nothing here changes anything."""
    router = APIRouter(route_class=StrictRoute)

    @router.get("/endpoints/{id}/steering", tags=["policies"])
    async def explain_steering(asker: Asker, endpoint_id: Id, at: InstantOrNull = None) -> PastDecisionAnswer:
        """What had been decided last at an instant (by default now), and for when that planned the next call."""
        return past_decision_answer(await decisions.explain_at(asker, endpoint_id, at))

    @router.get("/runs/{id}/explain", tags=["runs"])
    async def explain_run(asker: Asker, run_id: Id) -> RunExplanationAnswer:
        """The plan that led to a run, finished or not, what its answer decided, and the plan that followed."""
        return run_explanation_answer(await decisions.explain_run(asker, run_id))

    return router
