"""What tools answer: lean, bounded, and with what others wrote marked as such."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any, ClassVar, cast

from mcp_types import CallToolResult, TextContent
from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer

from cronicorn.domain.instant import second_text
from cronicorn.domain.masking import without_credentials
from cronicorn.domain.token_guess import guessed_tokens
from cronicorn.domain.untrusted.cleaning import cleaned

ANSWER_TOKENS_MAX = 2_000
"""An answer that is longer, by `guessed_tokens`, is shortened, and says so."""
TEXT_MAX = 300
"""Characters of one text, where nothing else is said."""
_SHORT = 150
"""Texts that are no longer are left whole."""
SHORTENED = "Some of it was left out, to keep the answer short: ask for less, or narrow the question."

_JsonObject = dict[str, Any]


class ToolAnswer(BaseModel):
    """Something that a tool answers, in snake_case; what is nothing is left out."""

    model_config = ConfigDict(frozen=True)

    @model_serializer(mode="wrap")
    def _lean(self, serialize: SerializerFunctionWrapHandler) -> _JsonObject:
        members = cast("_JsonObject", serialize(self))
        return {name: value for name, value in members.items() if value is not None and value not in ([], (), {})}


class BoundedAnswer(ToolAnswer):
    """A whole answer."""

    WHOLE: ClassVar[frozenset[str]] = frozenset()
    """Members that say something else when they are shortened: they are short, or left out by whoever answers."""

    note: str | None = Field(default=None, description="What to know of this answer, such as that it was shortened.")


def result_of(answer: BoundedAnswer) -> CallToolResult:
    """*answer* as a result: structured, and the same as compact JSON, in ANSWER_TOKENS_MAX at most."""
    members = answer.model_dump(mode="json")
    loose = {name: value for name, value in members.items() if name not in {"note", *answer.WHOLE}}
    text = as_text(members)
    while guessed_tokens(text) > ANSWER_TOKENS_MAX and _shorten(loose):
        members |= {**loose, "note": " ".join(each for each in (answer.note, SHORTENED) if each)}
        text = as_text(members)
    return CallToolResult(content=[TextContent(type="text", text=text)], structured_content=members)


def shown(text: str, length_max: int = TEXT_MAX) -> str:
    """*text* that somebody wrote, without what nobody sees and what looks like a credential.

    It has *length_max* characters at most.
    """
    whole = without_credentials(cleaned(text[: 4 * length_max]))
    return whole if len(whole) <= length_max else f"{whole[: length_max - 1]}…"


def clean(value: Any) -> Any:
    """A copy of *value*, which is JSON, without characters that nobody sees, in names and texts."""
    match value:
        case dict():
            return {cleaned(str(name)): clean(child) for name, child in value.items()}
        case list():
            return [clean(child) for child in value]
        case str():
            return cleaned(value)
        case _:
            return value


def instant(at: datetime | None) -> str | None:
    """*at* in UTC, to the second: `2026-01-31T09:30:00Z`; None for none."""
    return None if at is None else second_text(at)


def as_text(value: object) -> str:
    """*value* as compact JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _shorten(members: _JsonObject) -> bool:
    """Halve the longest texts in *members* or, when all are short, the longest list; whether there was either."""
    places = list(_places(members))
    texts = [(holder, key) for holder, key in places if isinstance(holder[key], str) and len(holder[key]) > _SHORT]
    if texts:
        most = max(len(holder[key]) for holder, key in texts) // 2
        for holder, key in texts:
            holder[key] = holder[key] if len(holder[key]) <= most else f"{holder[key][:most]}…"
        return True
    lists = [(holder, key) for holder, key in places if isinstance(holder[key], list) and holder[key]]
    if not lists:
        return False
    holder, key = max(lists, key=lambda place: len(as_text(place[0][place[1]])))
    holder[key] = holder[key][: len(holder[key]) // 2]
    return True


def _places(value: Any) -> Iterator[tuple[Any, str | int]]:
    """Where everything inside *value* stands: what holds it, and under which name or number."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in pairs:
        yield value, key
        yield from _places(child)
