"""Doing to workers, network and database what the plan says."""

import asyncio
from collections import defaultdict
from contextlib import nullcontext, suppress

import asyncpg

from tests.chaos.fleet import Fleet, Shared
from tests.chaos.generator import Fault, Kind
from tests.chaos.history import Recorder, now
from tests.servers.postgres import StopMode

_LATENCY_S = 0.1
_DATABASE_GONE = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError)


class Striker:
    """Does one fault at a time for each of those that it is told about."""

    def __init__(self, fleet: Fleet, recorder: Recorder, shared: Shared) -> None:
        self._fleet = fleet
        self._recorder = recorder
        self._shared = shared
        self._turns: defaultdict[int | None, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def strike(self, fault: Fault) -> None:
        """Do it, wait until it is over, and undo it.

        A worker has one fault at a time, however late the one before ends; so has what all share, but for snapshots.
        """
        turn = self._turns[fault.worker] if fault.kind is not Kind.SNAPSHOT else nullcontext()
        async with turn:
            began = now()
            name = self._fleet.name(fault.worker) if fault.worker is not None else None
            if fault.worker is None:
                await self._at_shared(fault)
            elif self._fleet.running(fault.worker):
                await self._at_worker(fault, fault.worker)
            self._recorder.say("fault", kind=fault.kind, worker=name, began=began)

    async def _at_worker(self, fault: Fault, number: int) -> None:
        fleet = self._fleet
        match fault.kind:
            case Kind.KILL:
                fleet.kill(number)
                await asyncio.sleep(fault.length)
                fleet.start(number)
            case Kind.DRAIN:
                await asyncio.to_thread(fleet.drain, number)
                await asyncio.sleep(fault.length)
                fleet.start(number)
            case Kind.FREEZE:
                fleet.freeze(number)
                await asyncio.sleep(fault.length)
                fleet.thaw(number)
            case Kind.CLOCK:
                assert fleet.clock is not None
                fleet.clock.set(fault.skew)
            case _:
                await self._at_network(fault, number)

    async def _at_network(self, fault: Fault, number: int) -> None:
        proxies = self._fleet.proxies(number)
        for proxy in proxies:
            match fault.kind:
                case Kind.ABORT:
                    proxy.abort()
                case Kind.LATENCY:
                    proxy.delay(_LATENCY_S)
                case Kind.BLACK_HOLE | Kind.LOSS:
                    proxy.black_hole()
                case _:
                    raise AssertionError(fault)
        await asyncio.sleep(fault.length)
        for proxy in proxies:
            proxy.heal(lose=fault.kind is Kind.LOSS)

    async def _at_shared(self, fault: Fault) -> None:
        server, service = self._shared.server, self._shared.service
        match fault.kind:
            case Kind.RESTART:
                assert server is not None
                await asyncio.to_thread(server.stop, StopMode.IMMEDIATE)
                await asyncio.sleep(fault.length)
                await asyncio.to_thread(server.start)
            case Kind.HANG:
                assert server is not None
                server.pause()
                await asyncio.sleep(fault.length)
                server.resume()
            case Kind.SERVICE:
                assert service is not None
                await asyncio.to_thread(service.kill)
                await asyncio.sleep(fault.length)
                await asyncio.to_thread(service.start)
            case Kind.TERMINATE:
                await self._ask(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
                    " AND pid <> pg_backend_pid() AND random() < 0.5"
                )
            case Kind.SNAPSHOT:
                await self._ask("SELECT count(*) FROM cronicorn.schedule", held_s=fault.length)
            case _:
                raise AssertionError(fault)

    async def _ask(self, query: str, held_s: float = 0.0) -> None:
        with suppress(*_DATABASE_GONE):
            connection = await asyncpg.connect(self._shared.url)
            try:
                async with connection.transaction(isolation="repeatable_read"):
                    await connection.fetch(query)
                    await asyncio.sleep(held_s)
            finally:
                connection.terminate()
