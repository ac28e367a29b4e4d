"""Problem documents (RFC 9457): how every refusal and failure is told. `control.statuses` maps errors to statuses."""

import json
import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from math import ceil
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from cronicorn.api.wire_rates import limit_fields
from cronicorn.control.findings import FINDINGS_MAX, invalid
from cronicorn.control.misfits import misfits
from cronicorn.control.statuses import STATUSES
from cronicorn.domain.errors import (
    CronicornError,
    FieldError,
    InvalidInputError,
    QuotaExceededError,
    RateExceededError,
    RequestInProgressError,
    UnauthenticatedError,
)

log = logging.getLogger(__name__)

RETRY_AFTER_S = 5
IN_PROGRESS_S = 1
"""Most requests have ended by then."""
PROBLEMS_PATH = "/problems"
"""Below it each type of problem has a page, which its `type` names."""
REQUEST_ID = "request_id"
"""Where the state of a request holds its id."""
INTERNAL = "Something went wrong here. The log tells more under the request's id, which the X-Request-Id header holds."

CODES = {
    HTTPStatus.METHOD_NOT_ALLOWED: "method_not_allowed",
    HTTPStatus.REQUEST_TIMEOUT: "request_timeout",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "content_too_large",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "unsupported_media_type",
    HTTPStatus.INTERNAL_SERVER_ERROR: "internal",
} | {status: kind.code for kind, status in STATUSES.items()}
"""What a status is called where no error says it: of those that share one, by the last in STATUSES."""


class FaultAnswer(BaseModel):
    """What is wrong with one field."""

    pointer: str
    detail: str


class ProblemAnswer(BaseModel):
    """A problem document (RFC 9457)."""

    type: str
    """Where a page about this type of problem is; it ends in the code."""
    title: str
    status: int
    detail: str
    instance: str
    message: str
    """The same as `detail`, for older clients."""
    errors: list[FaultAnswer] = []
    requestId: str | None = None  # noqa: N815 - as it is on the wire
    """The id of the request, as the field X-Request-Id and the log have it."""


def problem(
    scope: Scope,
    status: int,
    detail: str,
    *,
    code: str | None = None,
    errors: Sequence[FieldError] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The answer that tells of a problem. `message` says the same as `detail`, for older clients."""
    known = HTTPStatus(status)
    content: dict[str, object] = {
        "type": f"{PROBLEMS_PATH}/{code or CODES.get(known, 'error')}",
        "title": known.phrase,
        "status": known.value,
        "detail": detail,
        "instance": scope.get("path", ""),
        "message": detail,
    }
    if (request_id := request_id_of(scope)) is not None:
        content["requestId"] = request_id
    if errors:
        content["errors"] = [{"pointer": error.pointer, "detail": error.message} for error in errors]
    return Response(
        json.dumps(content), known.value, media_type="application/problem+json", headers=dict(headers or {})
    )


def request_id_of(scope: Scope) -> str | None:
    """The id of a request, where it has one."""
    request_id = scope.get("state", {}).get(REQUEST_ID)
    return request_id if isinstance(request_id, str) else None


def problem_of(scope: Scope, error: CronicornError) -> Response:
    """The answer that tells of *error*."""
    known = ((kind.code, status) for kind, status in STATUSES.items() if isinstance(error, kind))
    code, status = next(known, (None, HTTPStatus.INTERNAL_SERVER_ERROR))
    headers = {}
    if status is HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Bearer realm="cronicorn"'
    if isinstance(error, QuotaExceededError) and error.retry_after is not None:
        headers["Retry-After"] = str(max(1, ceil(error.retry_after.total_seconds())))
    if isinstance(error, QuotaExceededError | RateExceededError | UnauthenticatedError):
        headers |= limit_fields(error.limit)
    if isinstance(error, RateExceededError):
        headers["Retry-After"] = str(max(1, ceil(error.standing.retry_after.total_seconds())))
    if isinstance(error, RequestInProgressError):
        headers["Retry-After"] = str(IN_PROGRESS_S)
    if status is HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = str(RETRY_AFTER_S)
        log.warning("request_unavailable", extra={"path": scope.get("path"), "reason": str(error)})
    fields = error.fields if isinstance(error, InvalidInputError) else ()
    return problem(scope, status, str(error), code=code, errors=fields, headers=headers)


def add_problem_handlers(app: FastAPI) -> None:
    """Let *app* tell of everything that goes wrong in a problem document."""

    @app.exception_handler(CronicornError)
    async def ours(request: Request, error: CronicornError) -> Response:
        return problem_of(request.scope, error)

    @app.exception_handler(RequestValidationError)
    async def misfit(request: Request, error: RequestValidationError) -> Response:
        return problem_of(request.scope, invalid(_misfits(request, error)))

    @app.exception_handler(HTTPException)
    async def framework(request: Request, error: HTTPException) -> Response:
        return problem(request.scope, error.status_code, _told(request, error), headers=error.headers)


def _told(request: Request, error: HTTPException) -> str:
    match error.status_code:
        case HTTPStatus.NOT_FOUND:
            slash = " Leave the slash at its end out." if request.url.path.endswith("/") else ""
            return f"There is nothing at this path.{slash}"
        case HTTPStatus.METHOD_NOT_ALLOWED:
            return f"{request.method} is not allowed here; the Allow header says what is."
        case _:
            return error.detail


def _misfits(request: Request, error: RequestValidationError) -> tuple[FieldError, ...]:
    found: list[FieldError] = []
    for fault in error.errors()[:FINDINGS_MAX]:
        place, *rest = fault["loc"]
        (misfit,) = misfits([{**fault, "loc": rest}], _body_model(request))
        if place == "body":
            empty = not rest and fault["type"] == "missing"
            found.append(FieldError(pointer="", message="Send a JSON object as the body.") if empty else misfit)
        else:
            name = ".".join(str(part) for part in rest)
            found.append(FieldError(pointer="", message=f"The {place} parameter {name}: {misfit.message}"))
    return tuple(found)


def _body_model(request: Request) -> type[BaseModel] | None:
    route: Any = request.scope.get("route")
    if not isinstance(route, APIRoute) or route.body_field is None:
        return None
    model = route.body_field.field_info.annotation
    return model if isinstance(model, type) and issubclass(model, BaseModel) else None
