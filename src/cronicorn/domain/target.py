"""Where a call goes: an http or https URL, read strictly.

Host spellings mean what the WHATWG URL standard says (`0x7f.1` and `2130706433` are 127.0.0.1), so that a guard
judges the address that would be called. What that standard mends in silence (backslashes, tabs, spaces) is refused.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import AddressValueError, IPv4Address, IPv6Address

from cronicorn.domain.errors import InvalidInputError

URL_LENGTH_MAX = 8_192
NAME_LENGTH_MAX = 253
PORT_MAX = 65_535
PORTS = {"http": 80, "https": 443}

_REMEMBERED = 4_096

_FORBIDDEN = re.compile(r"[\x00-\x20\x7f-\x9f\\\s\ud800-\udfff]")
_URL = re.compile(r"(https?)://([^/?#]*)([^?#]*)(\?[^#]*)?(?:#.*)?", re.IGNORECASE | re.ASCII)
_BRACKETED = re.compile(r"\[([^\]]*)\](?::([0-9]*))?")
_NAMED = re.compile(r"([^:\[\]]+)(?::([0-9]*))?")
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NEVER_IN_HOST = re.compile(r"[\"#%/:<>?@\[\]^`{|}]")
_UNSAFE_IN_PATH = re.compile(r"[^\x21-\x7e]|[\"#<>?^`{}]")
_UNSAFE_IN_QUERY = re.compile(r"[^\x21-\x7e]|[\"#<>']")
_NUMBERS = (
    (16, re.compile(r"0[xX]([0-9a-fA-F]*)")),
    (8, re.compile(r"0([0-7]+)")),
    (10, re.compile(r"(0|[1-9][0-9]*)")),
)
_ENDS_IN_NUMBER = re.compile(r"(?:.*\.)?(?:[0-9]+|0[xX][0-9a-fA-F]*)")
_IPV4_PARTS_MAX = 4
_BYTE_MAX = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Who a URL speaks to. Two URLs that mean the same host have the same `host`."""

    scheme: str
    host: str
    """In lower case, without a trailing dot or brackets; an IP address in its usual spelling.

    A name with letters beyond ASCII stands as it was given: turning it into punycode is for who resolves it.
    """
    port: int
    address: IPv4Address | IPv6Address | None
    """The address that `host` spells; None when it is a name."""

    @property
    def authority(self) -> str:
        """Host and port, the port left out when it is the scheme's own."""
        host = f"[{self.host}]" if isinstance(self.address, IPv6Address) else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A URL taken apart."""

    site: Site
    path: str
    """Path and query as they go on the wire: ASCII, beginning with a slash."""

    @property
    def url(self) -> str:
        """The URL in its normal form, without a fragment."""
        return f"{self.site.scheme}://{self.site.authority}{self.path}"


def host_of(url: str) -> str:
    """The host that *url* names; nothing for a URL that no dispatcher would call."""
    try:
        return parse_target(url).site.host
    except InvalidInputError:
        return ""


def parse_target(url: str) -> Target:
    """Take *url* apart. Raises InvalidInputError, whose message never repeats the URL: it may hold a secret."""
    if len(url) > URL_LENGTH_MAX:
        raise InvalidInputError(f"The URL is longer than {URL_LENGTH_MAX} characters: shorten it.")
    if _FORBIDDEN.search(url):
        raise InvalidInputError("The URL holds white space, a control character or a backslash: percent-encode it.")
    match = _URL.fullmatch(url)
    if match is None:
        raise InvalidInputError("The URL must begin with http:// or https:// and name a host.")
    path = _encoded(_UNSAFE_IN_PATH, match[3] or "/")
    if match[4] is not None:
        path += _encoded(_UNSAFE_IN_QUERY, match[4])
    return Target(site=_site(match[1].lower(), match[2]), path=path)


def parse_host(text: str) -> tuple[str, IPv4Address | None]:
    """A host name in normal form, and the IPv4 address it spells, if any. Raises InvalidInputError."""
    name = text.removesuffix(".")
    if not name or len(name) > NAME_LENGTH_MAX or _NEVER_IN_HOST.search(name):
        raise InvalidInputError(
            f"The host of the URL must be a name of 1 to {NAME_LENGTH_MAX} letters, or an IP address."
        )
    if _ENDS_IN_NUMBER.fullmatch(name):
        address = _ipv4(name)
        return str(address), address
    if not name.isascii():
        return name, None
    name = name.lower()
    if not all(_LABEL.fullmatch(label) for label in name.split(".")):
        raise InvalidInputError(
            "The host of the URL has a part that is empty, too long, or not of letters, digits and hyphens."
        )
    return name, None


@lru_cache(_REMEMBERED)
def _site(scheme: str, authority: str) -> Site:
    host, port, address = _authority(authority, PORTS[scheme])
    return Site(scheme=scheme, host=host, port=port, address=address)


def _authority(text: str, port_default: int) -> tuple[str, int, IPv4Address | IPv6Address | None]:
    if "@" in text:
        raise InvalidInputError("The URL holds a user name or password: send credentials in a header instead.")
    if bracketed := _BRACKETED.fullmatch(text):
        six = _ipv6(bracketed[1])
        return str(six), _port(bracketed[2], port_default), six
    named = _NAMED.fullmatch(text)
    if named is None:
        raise InvalidInputError("The URL must name a host, and after a colon at most a port number.")
    host, four = parse_host(named[1])
    return host, _port(named[2], port_default), four


def _port(digits: str | None, default: int) -> int:
    if not digits:
        return default
    if len(digits) > len(str(PORT_MAX)) or not 1 <= int(digits) <= PORT_MAX:
        raise InvalidInputError(f"The port of the URL must be between 1 and {PORT_MAX}.")
    return int(digits)


def _ipv6(text: str) -> IPv6Address:
    if "%" in text:
        raise InvalidInputError(
            "The IPv6 address in the URL names a zone, which only one machine would know: leave it out."
        )
    try:
        return IPv6Address(text)
    except AddressValueError:
        raise InvalidInputError("The host of the URL is in brackets but is not an IPv6 address.") from None


def _ipv4(name: str) -> IPv4Address:
    """Read *name* as browsers and C libraries do: one to four numbers, decimal, octal or hexadecimal."""
    numbers = [_number(part) for part in name.split(".")]
    *bytes_, last = numbers
    fits = len(numbers) <= _IPV4_PARTS_MAX and all(part <= _BYTE_MAX for part in bytes_)
    if not fits or last >= 256 ** (_IPV4_PARTS_MAX + 1 - len(numbers)):
        raise InvalidInputError("The host of the URL ends in a number but is not an IPv4 address.")
    return IPv4Address(last + sum(part << (24 - 8 * place) for place, part in enumerate(bytes_)))


def _number(part: str) -> int:
    for radix, pattern in _NUMBERS:
        if match := pattern.fullmatch(part):
            return int(match[1] or "0", radix)
    raise InvalidInputError("The host of the URL ends in a number but is not an IPv4 address.")


def _encoded(unsafe: re.Pattern[str], text: str) -> str:
    return unsafe.sub(lambda match: "".join(f"%{byte:02X}" for byte in match[0].encode()), text)
