"""The ranges of addresses that are not ordinary hosts of the internet.

Sources: the IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890 and its successors), IPv4 Multicast Address
Space (RFC 5771), IPv6 Address Space (RFC 4291), and the documentation of the cloud providers. Where a registry calls a range
globally reachable we may still refuse it, when it stands for other addresses (NAT64) or for no server anyone would schedule.
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

type_of_network = IPv4Network | IPv6Network
