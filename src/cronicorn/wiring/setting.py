"""One setting: what it means, how it is written and how it is read."""

from collections.abc import Callable
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
