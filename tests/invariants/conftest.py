"""The worlds in which invariants are tried."""

from contextlib import ExitStack
from functools import cache

import pytest

from cronicorn.testing.clocks import VirtualClock
from tests.adapters.postgres.lock_servers import locks_of
from tests.invariants.places import PostgresPlace
from tests.invariants.worlds import SYSTEM, World


@pytest.fixture
async def world(request, tmp_path):
    """A world of the kind asked for, whose clock stands still."""
    world = await World.create(request.param, tmp_path, VirtualClock())
    yield world
    await world.end()
    await world.place.remove()


@pytest.fixture(scope="session")
def lock_servers():
    """The servers of mechanisms that claim outside the database, each started when it is first asked for."""
    with ExitStack() as stack:
        yield cache(lambda mechanism: stack.enter_context(locks_of(mechanism)))


@pytest.fixture
async def live(request, tmp_path, lock_servers):
    """A world of the kind asked for, in real time."""
    PostgresPlace.lock_servers = staticmethod(lock_servers)
    world = await World.create(request.param, tmp_path, SYSTEM)
    yield world
    await world.end()
    await world.place.remove()
