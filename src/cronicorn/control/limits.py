"""The limits that a document declares for its fields, enforced: the same numbers that its schema shows."""

import re
from typing import Any

from cronicorn.control.document import Document
from cronicorn.control.findings import Findings

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


def check_limits(document: Document, findings: Findings) -> None:
    """Report every value of *document* that is too small, too large, too long or not text that can be kept."""
    for name, field in type(document).model_fields.items():
        value = getattr(document, name)
        pointer = f"/{field.alias}"
        if isinstance(value, Document):
            check_limits(value, findings.inside(pointer))
        elif isinstance(field.json_schema_extra, dict):
            fault = _fault(value, field.json_schema_extra)
            if fault:
                findings.refuse(pointer, fault)


def _fault(value: object, limits: dict[str, Any]) -> str | None:
    match value:
        case str() if "maxLength" in limits:
            return _text_fault(value, limits["minLength"], limits["maxLength"])
        case int() | float() if "maximum" in limits and not limits["minimum"] <= value <= limits["maximum"]:
            return f"Must be from {limits['minimum']} to {limits['maximum']}."
        case list() if "maxItems" in limits and not limits["minItems"] <= len(value) <= limits["maxItems"]:
            return f"Must have from {limits['minItems']} to {limits['maxItems']} items; null means the default."
        case _:
            return None


def _text_fault(text: str, least: int, most: int) -> str | None:
    if not least <= len(text) <= most:
        return f"Must be {least} to {most} characters long."
    if _CONTROL.search(text):
        return "Holds a control character; take it out."
    return None
