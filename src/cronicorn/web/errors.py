"""Pages that tell what went wrong, and what to do."""

from collections.abc import Mapping
from datetime import timedelta
from http import HTTPStatus
from math import ceil

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from cronicorn.control.statuses import status_of
from cronicorn.domain.errors import CronicornError, QuotaExceededError, RateExceededError, UnavailableError
from cronicorn.web.site import WebSite
from cronicorn.web.view import View

AWAY_FOR = timedelta(seconds=5)
"""A store that is away is worth another try then."""
_TITLES: Mapping[HTTPStatus, str] = {
    HTTPStatus.BAD_REQUEST: "That can't be done as it is",
    HTTPStatus.FORBIDDEN: "You may not do this",
    HTTPStatus.NOT_FOUND: "There is nothing here",
    HTTPStatus.CONFLICT: "That does not fit the present state",
    HTTPStatus.PRECONDITION_FAILED: "Somebody changed it meanwhile",
    HTTPStatus.TOO_MANY_REQUESTS: "Too much at once",
    HTTPStatus.INTERNAL_SERVER_ERROR: "Something went wrong here",
    HTTPStatus.SERVICE_UNAVAILABLE: "Not now",
}
_TOLD: Mapping[HTTPStatus, str] = {
    HTTPStatus.NOT_FOUND: "It may have been deleted, or the address may be mistyped.",
    HTTPStatus.METHOD_NOT_ALLOWED: "This address is for the form of a page, and not for looking at.",
    HTTPStatus.BAD_REQUEST: "The address holds something that can't be read.",
    HTTPStatus.INTERNAL_SERVER_ERROR: "The log tells more, under the number of the request.",
}


def error_page(
    site: WebSite, view: View, status: HTTPStatus, told: str | None = None, headers: Mapping[str, str] | None = None
) -> Response:
    """The page that tells of *status*."""
    title = _TITLES.get(status, status.phrase)
    return site.page(
        view, "error.html", status=status, headers=headers, title=title, told=told or _TOLD.get(status, status.phrase),
        code=status.value,
    )  # fmt: skip


def page_of_error(site: WebSite, view: View, error: CronicornError) -> Response:
    """The page that tells of *error*."""
    headers = retry_fields(error)
    return error_page(site, view, status_of(error), str(error), headers)


def retry_fields(error: CronicornError) -> Mapping[str, str]:
    """When it is of use to ask again, where *error* says so."""
    match error:
        case RateExceededError():
            wait: timedelta | None = error.standing.retry_after
        case QuotaExceededError():
            wait = error.retry_after
        case UnavailableError():
            wait = AWAY_FOR
        case _:
            wait = None
    return {} if wait is None else {"Retry-After": str(max(1, ceil(wait.total_seconds())))}


def add_error_pages(app: FastAPI, site: WebSite) -> None:
    """Let *app* tell of everything that goes wrong in a page. What is raised by the control plane the porter tells."""

    @app.exception_handler(HTTPException)
    async def framework(request: Request, error: HTTPException) -> Response:
        return error_page(site, request.state.view, HTTPStatus(error.status_code), headers=error.headers)

    @app.exception_handler(RequestValidationError)
    async def misfit(request: Request, _: RequestValidationError) -> Response:
        return error_page(site, request.state.view, HTTPStatus.BAD_REQUEST)
