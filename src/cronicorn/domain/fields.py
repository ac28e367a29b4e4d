"""Reading and writing the fields of a JSON document, with their types checked."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, Required, TypeAlias, TypeVar, get_args, get_origin, overload

from cronicorn.domain.instant import EPOCH, MICROSECOND, instant_of, length_of

json_text = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode
"""A value as stores keep it."""

json_string = json.encoder.encode_basestring_ascii
"""The same of a text alone."""

_read = json.JSONDecoder().raw_decode
"""`json.loads` without its looking for blanks around the value."""

T = TypeVar("T")
D = TypeVar("D")

Value: TypeAlias = "str | int | bool | list[Value] | dict[str, Value] | None"
"""What JSON can hold, without fractions."""
Document: TypeAlias = dict[str, Value]


def document_in(text: str) -> Document:
    """What `json_text` made of a document. Raises ValueError for what is not one JSON value and nothing around it."""
    document: Document
    document, end = _read(text)
    if end != len(text):
        raise ValueError(f"{text[end : end + 20]!r} follows a document")
    return document


@overload
def us(instant: datetime) -> int: ...
@overload
def us(instant: datetime | None) -> int | None: ...
def us(instant: datetime | None) -> int | None:
    """*instant* in microseconds since 1970."""
    return None if instant is None else (instant - EPOCH) // MICROSECOND  # Written out: a dozen for each run.


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


def unusual(value: T, usual: T) -> T | None:
    """*value*, or None where it is the *usual* one."""
    return None if value == usual else value


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


class Shape(Generic[D]):
    """What a document holds, as a TypedDict says it: the whole is checked at once, at a fifth of the cost by field."""

    def __init__(self, of: type[D]) -> None:
        self._kinds = {key: _kind(annotation) for key, annotation in of.__annotations__.items()}
        self._required = {key for key, annotation in of.__annotations__.items() if _required(annotation)}

    def read(self, document: Mapping[str, Value]) -> D:
        """*document*, as it is or without what is None or not known. Raises ValueError when it holds anything else."""
        kinds = self._kinds
        for key, value in document.items():
            if type(value) is not kinds.get(key):  # `isinstance` would take true for a number.
                document = self._known(document)
                break
        if not document.keys() >= self._required:
            raise ValueError(f"{min(self._required - document.keys())} is missing")
        return document  # type: ignore[return-value]

    def _known(self, document: Mapping[str, Value]) -> Mapping[str, Value]:
        known = {key: value for key, value in document.items() if value is not None and key in self._kinds}
        for key, value in known.items():
            if type(value) is not self._kinds[key]:
                raise ValueError(f"{key} is {value!r}")
        return known


def _kind(annotation: object) -> object:
    """The class of what is under a key of a TypedDict."""
    if _required(annotation):
        (annotation,) = get_args(annotation)
    return get_origin(annotation) or annotation


def _required(annotation: object) -> bool:
    origin: object = get_origin(annotation)
    return origin is Required


@dataclass(frozen=True, slots=True)
class Fields:
    """The fields of one document, one at a time. Reading one that is missing or of another type raises ValueError."""

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
            if not isinstance(value, int) or isinstance(value, bool):
                raise ValueError(f"{key} holds {value!r}, not an instant")  # noqa: TRY004
            found.append(instant_of(value))
        return tuple(found)

    def length(self, key: str, default: timedelta | None = None) -> timedelta:
        return length_of(self.number(key, length_us(default)))

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
