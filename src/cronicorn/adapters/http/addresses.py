"""Which IP addresses may be called. Closed by default: only ordinary hosts of the internet are open."""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import Self

from cronicorn.adapters.http.special_ranges import METADATA, SPECIAL_IPV4, SPECIAL_IPV6, embedded_ipv4
from cronicorn.domain.provision.allowed import parse_ranges

_LOOPBACK = IPv4Network("127.0.0.0/8")


@dataclass(frozen=True, slots=True)
class Peer:
    """An address that a call may go to, or may not."""

    address: IPv4Address | IPv6Address
    text: str
    """As libcurl spells it."""
    literal: str
    """As a URL spells it: an IPv6 address in brackets."""
    refusal: str | None
    """Why it may not be called and what opens it, as the end of a sentence; None when it may be called."""


@dataclass(frozen=True, slots=True)
class EgressPolicy:
    """What may be called: every ordinary address, and the special ones in *allow*.

    A metadata service opens only when named by itself (`169.254.169.254/32`): no wider range opens it by accident. A
    mapped IPv4 address (`::ffff:10.0.0.1`) opens with the IPv4 address it means. Other forms that stand for an IPv4
    address open only when both the form's range and that address are open.
    """

    allow: tuple[IPv4Network | IPv6Network, ...] = ()
    setting: str | None = None
    """By what name the owner sets *allow*, if a refusal should say what opens the address."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ranges separated by commas, such as `127.0.0.0/8, 10.1.2.3`. Raises InvalidInputError."""
        return cls(parse_ranges(text))

    def refusal(self, address: IPv4Address | IPv6Address) -> str | None:
        """Why *address* may not be called and what opens it, as the end of a sentence; None when it may be called."""
        return _refusal(self, address)

    def peer(self, address: IPv4Address | IPv6Address) -> Peer:
        """*address* with all that a call has to know of it."""
        text = str(address)
        literal = f"[{text}]" if isinstance(address, IPv6Address) else text
        return Peer(address, text, literal, self.refusal(address))

    def opens(self, address: IPv4Address | IPv6Address) -> bool:
        """Whether *allow* names *address*."""
        return any(address in network and _reaches(network, address) for network in self.allow)


def _refusal(policy: EgressPolicy, address: IPv4Address | IPv6Address) -> str | None:
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None and policy.opens(address.ipv4_mapped):
        return None
    embedded = embedded_ipv4(address) if isinstance(address, IPv6Address) else ()
    meant: tuple[IPv4Address | IPv6Address, ...] = (address, *embedded)
    reason = next((reason for each in meant if (reason := _refusal_as_such(policy, each))), None)
    return reason and f"{reason}{_way_to_open(policy, address)}"


def _way_to_open(policy: EgressPolicy, address: IPv4Address | IPv6Address) -> str:
    """How the owner opens *address*, as the end of a sentence; nothing where one more range would not do it.

    Loopback as a whole, since a server there listens on any of it; elsewhere no more than the address.
    """
    if policy.setting is None or address in METADATA:
        return ""
    meant = address if isinstance(address, IPv4Address) else address.ipv4_mapped or address
    wanted = _LOOPBACK if meant in _LOOPBACK else ip_network(meant)
    if _refusal(EgressPolicy((*policy.allow, wanted)), address) is not None:
        return ""
    value = str(wanted) if wanted.num_addresses > 1 else str(meant)
    return f"; {f'adding {value} to {policy.setting}' if policy.allow else f'{policy.setting}={value}'} opens it"


def _refusal_as_such(policy: EgressPolicy, address: IPv4Address | IPv6Address) -> str | None:
    if policy.opens(address):
        return None
    if address in METADATA:
        return f"{address} is a cloud's metadata service"
    table = SPECIAL_IPV4 if isinstance(address, IPv4Address) else SPECIAL_IPV6
    purpose = next((purpose for network, purpose in table if address in network), None)
    return purpose and f"{address} is not an ordinary internet address ({purpose})"


def _reaches(network: IPv4Network | IPv6Network, address: IPv4Address | IPv6Address) -> bool:
    return address not in METADATA or network.num_addresses == 1
