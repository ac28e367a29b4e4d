"""The servers that other tests stand on: they come, go, come back, and never outlive their owner."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Protocol

import aetcd  # type: ignore[import-untyped]
import asyncpg
import pytest
import redis.asyncio

from tests.servers.clock import WrongClock
from tests.servers.databases import emptied_database, fresh_database
from tests.servers.etcd import etcd_server
from tests.servers.ground import Ground
from tests.servers.postgres import RestartableServer, StopMode, restartable_server
from tests.servers.proxy import proxy_to
from tests.servers.valkey import valkey_server
from tests.waiting import eventually, eventually_async

OWNER = """
import sys
from tests.servers.{module} import {kind}
from tests.servers.ground import Ground
server = {kind}(Ground.make())
server.start()
print(server.pid, server._folder, flush=True)
sys.stdin.read()
"""


class Server(Protocol):
    @property
    def pid(self) -> int: ...
    def pause(self) -> None: ...


@pytest.fixture(scope="module")
def postgres() -> Iterator[RestartableServer]:
    with restartable_server() as server:
        yield server


async def _value(url: str, query: str, timeout: float = 5.0) -> object:
    connection = await asyncpg.connect(url, timeout=timeout, command_timeout=timeout)
    try:
        return await connection.fetchval(query)
    finally:
        connection.terminate()


def _gone(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lists processes in /proc")
@pytest.mark.parametrize(
    ("module", "kind"), [("postgres", "RestartableServer"), ("valkey", "ValkeyServer"), ("etcd", "EtcdServer")]
)
@pytest.mark.parametrize("frozen", [False, True], ids=["running", "frozen"])
def test_a_server_is_gone_with_its_children_and_its_files_after_its_owner_was_killed(module, kind, frozen):
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER.format(module=module, kind=kind)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert owner.stdin is not None
    assert owner.stdout is not None
    pid, folder = owner.stdout.readline().split()
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    processes = [int(pid), *map(int, children)]
    assert not any(_gone(process) for process in processes)
    if frozen:
        for process in processes:
            os.kill(process, signal.SIGSTOP)

    owner.kill()
    owner.wait()
    owner.stdin.close()
    owner.stdout.close()

    eventually(lambda: all(_gone(process) for process in processes))
    eventually(lambda: not Path(folder).exists())
    eventually(lambda: _swept(Path(folder).parent))


def _swept(ground: Path) -> bool:
    """Whether the next to make a ground has removed what is left of a dead one's."""
    Ground.make().close()
    return not ground.exists()


@pytest.mark.parametrize("stop", [*StopMode, None], ids=lambda mode: mode.name.lower() if mode else "kill")
async def test_postgres_comes_back_on_its_port_with_what_it_had(postgres, stop):
    mark = stop.name if stop else "KILL"
    await _value(postgres.url(), f"CREATE TABLE IF NOT EXISTS marks AS SELECT '{mark}' AS mark")
    await _value(postgres.url(), f"UPDATE marks SET mark = '{mark}'")

    if stop is None:
        postgres.kill()
    else:
        postgres.stop(stop)
    with pytest.raises(ConnectionRefusedError):
        await _value(postgres.url(), "SELECT 1")
    postgres.start()

    assert await _value(postgres.url(), "SELECT mark FROM marks") == mark


async def test_a_frozen_postgres_answers_nobody_until_it_thaws(postgres):
    connection = await asyncpg.connect(postgres.url())

    postgres.pause()
    with pytest.raises(TimeoutError):
        await connection.fetchval("SELECT 1", timeout=0.2)
    with pytest.raises(TimeoutError):
        await _value(postgres.url(), "SELECT 1", timeout=0.2)
    postgres.resume()

    assert await _value(postgres.url(), "SELECT 1") == 1
    connection.terminate()


@pytest.mark.parametrize("how", ["stop", "kill", "pause"])
async def test_valkey_comes_back_with_what_it_had(how):
    with valkey_server() as server:
        client = redis.asyncio.Redis.from_url(server.url, socket_timeout=0.2)
        await client.set("key", "kept")

        getattr(server, how)()
        with pytest.raises((redis.ConnectionError, redis.TimeoutError)):
            await client.get("key")
        if how == "pause":
            server.resume()
        else:
            server.start()

        assert await client.get("key") == b"kept"
        await client.aclose()


@pytest.mark.parametrize("how", ["stop", "kill"])
async def test_etcd_comes_back_with_what_it_had(how):
    with etcd_server() as server:
        async with aetcd.Client(host="127.0.0.1", port=server.port) as client:
            await client.put(b"key", b"kept")
        getattr(server, how)()
        server.start()

        async with aetcd.Client(host="127.0.0.1", port=server.port) as client:
            found = await client.get(b"key")

    assert found is not None
    assert found.value == b"kept"


