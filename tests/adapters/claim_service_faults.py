"""What every lock service is put through besides its contract: it stops, freezes, is killed, and forgets."""

import asyncio
import time
from contextlib import contextmanager
from datetime import timedelta
from typing import Protocol

import pytest

from cronicorn.domain.errors import UnavailableError
from cronicorn.domain.ports import ClaimService
from cronicorn.testing.contracts.claim_service import LONG, a_claim

TIMEOUT = timedelta(seconds=0.5)
SLACK_S = 1.0
HEALED_WITHIN_S = 5.0


class Server(Protocol):
    """A server in the hands of a test."""

    def start(self) -> None: ...
    def stop(self) -> None: ...
    def kill(self) -> None: ...
    def pause(self) -> None: ...
    def resume(self) -> None: ...


class ClaimServiceFaults:
    """Subclass this with fixtures `server`, one of the test's own, `service`, with TIMEOUT, and `forget`.

    `forget` removes the data of a server that does not run.
    """

    async def test_a_stopped_server_is_unavailable_and_serves_again_by_itself(self, server: Server, service) -> None:
        await service.acquire([a_claim("a")], ttl=LONG)
        server.stop()

        await all_are_refused(service)

        server.start()
        await heals(service)
        assert service.renew([a_claim("a")], ttl=LONG) == {a_claim("a").claim_id}
        assert await service.acquire([a_claim("a", 2)], ttl=LONG) == {}

    async def test_a_frozen_server_is_unavailable_in_time_and_serves_again_by_itself(
        self, server: Server, service
    ) -> None:
        await service.acquire([a_claim("a")], ttl=LONG)
        service.renew([a_claim("a")], ttl=LONG)
        server.pause()

        await all_are_refused(service)

        server.resume()
        await heals(service)
        assert service.renew([a_claim("a")], ttl=LONG) == {a_claim("a").claim_id}

    async def test_a_killed_server_keeps_what_was_claimed(self, server: Server, service) -> None:
        await service.acquire([a_claim("a")], ttl=LONG)
        server.kill()
        server.start()
        await heals(service)

        assert await service.acquire([a_claim("a", 2)], ttl=LONG) == {}
        assert service.renew([a_claim("a")], ttl=LONG) == {a_claim("a").claim_id}

    async def test_what_a_server_forgot_is_lost_to_its_holder_and_free_for_others(
        self, server: Server, service, forget
    ) -> None:
        await service.acquire([a_claim("a"), a_claim("b")], ttl=LONG)
        server.stop()
        forget()
        server.start()
        await heals(service)

        assert await service.acquire([a_claim("b", 2)], ttl=LONG)
        assert service.renew([a_claim("a"), a_claim("b")], ttl=LONG) == frozenset()

    async def test_a_closed_service_can_be_closed_again(self, service) -> None:
        await service.acquire([a_claim("a")], ttl=LONG)
        await service.aclose()
        await service.aclose()


async def all_are_refused(service: ClaimService) -> None:
    """See that no call answers, and none keeps its caller waiting. The server may hear of them later all the same."""
    with in_time(), pytest.raises(UnavailableError, match="can't be used for claims"):
        await service.acquire([a_claim("c")], ttl=LONG)
    with in_time(), pytest.raises(UnavailableError, match="can't be used for claims"):
        await asyncio.to_thread(service.renew, [a_claim("a")], ttl=LONG)
    with in_time(), pytest.raises(UnavailableError, match="can't be used for claims"):
        await service.release([a_claim("b")])


async def heals(service: ClaimService) -> None:
    """Ask until an answer comes: of both sides, the loop's and the thread's."""
    deadline = time.monotonic() + HEALED_WITHIN_S
    while True:
        try:
            await service.acquire([a_claim("healed")], ttl=LONG)
            await asyncio.to_thread(service.renew, [a_claim("healed")], ttl=LONG)
        except UnavailableError:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.02)
        else:
            return


@contextmanager
def in_time():
    started = time.monotonic()
    yield
    assert time.monotonic() - started < TIMEOUT.total_seconds() + SLACK_S
