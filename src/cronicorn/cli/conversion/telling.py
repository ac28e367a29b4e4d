"""What options of curl and wget say that both have."""

import re
from collections.abc import Callable, Mapping

from cronicorn.cli.conversion.request import DescribedRequest
from cronicorn.cli.conversion.shell_line import NotConvertibleError

_REFUSE = "refuse "
_LENGTH = re.compile(r"(\d+(?:\.\d+)?)([smhd]?)")
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3_600, "d": 86_400}


def told(found: DescribedRequest, meaning: str, value: str) -> None:
    """Write into *found* what an option of this *meaning* says. Raises NotConvertibleError."""
    if meaning.startswith(_REFUSE):
        raise NotConvertibleError(meaning.removeprefix(_REFUSE))
    if meaning.startswith("header "):
        found.headers[meaning.partition(" ")[2]] = value
        return
    takers: Mapping[str, Callable[[], None]] = {
        "url": lambda: found.called(value),
        "method": lambda: setattr(found, "method", value),
        "header": lambda: _header(found, value),
        "seconds": lambda: setattr(found, "seconds", length(value)),
        "retries": lambda: setattr(found, "retries", whole(value)),
        "pause": lambda: setattr(found, "retry_seconds", length(value)),
        "head": lambda: setattr(found, "method", "HEAD"),
        "nothing": lambda: None,
    }
    takers[meaning]()


def _header(found: DescribedRequest, text: str) -> None:
    name, colon, value = text.partition(":")
    if text.startswith("@"):
        raise NotConvertibleError("It reads headers from a file.")
    if not colon and text.endswith(";"):
        name, value = text[:-1], ""
    elif not colon or not value.strip():
        found.note("It kept curl from sending one of its own headers; here it is sent if Cronicorn sends it.")
        return
    found.headers[name.strip()] = value.strip()


def length(text: str) -> float:
    """A length of time in seconds, as commands are told it. Raises NotConvertibleError."""
    found = _LENGTH.fullmatch(text)
    if found is None:
        raise NotConvertibleError("It names a length of time that can't be read.")
    return float(found[1]) * _SECONDS[found[2]]


def whole(text: str) -> int:
    """A whole number. Raises NotConvertibleError."""
    try:
        return int(text)
    except ValueError:
        raise NotConvertibleError("It names a number that can't be read.") from None
