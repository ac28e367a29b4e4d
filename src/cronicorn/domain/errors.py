"""The errors a caller can act on.

CronicornError
├── NotFoundError           404 · exit 4
├── UnauthenticatedError    401 · exit 3
├── ForbiddenError          403 · exit 8
├── ConflictError           409 · exit 5
│   ├── LeaseLostError, RequestInProgressError, OutcomeUnknownError
│   └── PreconditionFailedError  412
├── InvalidInputError       400 · exit 2
│   ├── IdempotencyKeyReusedError  422
│   └── PreconditionRequiredError  428
├── QuotaExceededError      429 · exit 6
├── RateExceededError       429 · exit 9
└── UnavailableError        503 · exit 7 · the same call may work later
    └── MasterKeyError

Anything else that is raised is a bug. What a called endpoint may well answer is an `Outcome`, never an error.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from cronicorn.domain.rate import LimitStanding, RateStanding


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldError:
    """What is wrong with one field of an input."""

    pointer: str
    """JSON Pointer (RFC 6901) to the field, such as `/minIntervalMs`; empty for the whole input."""
    message: str
    """What is wrong and how to mend it, as a sentence."""


class CronicornError(Exception):
    """Something the caller can act on. The message says what was wrong, where, and what to do."""

    code: ClassVar[str] = "error"


class NotFoundError(CronicornError):
    """What was named does not exist, or belongs to another tenant."""

    code = "not_found"


class UnauthenticatedError(CronicornError):
    """The call carries no credentials, or credentials nobody knows."""

    code = "unauthenticated"

    def __init__(self, message: str, *, limit: LimitStanding | None = None) -> None:
        super().__init__(message)
        self.limit = limit
        """How often one may try; None where that is not counted."""


class ForbiddenError(CronicornError):
    """Whoever asks is known, and may not do this."""

    code = "forbidden"


class ConflictError(CronicornError):
    """The call does not fit the present state."""

    code = "conflict"


class LeaseLostError(ConflictError):
    """The lease ended, or another worker holds a later one: nothing may be written with it."""

    code = "lease_lost"


class PreconditionFailedError(ConflictError):
    """What was to be changed is not the version that was meant."""

    code = "precondition_failed"


class RequestInProgressError(ConflictError):
    """The same request is being carried out."""

    code = "request_in_progress"


class OutcomeUnknownError(ConflictError):
    """Nobody can say whether the request was carried out."""

    code = "outcome_unknown"


class InvalidInputError(CronicornError):
    """The input can't be accepted as it is."""

    code = "invalid_input"

    def __init__(self, message: str, *, fields: tuple[FieldError, ...] = ()) -> None:
        super().__init__(message)
        self.fields = fields


class IdempotencyKeyReusedError(InvalidInputError):
    """The key of the request belongs to another request."""

    code = "idempotency_key_reused"


class PreconditionRequiredError(InvalidInputError):
    """The change does not say which version it is of."""

    code = "precondition_required"


class QuotaExceededError(CronicornError):
    """A tenant's budget does not cover the call."""

    code = "quota_exceeded"

    def __init__(
        self, message: str, *, retry_after: timedelta | None = None, raising_helps: bool = False,
        limit: LimitStanding | None = None,
    ) -> None:  # fmt: skip
        super().__init__(message)
        self.limit = limit
        """The limit that was reached, where it is one that is counted."""
        self.retry_after = retry_after
        """Earlier it is of no use to ask again; None where waiting does not help."""
        self.raising_helps = raising_helps
        """Whether a higher limit of tokens is an answer to it."""


class RateExceededError(CronicornError):
    """Somebody asks more often than was agreed."""

    code = "rate_exceeded"

    def __init__(self, message: str, standing: RateStanding, name: str = "requests") -> None:
        super().__init__(message)
        self.limit = standing.named(name)
        self.standing = standing
        """Where the count stands, and when it is of use to ask again."""


class UnavailableError(CronicornError):
    """Something we depend on did not answer; the same call may work later."""

    code = "unavailable"


class MasterKeyError(UnavailableError):
    """No master key is there to seal with, or not the one that something was sealed with."""

    code = "master_key"
