"""What a declared field may hold, and how it may be called."""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import TypeAlias

Scalar: TypeAlias = float | int | str | bool
Values: TypeAlias = Mapping[str, Scalar]
"""The values of fields by name. A field that is missing, or holds what its kind does not, is unknown."""

FIELD_NAME_MAX = 64
KNOWN = "known"
METHODS = ("contains", "endsWith", "lowerAscii", "startsWith")
# CEL's own list, https://github.com/google/cel-spec/blob/master/doc/langdef.md, "Syntax".
RESERVED = frozenset({
    "as", "break", "const", "continue", "else", "false", "for", "function", "if", "import", "in", "let", "loop",
    "namespace", "null", "package", "return", "true", "var", "void", "while",
})  # fmt: skip
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


class FieldKind(StrEnum):
    """How a field is compared. All numbers are IEEE doubles."""

    NUMBER = "number"
    STRING = "string"
    BOOL = "bool"


def field_name_problem(name: str) -> str | None:
    """Why conditions could not speak of a field called *name*; None when they can."""
    if len(name) > FIELD_NAME_MAX:
        return f"The name of a field has at most {FIELD_NAME_MAX} characters."
    if _NAME.fullmatch(name) is None:
        return "The name of a field is letters, digits and _, a letter or _ first, as in error_rate."
    if name in RESERVED:
        return f"{name} is a reserved word of conditions; call the field {name}_value, say."
    if name == KNOWN or name in METHODS:
        return f"{name} is a function of conditions; call the field {name}_value, say."
    return None
