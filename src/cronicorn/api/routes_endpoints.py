"""Routes of endpoints, inside their jobs and by themselves."""

# ruff: noqa: FAST003 - the parameters of paths have their names in `parameters`

from functools import partial
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from cronicorn.api.beside import beside
from cronicorn.api.cursors import Cursor, Paging
from cronicorn.api.parameters import Asker, Id, InJob
from cronicorn.api.preconditions import IfMatch, tag_field
from cronicorn.api.strict_json import StrictRoute
from cronicorn.api.wire_endpoint import EndpointAnswer, EndpointsAnswer, endpoint_answer, endpoints_answer
from cronicorn.control.document import EndpointDocument, EndpointPatch
from cronicorn.control.endpoints import Endpoints, EndpointView
from cronicorn.control.file_owners import FileOwners
from cronicorn.domain.history import EndpointQuery
from cronicorn.domain.principal import Principal
from cronicorn.domain.unchanged import version_of_endpoint

LISTED_MAX = 1_000
Listed = Annotated[int | None, Query(ge=1, le=LISTED_MAX)]


def job_endpoint_routes(endpoints: Endpoints, owners: FileOwners) -> APIRouter:
    """What can be asked about the endpoints of a job."""
    router = APIRouter(prefix="/jobs/{jobId}/endpoints", tags=["endpoints"], route_class=StrictRoute)
    tell = partial(_told, owners)

    @router.post("", status_code=HTTPStatus.CREATED)
    async def create_endpoint(
        asker: Asker, job_id: InJob, document: EndpointDocument, response: Response
    ) -> EndpointAnswer:
        return await tell(asker, response, await endpoints.create(asker, job_id, document))

    @router.get("")
    async def list_endpoints(
        asker: Asker, job_id: InJob, limit: Listed = None, cursor: Cursor = None
    ) -> EndpointsAnswer:
        """Archived endpoints included, oldest first; all of them unless `limit` or `cursor` say otherwise."""
        if limit is None and cursor is None:
            return endpoints_answer(await endpoints.list(asker, job_id))
        return await _page(endpoints, asker, job_id, limit or LISTED_MAX, cursor)

    @router.get("/{id}")
    async def get_job_endpoint(asker: Asker, job_id: InJob, endpoint_id: Id, response: Response) -> EndpointAnswer:
        return await tell(asker, response, await endpoints.get(asker, endpoint_id, job_id))

    @router.patch("/{id}")
    async def edit_endpoint(
        asker: Asker, job_id: InJob, endpoint_id: Id, patch: EndpointPatch, *, unchanged: IfMatch, response: Response
    ) -> EndpointAnswer:
        """A merge patch (RFC 7396): what is absent stays, null clears."""
        return await tell(asker, response, await endpoints.edit(asker, endpoint_id, patch, job_id, unchanged=unchanged))

    @router.delete("/{id}", status_code=HTTPStatus.NO_CONTENT)
    async def delete_endpoint(asker: Asker, job_id: InJob, endpoint_id: Id, unchanged: IfMatch) -> None:
        """Its runs go with it; archive it to keep them."""
        await endpoints.delete(asker, endpoint_id, job_id, unchanged)

    @router.post("/{id}/archive")
    async def archive_endpoint(
        asker: Asker, job_id: InJob, endpoint_id: Id, unchanged: IfMatch, response: Response
    ) -> EndpointAnswer:
        return await tell(asker, response, await endpoints.archive(asker, endpoint_id, job_id, unchanged=unchanged))

    @router.post("/{id}/unarchive")
    async def unarchive_endpoint(
        asker: Asker, job_id: InJob, endpoint_id: Id, unchanged: IfMatch, response: Response
    ) -> EndpointAnswer:
        view = await endpoints.archive(asker, endpoint_id, job_id, archived=False, unchanged=unchanged)
        return await tell(asker, response, view)

    return router


def endpoint_routes(endpoints: Endpoints, owners: FileOwners) -> APIRouter:
    """What can be asked about an endpoint without naming its job."""
    router = APIRouter(prefix="/endpoints/{id}", tags=["endpoints"], route_class=StrictRoute)
    tell = partial(_told, owners)

    @router.get("")
    async def get_endpoint(asker: Asker, endpoint_id: Id, response: Response) -> EndpointAnswer:
        return await tell(asker, response, await endpoints.get(asker, endpoint_id))

    @router.post("/reset-failures", status_code=HTTPStatus.NO_CONTENT)
    async def reset_failures(asker: Asker, endpoint_id: Id, unchanged: IfMatch) -> None:
        await endpoints.forgive(asker, endpoint_id, unchanged)

    return router


async def _page(endpoints: Endpoints, asker: Principal, job_id: str, limit: int, cursor: str | None) -> EndpointsAnswer:
    paging = Paging(asker, "endpoints", job_id)
    found = await endpoints.list(asker, job_id, EndpointQuery(limit=limit + 1, after=paging.after(cursor)))
    return endpoints_answer(*paging.cut(found, limit, lambda view: (view.endpoint.id,)))


async def _told(owners: FileOwners, asker: Principal, response: Response, view: EndpointView) -> EndpointAnswer:
    """The endpoint of *view* with whose its fields are; *response* names its version."""
    response.headers.update(tag_field(version_of_endpoint(view.endpoint)))
    return endpoint_answer(view, await beside(owners.of_endpoint(asker, view.endpoint)))
