"""Routes of policies: trying one on what was recorded, and putting one in force."""

from fastapi import APIRouter
from starlette.responses import Response

from cronicorn.api.parameters import Asker, Id
from cronicorn.api.preconditions import IfMatchRequired, tag_field
from cronicorn.api.strict_json import StrictRoute
from cronicorn.api.wire_policies import (
    BacktestAnswer,
    PolicyAnswer,
    backtest_answer,
    policy_answer,
)
from cronicorn.control.document import EndpointPatch
from cronicorn.control.endpoints import Endpoints, EndpointView
from cronicorn.control.policies import BacktestDocument, Policies, PolicyDocument
from cronicorn.domain.unchanged import version_of_endpoint


def policy_routes(policies: Policies) -> APIRouter:
    """What can be asked about policies; nothing here changes anything."""
    router = APIRouter(prefix="/endpoints/{id}", tags=["policies"], route_class=StrictRoute)

    @router.post("/backtest")
    async def backtest(asker: Asker, endpoint_id: Id, document: BacktestDocument) -> BacktestAnswer:
        """What a policy would have made of the recorded runs, as bounds where they can't tell more."""
        tried = await policies.read(asker, document)
        return backtest_answer(await policies.backtest(asker, endpoint_id, tried, document.over))

    return router


def policy_in_force_routes(endpoints: Endpoints) -> APIRouter:
    """The policy of an endpoint by itself."""
    router = APIRouter(prefix="/endpoints/{id}/policy", tags=["policies"], route_class=StrictRoute)

    @router.get("")
    async def get_policy(asker: Asker, endpoint_id: Id, response: Response) -> PolicyAnswer:
        """The policy in force, and what it says in words. Null for none."""
        return _tagged(response, await endpoints.get(asker, endpoint_id))

    @router.put("")
    async def put_policy(
        asker: Asker, endpoint_id: Id, document: PolicyDocument, unchanged: IfMatchRequired, response: Response
    ) -> PolicyAnswer:
        """Put a policy in force. 428 without If-Match: two who write at once must not overwrite one another."""
        patch = EndpointPatch.model_validate({"policy": document.policy})
        return _tagged(response, await endpoints.edit(asker, endpoint_id, patch, unchanged=unchanged))

    @router.delete("")
    async def delete_policy(
        asker: Asker, endpoint_id: Id, unchanged: IfMatchRequired, response: Response
    ) -> PolicyAnswer:
        """Have none in force. 428 without If-Match."""
        patch = EndpointPatch.model_validate({"policy": None})
        return _tagged(response, await endpoints.edit(asker, endpoint_id, patch, unchanged=unchanged))

    return router


def _tagged(response: Response, view: EndpointView) -> PolicyAnswer:
    """The policy of the endpoint of *view*, whose version *response* names."""
    response.headers.update(tag_field(version_of_endpoint(view.endpoint)))
    return policy_answer(view)
