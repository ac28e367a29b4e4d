"""What options of curl and wget say that both have."""

import re

from cronicorn.cli.conversion.request import DescribedRequest
from cronicorn.cli.conversion.shell_line import NotConvertibleError

_REFUSE = "refuse "
_LENGTH = re.compile(r"(\d+(?:\.\d+)?)([smhd]?)")
_LENGTH_MAX = 30
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3_600, "d": 86_400}


def told(found: DescribedRequest, meaning: str, value: str) -> None:
    """Write into *found* what an option of this *meaning* says. Raises NotConvertibleError."""
    if meaning.startswith(_REFUSE):
        raise NotConvertibleError(meaning.removeprefix(_REFUSE))
    match meaning.split():
        case ["url"]:
            found.called(value)
        case ["method"]:
            found.method = value
        case ["head"]:
            found.method = "HEAD"
        case ["header"]:
            _header(found, value)
        case ["header", name]:
            found.headers[name] = value
        case ["seconds"]:
            found.seconds = limit(value)
        case ["retries"]:
            found.retries = whole(value)
        case ["pause"]:
            found.retry_seconds = length(value)
        case _:
            assert meaning == "nothing"


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
    if found is None or len(text) > _LENGTH_MAX:
        raise NotConvertibleError("It names a length of time that can't be read.")
    return float(found[1]) * _SECONDS[found[2]]


def limit(text: str) -> float | None:
    """The same where it is the most that something may take: 0 is none. Raises NotConvertibleError."""
    return length(text) or None


def whole(text: str) -> int:
    """A whole number. Raises NotConvertibleError."""
    try:
        return int(text)
    except ValueError:
        raise NotConvertibleError("It names a number that can't be read.") from None
