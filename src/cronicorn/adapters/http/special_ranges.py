"""The addresses that are not ordinary hosts of the internet: tables of networks and what each is for.

Sources: the IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890 and what updated it), the IPv4
Multicast and IPv6 Address Spaces (RFC 5771, RFC 4291), and the documentation of cloud providers. A range that
a registry calls globally reachable is refused all the same where it stands for other addresses (NAT64) or
holds no server that anyone would schedule (anycast relays).
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

SPECIAL_IPV4: tuple[tuple[IPv4Network, str], ...] = tuple(
    (IPv4Network(network), purpose)
    for network, purpose in (
        ("0.0.0.0/8", "this host on this network, RFC 791"),
        ("10.0.0.0/8", "private, RFC 1918"),
        ("100.64.0.0/10", "shared by a carrier's customers, RFC 6598"),
        ("127.0.0.0/8", "loopback, RFC 1122"),
        ("169.254.0.0/16", "link-local, RFC 3927"),
        ("172.16.0.0/12", "private, RFC 1918"),
        ("192.0.0.0/24", "protocol assignments, RFC 6890"),
        ("192.0.2.0/24", "documentation, RFC 5737"),
        ("192.31.196.0/24", "AS112 service, RFC 7535"),
        ("192.52.193.0/24", "multicast tunnelling relays, RFC 7450"),
        ("192.88.99.0/24", "6to4 relays, RFC 7526"),
        ("192.168.0.0/16", "private, RFC 1918"),
        ("192.175.48.0/24", "AS112 service, RFC 7534"),
        ("198.18.0.0/15", "benchmarking, RFC 2544"),
        ("198.51.100.0/24", "documentation, RFC 5737"),
        ("203.0.113.0/24", "documentation, RFC 5737"),
        ("224.0.0.0/4", "multicast, RFC 5771"),
        ("240.0.0.0/4", "reserved and broadcast, RFC 1112 and RFC 919"),
    )
)

# The first match names the purpose. The last rows close all that is not global unicast (2000::/3).
SPECIAL_IPV6: tuple[tuple[IPv6Network, str], ...] = tuple(
    (IPv6Network(network), purpose)
    for network, purpose in (
        ("::/128", "unspecified, RFC 4291"),
        ("::1/128", "loopback, RFC 4291"),
        ("::/96", "IPv4-compatible, RFC 4291"),
        ("::ffff:0:0/96", "IPv4-mapped, RFC 4291"),
        ("::ffff:0:0:0/96", "IPv4-translated, RFC 2765"),
        ("64:ff9b::/96", "NAT64, RFC 6052"),
        ("64:ff9b:1::/48", "NAT64 of a local network, RFC 8215"),
        ("100::/64", "discard-only, RFC 6666"),
        ("100:0:0:1::/64", "dummy prefix, RFC 9780"),
        ("2001::/32", "Teredo, RFC 4380"),
        ("2001:2::/48", "benchmarking, RFC 5180"),
        ("2001:10::/28", "ORCHID, RFC 4843"),
        ("2001:20::/28", "ORCHIDv2, RFC 7343"),
        ("2001::/23", "protocol assignments, RFC 2928"),
        ("2001:db8::/32", "documentation, RFC 3849"),
        ("2002::/16", "6to4, RFC 3056"),
        ("2620:4f:8000::/48", "AS112 service, RFC 7534"),
        ("3fff::/20", "documentation, RFC 9637"),
        ("5f00::/16", "segment routing, RFC 9602"),
        ("fc00::/7", "unique local, RFC 4193"),
        ("fe80::/10", "link-local, RFC 4291"),
        ("fec0::/10", "site-local, RFC 3879"),
        ("ff00::/8", "multicast, RFC 4291"),
        ("::/3", "not global unicast, RFC 4291"),
        ("4000::/2", "not global unicast, RFC 4291"),
        ("8000::/1", "not global unicast, RFC 4291"),
    )
)

# Services that hand credentials to whoever asks from the right machine. 168.63.129.16 is a public address.
METADATA: frozenset[IPv4Address | IPv6Address] = frozenset(
    ip_address(address)
    for address in (
        "169.254.169.254",  # AWS, Azure, Google, Oracle, DigitalOcean, OpenStack and others
        "169.254.169.253",  # AWS, name server
        "169.254.170.2",  # AWS, container credentials
        "169.254.170.23",  # AWS, pod identity
        "169.254.0.23",  # Tencent
        "169.254.42.42",  # Scaleway
        "100.100.100.200",  # Alibaba
        "168.63.129.16",  # Azure, host agent
        "192.0.0.192",  # Oracle, classic
        "fd00:ec2::254",  # AWS
        "fd00:ec2::253",  # AWS, name server
        "fd00:ec2::23",  # AWS, pod identity
        "fd20:ce::254",  # Google
        "fd00:c1::a9fe:a9fe",  # Oracle
        "fd00:42::42",  # Scaleway
    )
)

_LOW_32_BITS = tuple(IPv6Network(network) for network in ("::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96"))
_NAT64_LOCAL = IPv6Network("64:ff9b:1::/48")
_NAT64_HALVES = {48: (16, 16), 56: (8, 24), 64: (0, 32)}
"""By the length of a NAT64 prefix: how many bits of the IPv4 address stand before the octet that is always zero, and
how many after it (RFC 6052, section 2.2)."""
_ISATAP = {0x0000_5EFE, 0x0200_5EFE}
"""The upper half of an interface identifier whose lower half is an IPv4 address (RFC 5214, section 6.1)."""


def embedded_ipv4(address: IPv6Address) -> tuple[IPv4Address, ...]:
    """The IPv4 addresses that *address* stands for when it is a mapped, translated or tunnelled form."""
    if address.sixtofour is not None:
        return (address.sixtofour, *_isatap(address))
    if address.teredo is not None:
        return address.teredo
    if address in _NAT64_LOCAL:
        return _translated(address)
    if not address.is_loopback and any(address in network for network in _LOW_32_BITS):
        return (_low_32_bits(address),)
    return _isatap(address)


def _isatap(address: IPv6Address) -> tuple[IPv4Address, ...]:
    return (_low_32_bits(address),) if int(address) >> 32 & 0xFFFF_FFFF in _ISATAP else ()


def _translated(address: IPv6Address) -> tuple[IPv4Address, ...]:
    """All that *address* may stand for: the length of the network's own prefix is not known."""
    shorter = [each for length in _NAT64_HALVES if (each := _translated_under(length, address)) is not None]
    low = _low_32_bits(address)
    return tuple(shorter) if shorter and not int(low) else (low, *shorter)


def _translated_under(length: int, address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address behind a prefix of *length* bits; None where one never stands so."""
    before, after = _NAT64_HALVES[length]
    bits = int(address)
    unused = 56 - after
    if bits >> 56 & 0xFF or bits & ((1 << unused) - 1):
        return None
    upper = bits >> 64 & ((1 << before) - 1)
    lower = bits >> unused & ((1 << after) - 1)
    found = upper << after | lower
    return IPv4Address(found) if found else None


def _low_32_bits(address: IPv6Address) -> IPv4Address:
    return IPv4Address(int(address) & 0xFFFF_FFFF)
