"""Reading and writing the fields of a JSON document, with their types checked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias, TypeVar, overload

from cronicorn.domain.instant import MICROSECOND, instant_of, microseconds_of

T = TypeVar("T")

Value: TypeAlias = "str | int | bool | list[Value] | dict[str, Value] | None"
"""What JSON can hold, without fractions."""


@overload
def us(instant: datetime) -> int: ...
@overload
def us(instant: datetime | None) -> int | None: ...
def us(instant: datetime | None) -> int | None:
    """*instant* in microseconds since 1970."""
    return None if instant is None else microseconds_of(instant)


@overload
def length_us(length: timedelta) -> int: ...
@overload
def length_us(length: timedelta | None) -> int | None: ...
def length_us(length: timedelta | None) -> int | None:
    """*length* in microseconds."""
    return None if length is None else length // MICROSECOND


def lean(document: dict[str, Value]) -> dict[str, Value]:
    """*document* without what is None."""
    return {key: value for key, value in document.items() if value is not None}


def pairs(items: Sequence[tuple[str, str]]) -> Value:
    """Pairs of text, in their order."""
    return [[key, value] for key, value in items]


def pairs_of(items: Sequence[Value]) -> tuple[tuple[str, str], ...]:
    """The pairs that `pairs` wrote."""
    found = []
    for item in items:
        match item:
            case [str(key), str(value)]:
                found.append((key, value))
            case _:
                raise ValueError(f"not a pair of text: {item!r}")
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Fields:
    """The fields of one document. Reading one that is missing or of another type raises ValueError."""

    document: Mapping[str, Value]

    def text(self, key: str, default: str | None = None) -> str:
        value = self.document.get(key)
        if isinstance(value, str):
            return value
        return _default(key, value, default)

    def text_or_none(self, key: str) -> str | None:
        return self.text(key) if self.document.get(key) is not None else None

    def number(self, key: str, default: int | None = None) -> int:
        value = self.document.get(key)
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        return _default(key, value, default)

    def number_or_none(self, key: str) -> int | None:
        return self.number(key) if self.document.get(key) is not None else None

    def flag(self, key: str, *, default: bool = False) -> bool:
        value = self.document.get(key)
        if isinstance(value, bool):
            return value
        return _default(key, value, default)

    def instant(self, key: str) -> datetime:
        return instant_of(self.number(key))

    def instant_or_none(self, key: str) -> datetime | None:
        return self.instant(key) if self.document.get(key) is not None else None

    def texts(self, key: str) -> tuple[str, ...]:
        """The texts in the list under *key*."""
        found = []
        for value in self.items(key):
            if not isinstance(value, str):
                raise ValueError(f"{key} holds {value!r}, not a text")  # noqa: TRY004
            found.append(value)
        return tuple(found)

    def instants(self, key: str) -> tuple[datetime, ...]:
        """The instants in the list under *key*."""
        found = []
        for value in self.items(key):
            if not isinstance(value, int):
                raise ValueError(f"{key} holds {value!r}, not an instant")  # noqa: TRY004
            found.append(instant_of(value))
        return tuple(found)

    def length(self, key: str, default: timedelta | None = None) -> timedelta:
        return timedelta(microseconds=self.number(key, length_us(default)))

    def length_or_none(self, key: str) -> timedelta | None:
        return self.length(key) if self.document.get(key) is not None else None

    def items(self, key: str) -> list[Value]:
        """The list under *key*; none when it is missing."""
        value = self.document.get(key)
        if isinstance(value, list):
            return value
        return _default(key, value, [])

    def part(self, key: str) -> Mapping[str, Value]:
        """The object under *key*; an empty one when it is missing."""
        return self.part_or_none(key) or {}

    def part_or_none(self, key: str) -> Mapping[str, Value] | None:
        value = self.document.get(key)
        if value is None or isinstance(value, dict):
            return value
        raise ValueError(f"{key} is {value!r}, not an object")

    def parts(self, key: str) -> list[Mapping[str, Value]]:
        """The objects in the list under *key*."""
        found: list[Mapping[str, Value]] = []
        for value in self.items(key):
            if not isinstance(value, dict):
                raise ValueError(f"{key} holds {value!r}, not an object")  # noqa: TRY004
            found.append(value)
        return found


def _default(key: str, value: Value, default: T | None) -> T:
    if value is not None or default is None:
        raise ValueError(f"{key} is {value!r}" if value is not None else f"{key} is missing")
    return default
