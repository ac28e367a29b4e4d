"""Which addresses may be called."""

import random
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cronicorn.adapters.http.addresses import EgressPolicy
from cronicorn.adapters.http.special_ranges import METADATA, SPECIAL_IPV4, SPECIAL_IPV6
from cronicorn.domain.errors import InvalidInputError

CLOSED = EgressPolicy()

# Refused although Python (whose tables are older or wider) calls them global.
STRICTER = tuple(
    ip_network(network)
    for network in (
        "168.63.129.16/32", "192.0.0.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.175.48.0/24",
        "224.0.0.0/4", "::/3", "2001::/23", "2002::/16", "2620:4f:8000::/48", "3fff::/20", "4000::/2", "8000::/1",
    )
)  # fmt: skip

REFUSED = [
    "0.0.0.0",
    "0.255.255.255",
    "10.0.0.0",
    "10.255.255.255",
    "100.64.0.0",
    "100.100.100.200",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.0.1",
    "169.254.169.254",
    "169.254.170.2",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.0.9",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "192.168.255.255",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::8.8.8.8",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "::ffff:0:127.0.0.1",
    "::ffff:0:8.8.8.8",
    "64:ff9b::127.0.0.1",
    "64:ff9b::8.8.8.8",
    "64:ff9b:1::8.8.8.8",
    "100::1",
    "100:0:0:1::1",
    "2001::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:2::1",
    "2001:10::1",
    "2001:20::1",
    "2001:1ff::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:808:808::",
    "3fff::1",
    "4000::1",
    "5f00::1",
    "8000::1",
    "c000::1",
    "fc00::1",
    "fd00::1",
    "fd00:ec2::254",
    "fd20:ce::254",
    "fe80::1",
    "febf::1",
    "fec0::1",
    "feff::1",
    "ff00::1",
    "ff02::1",
    "ff0e::1",
]

ALLOWED = [
    "1.1.1.1",
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.0",
    "93.184.216.34",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.0",
    "168.63.129.17",
    "169.253.255.255",
    "172.15.255.255",
    "172.32.0.0",
    "192.0.1.1",
    "192.167.255.255",
    "198.17.255.255",
    "198.20.0.0",
    "223.255.255.255",
    "2000::1",
    "2001:200::1",
    "2001:4860:4860::8888",
    "2003::1",
    "2606:4700:4700::1111",
    "2a00:1450:4001::1",
    "3ffe:ffff::1",
]


def permits(text: str, *, allow: str = "") -> bool:
    return EgressPolicy.parse(allow).refusal(ip_address(text)) is None


@pytest.mark.parametrize("text", REFUSED)
def test_a_special_address_is_refused_with_its_reason(text: str) -> None:
    reason = CLOSED.refusal(ip_address(text))

    assert reason is not None
    assert "RFC" in reason or "metadata" in reason


@pytest.mark.parametrize("text", ALLOWED)
def test_an_ordinary_address_is_open(text: str) -> None:
    assert permits(text)


@pytest.mark.parametrize("address", sorted(METADATA, key=str))
def test_every_metadata_service_is_refused_even_within_an_open_range(
    address: IPv4Address | IPv6Address,
) -> None:
    everything = EgressPolicy.parse("0.0.0.0/0,::/0")

    assert everything.refusal(address) is not None
    assert permits(str(address), allow=str(address))


