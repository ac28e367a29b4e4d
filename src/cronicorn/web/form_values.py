"""How values of documents are written in fields of forms, and read from them."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from cronicorn.domain.durations import parse_duration, show_duration
from cronicorn.domain.instant import MILLISECOND


@dataclass(frozen=True, slots=True, kw_only=True)
class Notation:
    """One way to write a value. `read` raises ValueError with a sentence for what can't be read."""

    show: Callable[[object], str]
    read: Callable[[str], object]


def _same(text: str) -> str:
    return text


def _show_length(value: object) -> str:
    assert isinstance(value, int)
    return show_duration(timedelta(milliseconds=value))


def _read_length(text: str) -> int:
    try:
        return parse_duration(text) // MILLISECOND
    except ValueError:
        raise ValueError("Say how long, such as 30s, 5m, 2h or 7d.") from None


def _read_number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 12:  # noqa: PLR2004 - more digits than any limit has
        raise ValueError("Must be a whole number.")
    return int(text)


def _show_lines(value: object) -> str:
    assert isinstance(value, list)
    return "\n".join(str(each) for each in value)


def _read_lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _show_pairs(value: object) -> str:
    assert isinstance(value, dict)
    return "\n".join(f"{name}: {each}" for name, each in value.items())


def _read_pairs(text: str) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for line in _read_lines(text):
        name, value = _pair(line)
        if name in pairs:
            raise ValueError(f"{name[:40]!r} is given twice.")
        pairs[name] = value
    return pairs


def _pair(line: str) -> tuple[str, str]:
    """The name and the value of *line*. A name may hold colons, as URNs do, where a blank follows the last one."""
    if line.endswith(":") and ": " not in line:
        return line[:-1].strip(), ""
    name, colon, value = line.partition(": " if ": " in line else ":")
    if not colon:
        raise ValueError(f"Write each as “Name: value”, on a line of its own; {line[:40]!r} has no colon.")
    return name.strip(), value.strip()


def show_json(value: object) -> str:
    """*value* as a person reads JSON."""
    return json.dumps(value, ensure_ascii=False, indent=2)


def _read_json(text: str) -> object:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"Is no JSON: {error.msg.lower()}, in line {error.lineno}, column {error.colno}.") from None
    except (RecursionError, ValueError):
        raise ValueError("Is no JSON that can be read: it is nested too deeply, or has a number that long.") from None


def _read_object(text: str) -> object:
    value = _read_json(text)
    if not isinstance(value, dict):
        raise ValueError("Must be a JSON object: { … }.")  # noqa: TRY004 - what was entered, not a bug
    return value


def _show_switch(value: object) -> str:
    return "yes" if value else "no"


def _read_switch(text: str) -> bool:
    if text not in {"yes", "no"}:
        raise ValueError("Must be yes or no.")
    return text == "yes"


TEXT = Notation(show=str, read=_same)
LENGTH = Notation(show=_show_length, read=_read_length)
"""Milliseconds, written as `30s`, `5m` or `2h`."""
NUMBER = Notation(show=str, read=_read_number)
LINES = Notation(show=_show_lines, read=_read_lines)
"""A list of texts, each on a line."""
PAIRS = Notation(show=_show_pairs, read=_read_pairs)
"""An object of texts, each as `Name: value` on a line."""
JSON = Notation(show=show_json, read=_read_json)
OBJECT = Notation(show=show_json, read=_read_object)
SWITCH = Notation(show=_show_switch, read=_read_switch)
