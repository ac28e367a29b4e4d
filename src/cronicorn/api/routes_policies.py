"""Routes of policies: trying one on what was recorded, and why nothing else was done then."""

from fastapi import APIRouter

from cronicorn.api.parameters import Asker, Id
from cronicorn.api.strict_json import StrictRoute
from cronicorn.api.wire_policies import BacktestAnswer, PastDecisionAnswer, backtest_answer, past_decision_answer
from cronicorn.control.document import InstantOrNull
from cronicorn.control.policies import BacktestDocument, Policies, policy_to_try


def policy_routes(policies: Policies) -> APIRouter:
    """What can be asked about policies; nothing here changes anything."""
    router = APIRouter(prefix="/endpoints/{id}", tags=["policies"], route_class=StrictRoute)

    @router.post("/backtest")
    async def backtest(asker: Asker, endpoint_id: Id, document: BacktestDocument) -> BacktestAnswer:
        """What a policy would have made of the recorded runs, as bounds where they can't tell more."""
        return backtest_answer(await policies.backtest(asker, endpoint_id, policy_to_try(document), document.over))

    @router.get("/steering")
    async def explain_steering(asker: Asker, endpoint_id: Id, at: InstantOrNull = None) -> PastDecisionAnswer:
        """What had been decided last at an instant (by default now), and for when that planned the next call."""
        return past_decision_answer(await policies.explain_at(asker, endpoint_id, at))

    return router
