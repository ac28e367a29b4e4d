"""Which HTTP status tells of which error: the one table, for all doors that speak HTTP."""

from collections.abc import Mapping
from http import HTTPStatus

from cronicorn.domain.errors import (
    ConflictError,
    CronicornError,
    ForbiddenError,
    IdempotencyKeyReusedError,
    InvalidInputError,
    NotFoundError,
    OutcomeUnknownError,
    PreconditionFailedError,
    PreconditionRequiredError,
    QuotaExceededError,
    RateExceededError,
    RequestInProgressError,
    UnauthenticatedError,
    UnavailableError,
)

STATUSES: Mapping[type[CronicornError], HTTPStatus] = {
    NotFoundError: HTTPStatus.NOT_FOUND,
    UnauthenticatedError: HTTPStatus.UNAUTHORIZED,
    ForbiddenError: HTTPStatus.FORBIDDEN,
    PreconditionFailedError: HTTPStatus.PRECONDITION_FAILED,
    RequestInProgressError: HTTPStatus.CONFLICT,
    OutcomeUnknownError: HTTPStatus.CONFLICT,
    ConflictError: HTTPStatus.CONFLICT,
    IdempotencyKeyReusedError: HTTPStatus.UNPROCESSABLE_ENTITY,
    PreconditionRequiredError: HTTPStatus.PRECONDITION_REQUIRED,
    InvalidInputError: HTTPStatus.BAD_REQUEST,
    QuotaExceededError: HTTPStatus.TOO_MANY_REQUESTS,
    RateExceededError: HTTPStatus.TOO_MANY_REQUESTS,
    UnavailableError: HTTPStatus.SERVICE_UNAVAILABLE,
}
"""The first that fits counts."""


def status_of(error: CronicornError) -> HTTPStatus:
    """The status that tells of *error*."""
    fitting = (status for kind, status in STATUSES.items() if isinstance(error, kind))
    return next(fitting, HTTPStatus.INTERNAL_SERVER_ERROR)
