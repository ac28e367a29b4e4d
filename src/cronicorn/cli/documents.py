"""Documents out of what was typed."""

from collections.abc import Mapping
from typing import TypeVar

from cronicorn.control.document import Document
from cronicorn.control.findings import Findings
from cronicorn.control.misfits import whole_document

D = TypeVar("D", bound=Document)


def read(model: type[D], given: Mapping[str, object]) -> D:
    """*given* as a document of the kind *model*. Raises InvalidInputError with all that does not fit."""
    return whole_document(model, dict(given), Findings())
