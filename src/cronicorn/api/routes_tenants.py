"""Routes of tenants, for whoever runs the installation."""

from http import HTTPStatus

from fastapi import APIRouter

from cronicorn.api.parameters import Asker
from cronicorn.api.strict_json import StrictRoute
from cronicorn.api.wire_tenants import NewTenantAnswer, TenantsAnswer, new_tenant_answer, tenants_answer
from cronicorn.control.tenants import TenantDocument, Tenants


def tenant_routes(tenants: Tenants) -> APIRouter:
    """What can be asked about tenants."""
    router = APIRouter(prefix="/tenants", tags=["tenants"], route_class=StrictRoute)

    @router.post("", status_code=HTTPStatus.CREATED)
    async def create_tenant(asker: Asker, document: TenantDocument) -> NewTenantAnswer:
        """Its first key is answered only now, and may do everything in it."""
        return new_tenant_answer(await tenants.create(asker, document))

    @router.get("")
    async def list_tenants(asker: Asker) -> TenantsAnswer:
        """Oldest first."""
        return tenants_answer(await tenants.list(asker))

    return router
