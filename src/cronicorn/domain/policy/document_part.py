"""One object of a policy's document, read with its place, so that every fault is found and named."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import TypeVar

from cronicorn.domain.durations import parse_duration, show_duration
from cronicorn.domain.instant import ZERO
from cronicorn.domain.json_body import Json
from cronicorn.domain.json_pointer import json_pointer
from cronicorn.domain.nearest import nearest

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
PROBLEMS_MAX = 50
NUMBER_MAX = 1e9

Choice = TypeVar("Choice", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class PolicyProblem:
    """What is wrong with a policy, where (a JSON Pointer), and how to mend it."""

    pointer: str
    problem: str


class PolicyError(ValueError):
    """A document that is no policy."""

    def __init__(self, problems: Iterable[PolicyProblem]) -> None:
        self.problems = tuple(problems)
        first = self.problems[0]
        super().__init__(f"{first.pointer or '/'}: {first.problem}")


@dataclass(frozen=True, slots=True)
class Part:
    """An object of the document. What can't be read is refused, and reads as if it were not there."""

    value: Mapping[str, Json]
    pointer: str = ""
    problems: list[PolicyProblem] = field(default_factory=list)

    def __contains__(self, key: str) -> bool:
        return self.value.get(key) is not None

    def at(self, key: str) -> str:
        """The JSON Pointer of the member *key*."""
        return self.pointer + json_pointer([key])

    def refuse(self, key: str, problem: str) -> None:
        """The member *key* can't be accepted; the whole object when it is empty."""
        if len(self.problems) < PROBLEMS_MAX:
            self.problems.append(PolicyProblem(self.at(key) if key else self.pointer, problem))

    def knows(self, *keys: str) -> None:
        """Refuse all members but *keys*."""
        for key in map(str, self.value):  # YAML reads some words as something else.
            if key not in keys:
                meant = nearest(key, keys)
                advice = f"Did you mean `{meant}`?" if meant else f"Known here: {', '.join(keys)}."
                self.refuse(key, f"Unknown field. {advice}")

    def text(self, key: str, most: int = 500) -> str | None:
        value = self.value.get(key)
        if value is None or (isinstance(value, str) and 0 < len(value) <= most):
            self._printable(key, value or "")
            return value
        self.refuse(key, f"Must be text of 1 to {most} characters.")
        return None

    def _printable(self, key: str, text: str) -> None:
        """Refuse what a terminal would obey and some stores can't hold."""
        if match := _CONTROL.search(text):
            self.refuse(key, f"Holds the control character U+{ord(match[0]):04X}; take it out.")

    def choice(self, key: str, choices: type[Choice]) -> Choice | None:
        value = self.value.get(key)
        if value is None:
            return None
        try:
            return choices(value) if isinstance(value, str) else choices(str(value).lower())
        except ValueError:
            self.refuse(key, f"Must be one of {', '.join(choices)}.")
            return None

    def whole(self, key: str, low: int, high: int, default: int) -> int:
        value = self.value.get(key)
        if value is None:
            return default
        if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
            return value
        self.refuse(key, f"Must be a whole number from {low} to {high}.")
        return default

    def number(self, key: str, default: float) -> float:
        value = self.value.get(key)
        if value is None:
            return default
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= NUMBER_MAX:
            return float(value)
        self.refuse(key, "Must be a number above 0.")
        return default

    def flag(self, key: str, *, default: bool) -> bool:
        value = self.value.get(key)
        if value is None:
            return default
        if isinstance(value, bool):
            return value
        self.refuse(key, "Must be true or false.")
        return default

    def length(self, key: str, low: timedelta, high: timedelta) -> timedelta | None:
        """A length of time: text such as 30s or 1h30m, or a number of seconds."""
        value = self.value.get(key)
        return None if value is None else self.length_in(key, value, low, high)

    def length_in(self, key: str, value: Json, low: timedelta, high: timedelta) -> timedelta | None:
        """As `length`, of a *value* that stands at *key* or in it."""
        length = length_of(value)
        if length is None or not low <= length <= high:
            least = "0s" if low == ZERO else show_duration(low)
            self.refuse(
                key, f"Must be a length of time such as 30s, 5m or 1h30m, from {least} to {show_duration(high)}."
            )
            return None
        return length

    def part(self, key: str) -> "Part | None":
        value = self.value.get(key)
        return None if value is None else self.part_in(key, value)

    def part_in(self, key: str, value: Json) -> "Part | None":
        """The object *value*, which stands at *key*."""
        if isinstance(value, dict):
            return Part(value, self.at(key), self.problems)
        self.refuse(key, "Must be an object.")
        return None

    def parts(self, key: str, most: int) -> "list[Part]":
        """The objects of a list."""
        value = self.value.get(key)
        if value is None:
            return []
        if not isinstance(value, list) or len(value) > most:
            self.refuse(key, f"Must be a list of at most {most} objects.")
            return []
        inside = Part({}, self.at(key), self.problems)
        return [part for number, item in enumerate(value) if (part := inside.part_in(str(number), item)) is not None]

    def texts(self, key: str, most: int, characters_max: int | None = None) -> tuple[str, ...]:
        """A list of texts, each of at most *characters_max*."""
        value = self.value.get(key)
        if value is None:
            return ()
        if isinstance(value, list) and len(value) <= most and all(isinstance(item, str) for item in value):
            self._printable(key, "".join(map(str, value)))
            for number, item in enumerate(value):
                if characters_max is not None and len(str(item)) > characters_max:
                    self.refuse(key, f"Text {number + 1} is longer than {characters_max} characters: say it shorter.")
            return tuple(str(item) for item in value)
        self.refuse(key, f"Must be a list of at most {most} texts.")
        return ()


def length_of(value: Json) -> timedelta | None:
    """The length that *value* writes: text, or a number of seconds. None for anything else."""
    try:
        if isinstance(value, str):
            return parse_duration(value)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return timedelta(seconds=value)
    except (ValueError, OverflowError):
        pass
    return None
