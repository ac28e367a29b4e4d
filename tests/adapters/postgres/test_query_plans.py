"""What workers ask all the time is answered from an index, however many endpoints there are."""

import json

import pytest

from cronicorn.adapters.postgres import (
    claim_statements,
    fair_claim_statements,
    fleet_view,
    holding_statements,
    past_slots,
    settle_statements,
    worker_book,
)
from cronicorn.adapters.postgres.batches import SIZE_MAX
from cronicorn.adapters.postgres.stores import PostgresStores
from cronicorn.adapters.postgres.watermark import LOWEST
from tests.adapters.postgres.crowd import plant_crowd

COUNT = 20_000
EVER = 1 << 62
TTL_US = 30_000_000
CLAIM = (None, 0, 100, LOWEST[0], 0, 100, -EVER, EVER, "nonce", "w1", TTL_US, LOWEST[1])
MANY = list(range(SIZE_MAX))
NUMBERS, TEXTS = [1] * SIZE_MAX, [""] * SIZE_MAX
PROOFS = ([0] * SIZE_MAX, [f"t0-127.0.0.1-{number:06}" for number in MANY], TEXTS, NUMBERS)
SETTLED = (*PROOFS, *[NUMBERS] * 5, *[TEXTS] * 2, *[NUMBERS] * 2, 0, EVER)
RUNS = (*[TEXTS] * 3, *[NUMBERS] * 5, TEXTS, [b""] * SIZE_MAX, TEXTS)
STATEMENTS = {
    "claim": (claim_statements.CLAIM, CLAIM),
    "claim in turn": (fair_claim_statements.CLAIM_IN_TURN, (*CLAIM, "", 2_000)),
    "claim within caps": (fair_claim_statements.CLAIM_WITHIN_CAPS, (*CLAIM, 100, 100, None, "", 2_000)),
    "claim one": (claim_statements.CLAIM_NAMED, (*CLAIM, "t0-127.0.0.1-000001")),
    "find what was claimed": (claim_statements.FIND_CLAIMED, (None, 0, "nonce-")),
    "renew": (holding_statements.RENEW, (None, *PROOFS, TTL_US)),
    "still held": (holding_statements.STILL_HELD, PROOFS),
    "abandon": (holding_statements.ABANDON, PROOFS),
    "settle": (settle_statements.SETTLE, (*SETTLED, *RUNS, *[[]] * 7)),
    "find": (settle_statements.FIND, (0, "t0-127.0.0.1-000001", "c1", 1)),
    "next due": (claim_statements.NEXT_DUE, (None, [0], [LOWEST[0]], 0, 100, [None])),
    "next due before a sweep": (claim_statements.NEXT_DUE, (None, [0], [2**60], 0, 100, [1_000_000])),
}
ALWAYS = (1, 0, EVER, EVER, EVER, 100)
TIMELINE = {
    "first attempts": (past_slots.FIRST_ATTEMPTS, ALWAYS),
    "more attempts": (past_slots.MORE_ATTEMPTS, (1, [1, 2, 3], 0)),
    "slots that did not run": (past_slots.SKIPPED, ALWAYS),
    "ranges over the end": (past_slots.SPANNING, (1, 0, 20)),
    "held by workers": (worker_book.HELD, (0,)),
    "leases of a tenant": (fleet_view.LEASES_OF_TENANT, (0, "t0", 100)),
}
WITHOUT_SKIP_LOCKED = {
    f"{name} without SKIP LOCKED": (
        claim_statements.without_skip_locked(statement),
        arguments,
    )
    for name, (statement, arguments) in STATEMENTS.items()
    if name.startswith("claim")
}


FILLED = {"schedule", "endpoints", "runs_default", "skips"}
_RUNS = """
INSERT INTO cronicorn.runs (endpoint_number, slot, attempt, fence, status, source, trace, due_us, started_us,
                            finished_us, duration_us, outcome)
SELECT number, 1, 1, 1, 'success', 'interval', '', $1, $1, $1 + number, 0, '{}' FROM cronicorn.endpoints
"""
_SKIPS = """
INSERT INTO cronicorn.skips (endpoint_number, state, reason, first_us, last_us, instants, exact)
SELECT number, 'coalesced', '', $1, $1 + number, 1, 1 FROM cronicorn.endpoints
"""


