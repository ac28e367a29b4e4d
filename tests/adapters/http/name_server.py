"""A small DNS server on loopback that answers what a test wrote down."""

import asyncio
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from ipaddress import ip_address
from typing import cast

NO_ERROR, SERVER_FAILURE, NO_SUCH_NAME = 0, 2, 3
_TYPES = {1: 4, 28: 6}

Zone = Callable[[str], list[str] | int | None]
"""The addresses of a name, or a response code; None leaves the question unanswered."""


class NameServer(asyncio.DatagramProtocol):
    """Answers A and AAAA questions from *zone* with a TTL."""

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
        name, kind, question = _question(data)
        if kind == 1:
            self.asked.append(name)
        found = self._zone(name)
        if found is not None and self._transport is not None:
            self._transport.sendto(self._answer(data[:2], question, kind, found), addr)

    def _answer(self, identity: bytes, question: bytes, kind: int, found: list[str] | int) -> bytes:
        code = found if isinstance(found, int) else NO_ERROR
        listed = [] if isinstance(found, int) else [ip_address(text) for text in found]
        packed = [address.packed for address in listed if address.version == _TYPES.get(kind)]
        head = identity + struct.pack(">HHHHH", 0x8180 | code, 1, len(packed), 0, 0)
        records = [struct.pack(">HHHIH", 0xC00C, kind, 1, self._ttl_s, len(data)) + data for data in packed]
        return head + question + b"".join(records)


def _question(data: bytes) -> tuple[str, int, bytes]:
    labels, at = [], 12
    while length := data[at]:
        labels.append(data[at + 1 : at + 1 + length].decode().lower())
        at += 1 + length
    return ".".join(labels), struct.unpack(">H", data[at + 1 : at + 3])[0], data[12 : at + 5]


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
