"""What a server refused, as the error that the same refusal would be in this process."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from cronicorn.domain.errors import (
    ConflictError,
    CronicornError,
    FieldError,
    ForbiddenError,
    InvalidInputError,
    NotFoundError,
    QuotaExceededError,
    RateExceededError,
    UnauthenticatedError,
    UnavailableError,
)
from cronicorn.domain.rate import Rate, RateStanding

_BY_STATUS: Mapping[int, type[CronicornError]] = {
    400: InvalidInputError,
    401: UnauthenticatedError,
    403: ForbiddenError,
    404: NotFoundError,
    405: NotFoundError,
    409: ConflictError,
    412: ConflictError,
    413: InvalidInputError,
    422: InvalidInputError,
    428: InvalidInputError,
}


def error_of(status: int, document: Mapping[str, Any], retry_after: str = "") -> CronicornError:
    """The error that the problem *document* (RFC 9457) of an answer with *status* tells of."""
    detail = str(document.get("detail", f"the server answered {status}"))
    wait = timedelta(seconds=min(int(retry_after), 10**9)) if retry_after.isdecimal() else None
    if status == 429:  # noqa: PLR2004
        if str(document.get("type", "")).endswith(f"/{RateExceededError.code}"):
            return RateExceededError(detail, _standing(wait or timedelta()))
        return QuotaExceededError(detail, retry_after=wait)
    kind = _BY_STATUS.get(status, UnavailableError)
    if kind is InvalidInputError:
        faults = tuple(_faults(document))
        lines = [f"{each.pointer}: {each.message}" if each.pointer else each.message for each in faults]
        return InvalidInputError("\n".join(lines) if len(lines) > 1 else detail, fields=faults)
    return kind(detail)


def _faults(document: Mapping[str, Any]) -> list[FieldError]:
    errors = document.get("errors")
    return [
        FieldError(pointer=str(each.get("pointer", "")), message=str(each.get("detail", "")))
        for each in (errors if isinstance(errors, list) else ())
        if isinstance(each, dict)
    ]


def _standing(wait: timedelta) -> RateStanding:
    """Only how long to wait is known here."""
    rate = Rate(limit=1, period=timedelta(minutes=1))
    return RateStanding(rate=rate, allowed=False, remaining=0, resets_in=wait, retry_after=wait)
