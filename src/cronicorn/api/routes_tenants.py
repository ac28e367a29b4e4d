"""Routes of tenants, and of what holds for one alone: for whoever runs the installation; a tenant may read its own."""

from http import HTTPStatus

from fastapi import APIRouter
from starlette.responses import Response

from cronicorn.api.parameters import Asker, Id
from cronicorn.api.preconditions import IfMatch, tag_field
from cronicorn.api.strict_json import StrictRoute
from cronicorn.api.wire_tenants import (
    EgressAnswer,
    NewTenantAnswer,
    RetentionAnswer,
    TenantAnswer,
    TenantsAnswer,
    TermsAnswer,
    egress_answer,
    new_tenant_answer,
    retention_answer,
    tenant_answer,
    tenants_answer,
    terms_answer,
)
from cronicorn.control.tenant_settings import (
    EgressDocument,
    RetentionDocument,
    TenantSettings,
    TenantView,
    TermsDocument,
)
from cronicorn.control.tenants import TenantDocument, Tenants
from cronicorn.domain.unchanged import version_of_egress, version_of_retention, version_of_terms


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


def tenant_settings_routes(settings: TenantSettings) -> APIRouter:
    """What can be asked about what holds for one tenant."""
    router = APIRouter(prefix="/tenants/{id}", tags=["tenants"], route_class=StrictRoute)

    @router.get("")
    async def get_tenant(asker: Asker, tenant_id: Id) -> TenantAnswer:
        """One tenant; who does not run the installation has only its own."""
        return tenant_answer((await settings.get(asker, tenant_id)).tenant)

    @router.get("/egress")
    async def get_egress(asker: Asker, tenant_id: Id, response: Response) -> EgressAnswer:
        """What the tenant may call beside the public internet and what the settings open to all."""
        return _egress(response, await settings.get(asker, tenant_id))

    @router.put("/egress")
    async def put_egress(
        asker: Asker, tenant_id: Id, document: EgressDocument, unchanged: IfMatch, response: Response
    ) -> EgressAnswer:
        """Workers know of it within seconds. Only for whoever runs the installation."""
        return _egress(response, await settings.set_egress(asker, tenant_id, document, unchanged))

    @router.get("/retention")
    async def get_retention(asker: Asker, tenant_id: Id, response: Response) -> RetentionAnswer:
        """How long the tenant's history is kept."""
        return _retention(response, await settings.get(asker, tenant_id))

    @router.put("/retention")
    async def put_retention(
        asker: Asker, tenant_id: Id, document: RetentionDocument, unchanged: IfMatch, response: Response
    ) -> RetentionAnswer:
        """Older history goes with the next pruning. Only for whoever runs the installation."""
        return _retention(response, await settings.set_retention(asker, tenant_id, document, unchanged))

    @router.get("/terms")
    async def get_terms(asker: Asker, tenant_id: Id, response: Response) -> TermsAnswer:
        """What was agreed with the tenant about its tokens; `GET /api/quota` tells what follows from it."""
        return _terms(response, await settings.get(asker, tenant_id))

    @router.put("/terms")
    async def put_terms(
        asker: Asker, tenant_id: Id, document: TermsDocument, unchanged: IfMatch, response: Response
    ) -> TermsAnswer:
        """It counts at once, also for what was spent before. Only for whoever runs the installation."""
        return _terms(response, await settings.set_terms(asker, tenant_id, document, unchanged))

    return router


def _egress(response: Response, view: TenantView) -> EgressAnswer:
    response.headers.update(tag_field(version_of_egress(view.provision.egress)))
    return egress_answer(view)


def _retention(response: Response, view: TenantView) -> RetentionAnswer:
    response.headers.update(tag_field(version_of_retention(view.provision)))
    return retention_answer(view)


def _terms(response: Response, view: TenantView) -> TermsAnswer:
    response.headers.update(tag_field(version_of_terms(view.tenant.terms)))
    return terms_answer(view)
