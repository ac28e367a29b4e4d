"""Lengths of time as people write them: `500ms`, `10s`, `5m`, `1h30m`, `30d`, or plain seconds."""

import re
from datetime import timedelta

_UNITS = {
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "m": timedelta(minutes=1),
    "s": timedelta(seconds=1),
    "ms": timedelta(milliseconds=1),
}
_COARSE = (("d", 86_400, "h", 3_600), ("h", 3_600, "min", 60), ("min", 60, "s", 1))
"""Each unit in seconds, with the next smaller one."""
_NUMBER = r"(\d{1,12}(?:\.\d{1,6})?)"
_PART = re.compile(rf"{_NUMBER}(ms|s|m|h|d)", re.ASCII)
_DURATION = re.compile(rf"{_NUMBER}(?:\s*(?:ms|s|m|h|d))?|(?:{_PART.pattern})+", re.ASCII)
_PLAIN = re.compile(rf"{_NUMBER}\s*(ms|s|m|h|d)?", re.ASCII)


def parse_duration(text: str) -> timedelta:
    """The length that *text* means. Raises ValueError for anything else, and for what no timedelta can hold."""
    text = text.strip()
    if _DURATION.fullmatch(text) is None:
        raise ValueError("a duration such as 500ms, 10s, 5m, 2h or 30d")
    plain = _PLAIN.fullmatch(text)
    parts = [(plain[1], plain[2] or "s")] if plain is not None else _PART.findall(text)
    try:
        return sum((float(number) * _UNITS[unit] for number, unit in parts), timedelta())
    except OverflowError as error:
        raise ValueError("a shorter duration") from error


def show_duration(length: timedelta) -> str:
    """*length* in the largest unit that holds it whole: `90s`, `2h`, `1500ms`."""
    for unit, one in _UNITS.items():
        if length >= one and length % one == timedelta(0):
            return f"{length // one}{unit}"
    return f"{length / _UNITS['ms']:g}ms" if length else "0s"


def coarse(span: timedelta) -> str:
    """A length in whole seconds or more, in its two largest units: `4 s`, `4 min 10 s`, `3 d`."""
    seconds = round(span.total_seconds())
    for unit, one, smaller, part in _COARSE:
        if seconds >= one:
            rest = seconds % one // part
            return f"{seconds // one} {unit}" + (f" {rest} {smaller}" if rest else "")
    return f"{seconds} s"
