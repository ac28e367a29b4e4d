"""One setting: what it means, how it is written and how it is read."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

PREFIX = "CRONICORN_"


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

    @property
    def name(self) -> str:
        """The environment variable."""
        return PREFIX + self.field.upper()


def as_given(message: str, given_as: Mapping[str, str]) -> str:
    """*message* in the words of whoever reads it: *given_as* says which options stood in for which variables."""
    for variable, option in given_as.items():
        message = re.sub(rf"\b{variable}=", f"{option} ", message)
        message = re.sub(rf"\b{variable}\b", option, message)
    return message