@pytest.mark.parametrize(
    ("text", "allow", "opened"),
    [
        ("127.0.0.1", "127.0.0.0/8", True),
        ("127.0.0.2", "127.0.0.1/32", False),
        ("10.1.2.3", "10.0.0.0/8, fc00::/7", True),
        ("fd12::1", "10.0.0.0/8, fc00::/7", True),
        ("::1", "127.0.0.0/8", False),
        ("::ffff:127.0.0.1", "127.0.0.0/8", True),
        ("::ffff:127.0.0.1", "10.0.0.0/8", False),
        ("::ffff:127.0.0.1", "::ffff:0:0/96", False),
        ("::ffff:127.0.0.1", "::ffff:0:0/96,127.0.0.0/8", True),
        ("::ffff:8.8.8.8", "::ffff:0:0/96", True),
        ("::ffff:169.254.169.254", "::/0,0.0.0.0/0", False),
        ("::127.0.0.1", "127.0.0.0/8", False),
        ("::ffff:0:127.0.0.1", "127.0.0.0/8", False),
        ("64:ff9b::127.0.0.1", "127.0.0.0/8", False),
        ("64:ff9b::8.8.8.8", "64:ff9b::/96", True),
        ("64:ff9b::10.0.0.1", "64:ff9b::/96", False),
        ("64:ff9b::10.0.0.1", "64:ff9b::/96,10.0.0.0/8", True),
        ("64:ff9b::169.254.169.254", "64:ff9b::/96,0.0.0.0/0", False),
        ("64:ff9b:1::8.8.8.8", "64:ff9b:1::/48", True),
        ("64:ff9b:1::10.0.0.1", "64:ff9b:1::/48", False),
        ("64:ff9b:1:808:8:800::", "64:ff9b:1::/48", True),
        ("64:ff9b:1:a00:0:100::", "64:ff9b:1::/48", False),
        ("64:ff9b:1:a:0:1::", "64:ff9b:1::/48", False),
        ("64:ff9b:1:0:a:0:100::", "64:ff9b:1::/48", False),
        ("2a00::5efe:8.8.8.8", "", True),
        ("2a00::5efe:10.0.0.1", "", False),
        ("2a00::200:5efe:10.0.0.1", "", False),
        ("2a00::5efe:10.0.0.1", "10.0.0.0/8", True),
        ("2002:808:808::5efe:10.0.0.1", "2002::/16", False),
        ("2002:7f00:1::", "2002::/16", False),
        ("2002:808:808::", "2002::/16", True),
        ("2001:0:4136:e378:8000:63bf:f7f7:f7f7", "2001::/32", True),
        ("2001:0:7f00:1:8000:63bf:3fff:fdd2", "2001::/32", False),
    ],
)
def test_a_form_that_stands_for_an_ipv4_address_is_judged_as_both(text: str, allow: str, *, opened: bool) -> None:
    assert permits(text, allow=allow) is opened


def test_nothing_is_open_that_python_does_not_call_global() -> None:
    chance = random.Random(7)
    networks = [network for table in (SPECIAL_IPV4, SPECIAL_IPV6) for network, _ in table]
    edges = [end + step for each in networks for end in (each[0], each[-1]) for step in (-1, 0, 1) if _fits(end, step)]
    chosen = [IPv4Address(chance.getrandbits(32)) for _ in range(20_000)]
    wide = [IPv6Address(chance.getrandbits(128)) for _ in range(5_000)]
    unicast = [IPv6Address((1 << 125) + chance.getrandbits(125)) for _ in range(5_000)]

    for address in (*edges, *chosen, *wide, *unicast):
        is_open = CLOSED.refusal(address) is None
        assert not is_open or address.is_global, address
        assert is_open or not address.is_global or any(address in network for network in STRICTER), address


@given(st.ip_addresses(v=4))
def test_a_mapped_address_is_never_more_open_than_the_address_it_means(address: IPv4Address) -> None:
    policy = EgressPolicy.parse("10.0.0.0/8,::ffff:0:0/96")

    mapped = IPv6Address(f"::ffff:{address}")

    assert policy.refusal(mapped) is not None or policy.refusal(address) is None


@pytest.mark.parametrize("text", ["", " ", ",", " , "])
def test_an_empty_list_opens_nothing(text: str) -> None:
    assert EgressPolicy.parse(text) == CLOSED


@pytest.mark.parametrize(
    "text", ["10.0.0.1/8", "10.0.0.0/33", "ten", "10.0.0.0/8;::1", "10.0.0.0-10.0.0.9", "*", "fe80::%1"]
)
def test_a_bad_range_is_named(text: str) -> None:
    with pytest.raises(InvalidInputError, match="not a range of addresses") as caught:
        EgressPolicy.parse(f"127.0.0.1, {text}")

    assert repr(text) in str(caught.value)


def _fits(address: IPv4Address | IPv6Address, step: int) -> bool:
    return 0 <= int(address) + step < 1 << address.max_prefixlen


@pytest.mark.parametrize(
    ("allow", "address", "end"),
    [
        ("", "127.0.0.1", "; OPEN=127.0.0.0/8 opens it"),
        ("10.0.0.1", "127.0.0.1", "; adding 127.0.0.0/8 to OPEN opens it"),
        ("", "10.1.2.3", "; OPEN=10.1.2.3 opens it"),
        ("", "::1", "; OPEN=::1 opens it"),
        ("", "::ffff:127.0.0.1", "; OPEN=127.0.0.0/8 opens it"),
        ("", "64:ff9b::7f00:1", ")"),  # Takes two ranges.
        ("", "169.254.169.254", "metadata service"),  # On nobody's advice.
    ],
)
def test_a_refusal_says_what_opens_the_address_where_one_range_does(allow, address, end):
    policy = EgressPolicy(EgressPolicy.parse(allow).allow, setting="OPEN")

    refusal = policy.refusal(ip_address(address))

    assert refusal is not None
    assert refusal.endswith(end)


def test_loopback_of_ipv6_opens_when_it_is_named():
    assert EgressPolicy.parse("::1").refusal(ip_address("::1")) is None
