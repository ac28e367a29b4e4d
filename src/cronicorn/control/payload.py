"""Request bodies: any JSON value, bounded, as the text that is sent."""

import json
from collections.abc import Iterator

DEPTH_MAX = 64
VALUES_MAX = 100_000
CHARACTERS_MAX = 1_048_576


def json_text(value: object) -> str:
    """*value* as JSON. Raises ValueError, with a sentence, for what is no JSON value or too large.

    Values of a YAML file may share parts, so the whole is counted before it is written out.
    """
    for count, depth in enumerate(_depths(value)):
        if depth > DEPTH_MAX:
            raise ValueError(f"Nested deeper than {DEPTH_MAX} levels; flatten it.")
        if count > VALUES_MAX:
            raise ValueError(f"Holds more than {VALUES_MAX} values; send less.")
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        text.encode()
    except (TypeError, ValueError):
        raise ValueError("Must be a JSON value: no infinities, dates or half characters.") from None
    if len(text) > CHARACTERS_MAX:
        raise ValueError(f"Longer than {CHARACTERS_MAX} characters; send less.")
    return text


def _depths(value: object) -> Iterator[int]:
    """The depth of each value inside *value*."""
    waiting = [(value, 1)]
    while waiting:
        current, depth = waiting.pop()
        yield depth
        if isinstance(current, dict):
            waiting.extend((child, depth + 1) for child in current.values())
        elif isinstance(current, list | tuple):
            waiting.extend((child, depth + 1) for child in current)
