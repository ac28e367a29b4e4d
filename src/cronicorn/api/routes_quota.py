"""Routes of quotas."""

from fastapi import APIRouter
from starlette.responses import Response

from cronicorn.api.parameters import Asker
from cronicorn.api.strict_json import StrictRoute
from cronicorn.api.wire_quota import QuotaAnswer, quota_answer, quota_limits
from cronicorn.api.wire_rates import limit_fields
from cronicorn.control.quota import Quotas


def quota_routes(quotas: Quotas) -> APIRouter:
    """What a tenant may see of its tokens and its runs."""
    router = APIRouter(tags=["quota"], route_class=StrictRoute)

    @router.get("/quota")
    async def show_quota(asker: Asker, response: Response) -> QuotaAnswer:
        """What the tenant has left of its tokens and runs, also as RateLimit fields, and what its tier lets it do."""
        standing = await quotas.show(asker)
        response.headers.update(limit_fields(*quota_limits(standing)))
        return quota_answer(standing)

    return router