async def test_the_database_of_a_process_is_empty_whenever_a_test_asks_for_it():
    rows = "SELECT count(*) FROM cronicorn.tenants"
    connection = await asyncpg.connect(emptied_database())
    installation = await connection.fetch("SELECT * FROM cronicorn.installation")
    await connection.execute("INSERT INTO cronicorn.tenants (id, name, created_us) VALUES ('t', 't', 0)")
    await connection.execute("DELETE FROM cronicorn.installation")

    url = emptied_database()

    await eventually_async(connection.is_closed)
    connection = await asyncpg.connect(url)
    assert await connection.fetchval(rows) == 0
    assert await connection.fetch("SELECT * FROM cronicorn.installation") == installation
    await connection.close()


async def test_a_fresh_database_is_one_s_own_and_gone_afterwards():
    with fresh_database() as one, fresh_database() as other:
        await _value(one, "INSERT INTO cronicorn.tenants (id, name, created_us) VALUES ('t', 't', 0)")

        assert await _value(one, "SELECT count(*) FROM cronicorn.tenants") == 1
        assert await _value(other, "SELECT count(*) FROM cronicorn.tenants") == 0
    with pytest.raises(asyncpg.InvalidCatalogNameError):
        await _value(one, "SELECT 1")


class Echo(asyncio.Protocol):
    """Answers what it hears."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.transport.write(data)


@pytest.fixture
async def echo_port():
    server = await asyncio.get_running_loop().create_server(Echo, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()


async def _talk(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", port)


async def _said(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, text: bytes) -> bytes:
    writer.write(text)
    return await asyncio.wait_for(reader.readexactly(len(text)), 2)


async def test_a_proxy_passes_on_what_it_hears_and_the_end_of_it(echo_port):
    with proxy_to(echo_port) as proxy:
        reader, writer = await _talk(proxy.port)

        assert await _said(reader, writer, b"hello") == b"hello"
        writer.close()
        assert await reader.read() == b""


async def test_a_proxy_delays(echo_port):
    with proxy_to(echo_port) as proxy:
        reader, writer = await _talk(proxy.port)
        proxy.delay(0.1)
        began = asyncio.get_running_loop().time()

        await _said(reader, writer, b"hello")

        assert asyncio.get_running_loop().time() - began >= 0.19
        writer.close()


async def test_a_proxy_resets_open_connections_and_serves_new_ones(echo_port):
    with proxy_to(echo_port) as proxy:
        reader, writer = await _talk(proxy.port)
        await _said(reader, writer, b"hello")

        proxy.abort()

        with pytest.raises(ConnectionResetError):
            await asyncio.wait_for(reader.read(), 2)
        writer.close()
        reader, writer = await _talk(proxy.port)
        assert await _said(reader, writer, b"again") == b"again"
        writer.close()


@pytest.mark.parametrize("lose", [False, True])
async def test_a_black_hole_keeps_silent_on_old_and_new_connections_until_it_heals(echo_port, lose):
    with proxy_to(echo_port) as proxy:
        old = await _talk(proxy.port)
        await _said(*old, b"hello")
        proxy.black_hole()
        new = await _talk(proxy.port)

        for reader, writer in (old, new):
            writer.write(b"late")
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(reader.readexactly(4), 0.1)
        proxy.heal(lose=lose)

        for reader, writer in (old, new):
            if lose:
                with pytest.raises(ConnectionResetError):
                    await asyncio.wait_for(reader.read(), 2)
            else:
                assert await asyncio.wait_for(reader.readexactly(4), 2) == b"late"
            writer.close()


async def _first_word(port):
    reader, writer = await _talk(port)
    with closing(writer):
        return await asyncio.wait_for(reader.read(), 2)


async def test_a_proxy_before_a_server_that_is_down_resets():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with proxy_to(unused.getsockname()[1]) as proxy, pytest.raises(ConnectionResetError):
            await _first_word(proxy.port)


REPORTER = "import sys; from tests.servers.clock import offset; [print(offset(), flush=True) for _ in sys.stdin]"


def test_a_process_with_a_wrong_clock_says_by_how_much_and_follows_each_step(tmp_path):
    clock = WrongClock(tmp_path, "+30")
    with subprocess.Popen(
        [sys.executable, "-c", REPORTER],
        env=clock.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        offsets = []
        for skew in ("+30", "-3600", "+0"):
            clock.set(skew)
            process.stdin.write("\n")
            process.stdin.flush()
            offsets.append(float(process.stdout.readline()))
        process.stdin.close()

    assert offsets == pytest.approx([30, -3600, 0], abs=0.5)
