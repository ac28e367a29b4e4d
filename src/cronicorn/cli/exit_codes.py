"""How commands end: one exit code for each kind of error that a caller can act on.

0 done · 1 a bug, or stopped by a closed pipe · 2 invalid input, settings or usage · 3 unauthenticated · 4 not found ·
5 conflict · 6 quota exceeded · 7 unavailable, or nowhere to write to · 8 forbidden ·
9 rate exceeded · 130, 143 stopped at once by a (second) signal
"""

from cronicorn.domain.errors import (
    ConflictError,
    CronicornError,
    ForbiddenError,
    InvalidInputError,
    NotFoundError,
    QuotaExceededError,
    RateExceededError,
    UnauthenticatedError,
    UnavailableError,
)

EXIT_CODES: tuple[tuple[type[CronicornError], int], ...] = (
    (InvalidInputError, 2),
    (UnauthenticatedError, 3),
    (NotFoundError, 4),
    (ConflictError, 5),
    (QuotaExceededError, 6),
    (UnavailableError, 7),
    (ForbiddenError, 8),
    (RateExceededError, 9),
)


def exit_code(error: Exception) -> int | None:
    """The code for *error*, or None when it is a bug."""
    return next((code for kind, code in EXIT_CODES if isinstance(error, kind)), None)
