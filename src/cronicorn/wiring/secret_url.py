"""Addresses of servers that may hold a password: it is given to whoever connects, and shown to nobody."""

import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

_CREDENTIALS = re.compile(r"^([a-z][a-z0-9+.-]*:/*)(?:([^:/?@]*):)?.*@", re.IGNORECASE | re.DOTALL)
_PARAMETER = re.compile(r"([?&][^=&]*password=)[^&]*", re.IGNORECASE)
_WEB_QUERY = re.compile(r"^(https?://[^?#]*\?).+", re.IGNORECASE | re.DOTALL)
"""Servers of the web take keys there, under any name."""
_ONE_HOST = re.compile(r"(?:\[[0-9a-fA-F:.]+\]|[^\[\]:]*)(?::(\d{1,5}))?")
_PORT_MAX = 65_535


@dataclass(frozen=True, slots=True)
class SecretUrl:
    """A URL that was found to be one."""

    text: str = field(repr=False)
    """As it was given, password included."""

    def __str__(self) -> str:
        return masked_url(self.text)


def parse_secret_url(text: str, *schemes: str) -> SecretUrl:
    """Read *text*, a URL with one of *schemes*. Raises ValueError, which quotes nothing, when it could be misread.

    What is strange is refused here: a library that met it later might quote the password in its error.
    """
    scheme, mark, _ = text.partition("://")
    if not mark or scheme not in schemes or not text.isascii() or any(each <= " " for each in text):
        raise ValueError("no such URL")
    authority = urlsplit(text).netloc
    if text.count("@") > authority.count("@") or text.count("@") > 1:
        raise ValueError("odd characters in a password")
    for each in authority.rpartition("@")[2].split(","):
        found = _ONE_HOST.fullmatch(each)
        if found is None or int(found[1] or 1) not in range(1, _PORT_MAX + 1):
            raise ValueError("no host and port")
    return SecretUrl(text)


def masked_url(text: str) -> str:
    """*text* without the password it may hold, wherever it stands; it need not be a URL."""
    without = _CREDENTIALS.sub(lambda found: f"{found[1]}{f'{found[2]}:' if found[2] else ''}***@", text)
    return _WEB_QUERY.sub(r"\1***", _PARAMETER.sub(r"\1***", without))
