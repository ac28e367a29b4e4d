"""A small DNS server on loopback that answers what a test wrote down."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import cast

from dnslib import AAAA, CNAME, QTYPE, RCODE, RR, A, DNSRecord  # type: ignore[import-untyped]

SERVER_FAILURE, NO_SUCH_NAME = int(RCODE.SERVFAIL), int(RCODE.NXDOMAIN)
_CHAIN_MAX = 40

Zone = Callable[[str], Sequence[str] | int | None]
"""The addresses of a name, another name that stands for it, or a response code; None leaves the question unanswered."""


class NameServer(asyncio.DatagramProtocol):
    """Answers A and AAAA questions from *zone* with a TTL, and follows the names that stand for others."""

    def __init__(self, zone: Zone, ttl_s: int) -> None:
        self._zone = zone
        self._ttl_s = ttl_s
        self._transport: asyncio.DatagramTransport | None = None
        self.asked: list[str] = []
        """Each name once per question of type A."""
        self.address = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        question = DNSRecord.parse(data)
        name = _plain(question.q.qname)
        if question.q.qtype == QTYPE.A:
            self.asked.append(name)
        reply = question.reply()
        if self._fill(reply, name, question.q.qtype) and self._transport is not None:
            self._transport.sendto(reply.pack(), addr)

    def _fill(self, reply: DNSRecord, name: str, kind: int) -> bool:
        """Answer for *name*, and for what it stands for; False where the question is to stay unanswered."""
        for _ in range(_CHAIN_MAX):
            found = self._zone(name)
            if found is None:
                return False
            if isinstance(found, int):
                reply.header.rcode = found
                return True
            addresses = [address for text in found if (address := _address(text)) is not None]
            for address in addresses:
                if kind == (QTYPE.A if address.version == 4 else QTYPE.AAAA):
                    data = A(str(address)) if address.version == 4 else AAAA(str(address))
                    reply.add_answer(RR(name, kind, rdata=data, ttl=self._ttl_s))
            if addresses or not found:
                return True
            reply.add_answer(RR(name, QTYPE.CNAME, rdata=CNAME(found[0]), ttl=self._ttl_s))
            name = found[0]
        return True


def _plain(name: object) -> str:
    return str(name).rstrip(".").lower()


def _address(text: str) -> IPv4Address | IPv6Address | None:
    with suppress(ValueError):
        return ip_address(text)
    return None


@asynccontextmanager
async def naming(zone: Zone, *, ttl_s: int = 60) -> AsyncIterator[NameServer]:
    loop = asyncio.get_running_loop()
    transport, server = await loop.create_datagram_endpoint(
        lambda: NameServer(zone, ttl_s), local_addr=("127.0.0.1", 0)
    )
    host, port = transport.get_extra_info("sockname")
    server.address = f"{host}:{port}"
    try:
        yield server
    finally:
        transport.close()
