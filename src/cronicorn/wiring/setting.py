"""One setting: what it means, how it is written and how it is read."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

PREFIX = "CRONICORN_"
FILE_SUFFIX = "_FILE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One row of the table."""

    field: str
    """The name of the field of `Settings`."""
    meaning: str
    unit: str
    default: str
    """As it would be written in the environment; empty means unset."""
    example: str
    read: Callable[[str], object]
    secret: bool = False
    """It may be given by a file instead, whose path stands in the variable of its name and `_FILE`."""

    @property
    def name(self) -> str:
        """The environment variable."""
        return PREFIX + self.field.upper()

    @property
    def names(self) -> tuple[str, ...]:
        """All environment variables by which it may be given."""
        return (self.name, self.name + FILE_SUFFIX) if self.secret else (self.name,)


def as_given(message: str, given_as: Mapping[str, str]) -> str:
    """*message* in the words of whoever reads it: *given_as* says which options stood in for which variables."""
    for variable, option in given_as.items():
        message = re.sub(rf"\b{variable}=", f"{option} ", message)
        message = re.sub(rf"\b{variable}\b", option, message)
    return message
