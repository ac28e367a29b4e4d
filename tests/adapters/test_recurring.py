"""An endpoint that comes due again and again is parsed once by the process that calls it."""

import pytest

from cronicorn.adapters.postgres.stores import PostgresStores
from cronicorn.adapters.sqlite.stores import SqliteStores
from cronicorn.domain import lately_read, rows
from cronicorn.domain.fields import document_in
from cronicorn.testing.clocks import VirtualClock
from cronicorn.testing.contracts.stores import MINUTE, Stores, claim, claim_one, plant, settle
from tests.adapters.sqlite.empty_database import copy_to

ROUNDS = 4


@pytest.fixture
def clock():
    return VirtualClock()


@pytest.fixture(params=["sqlite", "postgres"])
async def stores(request, tmp_path, clock):
    stores: Stores
    if request.param == "sqlite":
        stores = await SqliteStores.open(copy_to(tmp_path / "jobs.db"), clock)
    else:
        stores = await PostgresStores.open(request.getfixturevalue("postgres_url"), clock)
    yield stores
    await stores.aclose()


@pytest.fixture
def parsing(monkeypatch):
    """The documents that were parsed, by a process that had read none before."""
    parsed = []

    def noted(text):
        parsed.append(text)
        return document_in(text)

    monkeypatch.setattr(lately_read, "document_in", noted)
    _forget(monkeypatch)
    return parsed


async def test_what_this_process_settled_it_does_not_parse_when_it_is_due_again(stores, clock, parsing):
    await plant(stores, "ep1", "ep2", "ep3")
    parsed = []
    for _ in range(ROUNDS):
        clock.advance(MINUTE)
        for lease in await claim(stores):
            await settle(stores, lease)
        parsed.append(len(parsing))

    assert parsed == [6] * ROUNDS


async def test_what_another_process_settled_is_parsed(stores, clock, parsing, monkeypatch):
    await plant(stores)
    clock.advance(MINUTE)
    settlement = await settle(stores, await claim_one(stores))
    _forget(monkeypatch)
    clock.advance(MINUTE)

    lease = await claim_one(stores)

    assert len(parsing) == 4
    assert lease.endpoint.state == settlement.state
    assert lease.endpoint.state is not settlement.state


def _forget(monkeypatch):
    monkeypatch.setattr(rows, "_LATELY_READ", lately_read.LatelyRead())
