"""The door over a real socket, as clients meet it."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import httpx

from tests.api.door import a_client, an_app, assert_problem
from tests.control.world import LOCAL, a_world
from tests.wiring import api_socket


@asynccontextmanager
async def listening() -> AsyncIterator[tuple[int, str]]:
    """The port of a door that listens, and a key for it."""
    world = a_world()
    key = (await world.control.tenants.add(LOCAL, "acme")).key
    async with api_socket.listening(an_app(world)) as (_, port):
        yield port, key


async def exchange(port: int, request: bytes) -> bytes:
    """What the door sends back to the bytes *request* until it closes the connection or falls silent."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    answer = b""
    with suppress(ConnectionError, TimeoutError):
        await writer.drain()
        async with asyncio.timeout(5):
            answer = await reader.read()
    writer.close()
    return answer


async def test_a_job_can_be_made_and_read_over_a_socket() -> None:
    async with listening() as (port, key):
        url = f"http://127.0.0.1:{port}"
        async with a_client(httpx.AsyncHTTPTransport(), key, url) as client:
            made = await client.post("/api/jobs", json={"name": "shop"})
            read = await client.get(f"/api/jobs/{made.json()['id']}")
            refused = await client.post("/api/jobs", content=b"{", headers={"content-type": "application/json"})

    assert made.status_code == 201
    assert read.json() == made.json()
    assert_problem(refused, 400)


async def test_a_chunked_body_is_cut_off_at_the_limit() -> None:
    head = b"POST /api/jobs HTTP/1.1\r\nHost: x\r\nX-Api-Key: %b\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    async with listening() as (port, key):
        answer = await exchange(port, head % key.encode() + chunk * 17)

    assert answer.startswith(b"HTTP/1.1 413 ")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["status"] == 413


async def test_a_long_body_is_refused_before_it_is_read() -> None:
    head = b"POST /api/jobs HTTP/1.1\r\nHost: x\r\nX-Api-Key: %b\r\nContent-Length: 99999999\r\n\r\n"
    async with listening() as (port, key):
        answer = await exchange(port, head % key.encode())

    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"connection: close" in answer.lower()


async def test_a_stranger_is_refused_before_a_body_is_read() -> None:
    head = b"POST /api/jobs HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\nConnection: close\r\n\r\n"
    async with listening() as (port, _):
        answer = await exchange(port, head)

    assert answer.startswith(b"HTTP/1.1 401 ")
