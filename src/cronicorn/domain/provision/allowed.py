"""Which special addresses may be called: ranges, and names whose private addresses are open. Pure."""

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Self

from cronicorn.domain.errors import InvalidInputError
from cronicorn.domain.target import parse_host

Network = IPv4Network | IPv6Network

ENTRIES_MAX = 200

PRIVATE: tuple[Network, ...] = tuple(
    ip_network(network) for network in ("10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
)
"""What a name may open: private networks (RFC 1918, RFC 6598, RFC 4193), never loopback, link-local or multicast."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """What of the special addresses is open."""

    ranges: tuple[Network, ...] = ()
    hosts: tuple[str, ...] = ()
    """Names as URLs spell them, in lower case: the addresses in PRIVATE to which one of them leads are open."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ranges and names separated by commas: `10.1.2.0/24, fd12::1, db.internal`. Raises InvalidInputError."""
        entries = [entry for part in text.split(",") if (entry := part.strip())]
        if len(entries) > ENTRIES_MAX:
            raise InvalidInputError(f"{len(entries)} entries are more than the {ENTRIES_MAX} that a tenant may have.")
        hosts = tuple(dict.fromkeys(host for entry in entries if (host := _host(entry)) is not None))
        ranges = dict.fromkeys(parse_range(entry) for entry in entries if _host(entry) is None)
        return cls(ranges=tuple(ranges), hosts=hosts)

    def __str__(self) -> str:
        return ",".join((*map(str, self.ranges), *self.hosts))


NOTHING_ALLOWED = Allowed()


def parse_ranges(text: str) -> tuple[Network, ...]:
    """Read ranges separated by commas, such as `127.0.0.0/8, 10.1.2.3`. Raises InvalidInputError."""
    return tuple(parse_range(part.strip()) for part in text.split(",") if part.strip())


def parse_range(text: str) -> Network:
    """Read a range, or an address alone. Raises InvalidInputError."""
    try:
        network = ip_network(text)
    except ValueError as error:
        raise InvalidInputError(
            f"{text!r} is not a range of addresses such as 10.0.0.0/8 ({error}): correct the list of ranges to open."
        ) from None
    if "%" in text:
        raise InvalidInputError(f"{text!r} is not a range of addresses: leave out the zone.")
    return network


def _host(entry: str) -> str | None:
    """The name that *entry* is; None for what must be a range, if it is anything."""
    if not any(letter.isalpha() for letter in entry) or any(mark in entry for mark in ":/%"):
        return None
    try:
        host, address = parse_host(entry)
    except InvalidInputError:
        host, address = "", None
    if not host or address is not None or not host.isascii():
        raise InvalidInputError(
            f"{entry!r} is neither a range of addresses such as 10.0.0.0/8 nor the name of a host such as db.internal, "
            "in the letters of the DNS: correct the list."
        )
    return host
