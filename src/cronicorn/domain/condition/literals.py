"""Numbers, durations and strings as a condition writes them."""

import re

from cronicorn.domain.condition.misreading import MisreadError
from cronicorn.domain.durations import parse_duration

_SIMPLE = {
    "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v",
    "\\": "\\", "?": "?", '"': '"', "'": "'", "`": "`",
}  # fmt: skip
_ESCAPE = re.compile(
    r"\\(?:[xX](?P<x>[0-9A-Fa-f]{2})|u(?P<u>[0-9A-Fa-f]{4})|U(?P<U>[0-9A-Fa-f]{8})|(?P<octal>[0-3][0-7]{2})|(?P<plain>.))",
    re.DOTALL,
)
_SURROGATES = range(0xD800, 0xE000)
_CODE_POINTS = range(0x110000)


def number_written(text: str, tail: str, at: int) -> float:
    """The number that *text* writes; a duration (it has a *tail* of letters) counts seconds. Raises MisreadError."""
    if not tail:
        return float(text)
    if tail == ".":
        raise MisreadError(at, f"Digits follow a decimal point; write {text}0 or {text[:-1]}.")
    try:
        return parse_duration(text).total_seconds()
    except ValueError:
        raise MisreadError(
            at, f"{text} is no number, such as 5, 0.5 or 1e3, and no duration, such as 500ms, 30s, 10m, 1h30m or 2d."
        ) from None


def string_written(text: str, at: int) -> str:
    """What *text*, quotes included, means. Raises MisreadError."""
    return _ESCAPE.sub(lambda match: _unescaped(match, at + 1), text[1:-1])


def _unescaped(match: re.Match[str], begin: int) -> str:
    at = begin + match.start()
    plain = match["plain"]
    if plain is not None:
        if plain not in _SIMPLE:
            raise MisreadError(at, f"\\{plain} is no escape; write \\\\ for a backslash.")
        return _SIMPLE[plain]
    hexadecimal = match["x"] or match["u"] or match["U"]
    code = int(hexadecimal, 16) if hexadecimal is not None else int(match["octal"], 8)
    if code not in _CODE_POINTS or code in _SURROGATES:
        raise MisreadError(at, f"{match[0]} is no character.")
    return chr(code)
