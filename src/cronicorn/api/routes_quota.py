"""Routes of token quotas."""

from fastapi import APIRouter
from starlette.responses import Response

from cronicorn.api.parameters import Asker
from cronicorn.api.strict_json import StrictRoute
from cronicorn.api.wire_quota import QuotaAnswer, quota_answer, rate_limit_fields
from cronicorn.control.quota import Quotas


def quota_routes(quotas: Quotas) -> APIRouter:
    """What a tenant may see of its tokens."""
    router = APIRouter(tags=["quota"], route_class=StrictRoute)

    @router.get("/quota")
    async def show_quota(asker: Asker, response: Response) -> QuotaAnswer:
        """What the tenant has used, reserved and left in its present window; also as RateLimit fields."""
        standing = await quotas.show(asker)
        response.headers.update(rate_limit_fields(standing))
        return quota_answer(standing)

    return router
