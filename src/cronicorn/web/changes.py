"""What an entry of the audit log says was changed, value by value, as a person reads it. Pure."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from cronicorn.domain.access.audit_entry import AuditEntry
from cronicorn.domain.durations import show_duration
from cronicorn.domain.fields import Document, Value
from cronicorn.domain.instant import instant_of, length_of, second_text

_DEEP_MAX = 2
"""What lies deeper is told as JSON."""
_LISTED_MAX = 20
"""A longer list is told as JSON, too."""
_MICROSECONDS = "_us"
_INSTANTS = ("at_us", "until_us")
_RANGE = 1 << 55
"""Microseconds beyond are no instant that a calendar holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedValue:
    """One value."""

    name: str
    """Its path, with dots."""
    before: str
    """Empty where there was none."""
    after: str


def changes_of(entry: AuditEntry) -> Sequence[ChangedValue]:
    """The values that are different, by name; of what is new, or gone, all."""
    before, after = dict(_values(entry.before or {})), dict(_values(entry.after or {}))
    return [
        ChangedValue(name=name, before=before.get(name, ""), after=after.get(name, ""))
        for name in sorted(before.keys() | after.keys())
        if before.get(name, "") != after.get(name, "")
    ]


def _values(document: Document, path: str = "", deep: int = 0) -> Iterator[tuple[str, str]]:
    for key, value in document.items():
        yield from _value(f"{path}{key.removesuffix(_MICROSECONDS)}", key, value, deep)


def _value(name: str, key: str, value: Value, deep: int) -> Iterator[tuple[str, str]]:
    """What is told of *value*: of what holds others, each of these."""
    if deep < _DEEP_MAX and isinstance(value, Mapping) and value:
        yield from _values(value, f"{name}.", deep + 1)
    elif deep < _DEEP_MAX and isinstance(value, list) and 0 < len(value) <= _LISTED_MAX:
        for place, each in enumerate(value, 1):
            yield from _value(f"{name} {place}", key, each, deep + 1)
    else:
        yield name, _told(key, value)


def _told(key: str, value: Value) -> str:
    if isinstance(value, int) and not isinstance(value, bool) and key.endswith(_MICROSECONDS) and abs(value) < _RANGE:
        return second_text(instant_of(value)) if key.endswith(_INSTANTS) else show_duration(length_of(value))
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
