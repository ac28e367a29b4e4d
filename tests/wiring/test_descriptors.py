"""What is left for calls of the file descriptors that a process may have."""

import resource
from collections.abc import Callable
from dataclasses import replace

import pytest

from cronicorn.adapters.http.limits import DispatcherLimits
from cronicorn.wiring.descriptors import WANTED, clients_max, descriptor_limit, descriptors_for_calls
from cronicorn.wiring.settings import Settings
from cronicorn.wiring.worker import within_room

FILE = Settings.from_env({"CRONICORN_DATABASE_URL": "sqlite:store.db"})
SERVER = Settings.from_env({"CRONICORN_DATABASE_URL": "postgresql://db/cronicorn"})


@pytest.fixture
def limited():
    """Sets the limit of this process until the end of the test."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield lambda limit: resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize("limit", [128, 256, 1_024, 4_096])
def test_calls_clients_and_connections_fit_into_the_limit(limit: int, limited: Callable[[int], None]):
    limited(limit)

    calls = DispatcherLimits.within(descriptors_for_calls(connections=16))

    assert descriptor_limit() == limit
    assert calls.calls + calls.connections + clients_max() + 16 + 32 == limit


def test_one_call_at_a_time_is_always_made(limited: Callable[[int], None]):
    limited(64)

    limits = DispatcherLimits.within(descriptors_for_calls(connections=500))

    assert (limits.calls, limits.connections) == (1, 1)


def test_calls_are_as_many_as_asked_for_where_there_is_room(limited: Callable[[int], None], caplog):
    limited(1_024)

    assert within_room(FILE) is FILE
    assert within_room(SERVER) is SERVER
    assert caplog.records == []


def test_calls_are_fewer_where_a_server_or_its_pool_takes_the_room(limited: Callable[[int], None], caplog):
    limited(256)

    chosen = [within_room(replace(settings, calls_max=2_000)).calls_max for settings in (
        FILE, SERVER, replace(SERVER, postgres_connections=50),
    )]  # fmt: skip

    assert chosen == [80, 72, 51]
    assert [(record.wanted, record.calls_max, record.descriptors) for record in caplog.records] == [
        (2_000, 80, 256), (2_000, 72, 256), (2_000, 51, 256),
    ]  # fmt: skip


def test_without_a_limit_it_is_the_one_that_is_asked_for(monkeypatch):
    unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    monkeypatch.setattr("resource.getrlimit", lambda _: unlimited)

    assert descriptor_limit() == WANTED
