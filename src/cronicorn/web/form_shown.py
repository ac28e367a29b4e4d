"""A form as its page shows it: what was entered, what is wrong with it, and what somebody else saved meanwhile."""

from collections.abc import Mapping
from typing import Any

from cronicorn.control.statuses import status_of
from cronicorn.domain.errors import (
    ConflictError,
    CronicornError,
    ForbiddenError,
    InvalidInputError,
    NotFoundError,
    PreconditionFailedError,
    UnauthenticatedError,
    UnavailableError,
)
from cronicorn.web.forms import faults_of
from cronicorn.web.once import opened
from cronicorn.web.view import View

TOLD_IN_FORMS = (InvalidInputError, ConflictError, UnavailableError)
"""What a form tells itself, where what was entered stays; all else is told by a page of its own."""
TOLD_ELSEWHERE = (ForbiddenError, NotFoundError, PreconditionFailedError, UnauthenticatedError)
"""What a page of its own tells: all else is told in the form, where what was entered stays."""


def form_shown(
    view: View, entered: Mapping[str, str], labels: Mapping[str, str], error: CronicornError | None = None, *,
    version: str = "", stored: Mapping[str, str] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """The values that a page with a form has, whose fields people know by *labels*.

    *version* is that of what is edited, as the form was begun. Where somebody else saved it since, *stored* says what
    they saved, and *version* is that of it: sent again, the form overwrites it.
    """
    shown: dict[str, Any] = {
        "entered": entered,
        "labels": labels,
        "once": opened(view),
        "version": version,
        "faults": faults_of(error, list(labels)) if error is not None and stored is None else {},
        "late": stored is not None,
        "meanwhile": [
            (labels[name], text, entered.get(name, ""))
            for name, text in (stored or {}).items()
            if text != entered.get(name, "")
        ],
    }
    return shown if error is None else shown | {"status": status_of(error)}