@pytest.fixture
async def connection(postgres_url):
    stores = await PostgresStores.open(postgres_url)
    await plant_crowd(stores.database, {f"t{number}": COUNT // 20 for number in range(20)})
    async with stores.database.connection() as connection:
        await connection.execute(_RUNS, 0)
        await connection.execute(_SKIPS, 0)
        await connection.execute("ANALYZE cronicorn.runs, cronicorn.skips")
        yield connection
    await stores.aclose()


async def _plan(connection, statement, arguments):
    (row,) = await connection.fetch(f"EXPLAIN (FORMAT JSON) {statement}", *arguments)
    return json.loads(row[0])[0]["Plan"]


def _steps(plan):
    yield plan
    for part in plan.get("Plans", []):
        yield from _steps(part)


async def test_no_table_is_read_from_end_to_end_and_what_has_a_limit_stops_there(connection):
    counted = {row[0] for row in await connection.fetch("SELECT relname FROM pg_class WHERE reltuples > 0")}
    assert counted >= FILLED  # and others, of which tests before this one have left the statistics

    for name, (statement, arguments) in (STATEMENTS | WITHOUT_SKIP_LOCKED | TIMELINE).items():
        steps = list(_steps(await _plan(connection, statement, arguments)))

        read_whole = {step["Relation Name"] for step in steps if step["Node Type"] == "Seq Scan"}
        assert read_whole & FILLED == set(), name
        rows_sorted = [step["Plan Rows"] for step in steps if step["Node Type"] == "Sort"]
        assert max(rows_sorted, default=0) <= COUNT // 5, name


INDEXES = [
    ("claim", "schedule_due"),
    ("claim", "schedule_leased"),
    ("claim in turn", "schedule_fair"),
    ("claim within caps", "schedule_due"),
    ("claim one", "schedule_pkey"),
    ("find what was claimed", "schedule_leased"),
    ("renew", "schedule_pkey"),
    ("abandon", "schedule_pkey"),
    ("settle", "schedule_pkey"),
    ("next due", "schedule_due"),
    ("next due", "schedule_leased"),
    ("next due before a sweep", "schedule_due"),
    ("next due before a sweep", "schedule_leased"),
    ("slots that did not run", "skips_by_endpoint"),
    ("ranges over the end", "skips_by_endpoint"),
]


async def test_the_index_made_for_a_question_answers_it(connection):
    for name, index in INDEXES:
        steps = _steps(await _plan(connection, *(STATEMENTS | TIMELINE)[name]))

        assert index in {step.get("Index Name") for step in steps}, name


async def test_a_renewal_touches_no_index(connection):
    await connection.execute("UPDATE cronicorn.schedule SET due_us = NULL WHERE endpoint_number % 10 > 0")
    await connection.execute("VACUUM FULL cronicorn.schedule")
    claimed = await connection.fetch(claim_statements.CLAIM, *CLAIM)
    await connection.execute("SELECT pg_stat_force_next_flush()")
    await connection.execute("SELECT pg_stat_reset_single_table_counters('cronicorn.schedule'::regclass)")
    leases = [row for row in claimed if row["claim_id"] is not None]

    for _ in range(3):
        await connection.fetch(
            holding_statements.RENEW, None, [row["shard"] for row in leases],
            await _ids(connection, leases), [row["claim_id"] for row in leases], [row["fence"] for row in leases],
            TTL_US,
        )  # fmt: skip
    await connection.execute("SELECT pg_stat_force_next_flush()")

    updated, hot = await connection.fetchrow(
        "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'schedule'"
    )
    assert (len(leases), updated) == (100, 300)
    assert hot >= 0.8 * updated


async def _ids(connection, leases):
    numbers = [row["endpoint_number"] for row in leases]
    rows = await connection.fetch("SELECT number, id FROM cronicorn.endpoints WHERE number = ANY($1)", numbers)
    ids = {row["number"]: row["id"] for row in rows}
    return [ids[number] for number in numbers]
