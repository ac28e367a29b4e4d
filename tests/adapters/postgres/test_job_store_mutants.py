"""Statements known to be wrong, each with a promise that its store breaks."""

from dataclasses import replace

import asyncpg
import pytest

from cronicorn.adapters.postgres.job_store import PostgresJobStore
from cronicorn.adapters.postgres.lease_statements import LeaseStatements
from cronicorn.adapters.postgres.stores import PostgresStores
from cronicorn.domain.errors import CronicornError
from cronicorn.testing.clocks import VirtualClock
from cronicorn.testing.contracts.job_store import JobStoreContract
from cronicorn.testing.contracts.stores import MINUTE, TENANT, TTL, claim_one, plant

RIGHT = LeaseStatements()
PROMISES = JobStoreContract()


async def cancels_one_claim_only(stores, clock):
    await plant(stores)
    clock.advance(MINUTE)
    cancelled = await claim_one(stores)
    await stores.run_control.cancel(TENANT, "ep1", cancelled.slot)
    clock.advance(TTL)
    successor = await claim_one(stores)
    assert stores.job_store.renew([successor], ttl=TTL).cancelled == frozenset()


def _changed(**changes):
    """The statements, each with one piece of text in the place of another."""
    statements = RIGHT
    for name, (text, other) in changes.items():
        statement = getattr(statements, name)
        assert text in statement, name
        statements = replace(statements, **{name: statement.replace(text, other)})
    return statements


_MINE = "e.claim_id = d.claim_id AND e.fence = d.fence"
_HELD = "e.claim_id IS NOT DISTINCT FROM $3 AND e.fence = $4 AS held"
WRONG = {
    "settles by the id alone": (
        _changed(settle=(_MINE, "true"), find=(_HELD, "true AS held")),
        PROMISES.test_a_lease_that_another_claim_followed_settles_nothing,
    ),
    "settles whatever is leased": (
        _changed(settle=(_MINE, "e.claim_id IS NOT NULL"), find=(_HELD, "e.claim_id IS NOT NULL AS held")),
        PROMISES.test_a_worker_that_claims_the_slot_again_can_not_settle_its_first_claim,
    ),
    "settles what was edited since": (
        _changed(settle=(" AND e.plan_version = d.plan_version", "")),
        PROMISES.test_a_decision_sees_what_was_written_during_the_call,
    ),
    "forgets what is settled": (
        _changed(find=("e.done_claim_id IS NOT DISTINCT FROM $3 AND", "false AND")),
        PROMISES.test_settling_the_same_lease_again_is_answered_the_same_and_changes_nothing,
    ),
    "records a slot twice": (
        _changed(settle=("AND r.finished_us >= $14", "AND false")),
        PROMISES.test_a_slot_has_one_outcome_even_when_a_decision_plans_it_again,
    ),
    "takes over under the same fence": (
        _changed(claim=("fence = e.fence + 1", "fence = e.fence + (e.claim_id IS NULL)::int")),
        PROMISES.test_an_expired_lease_makes_its_slot_due_again_with_a_higher_fence,
    ),
    "claims under the same id": (
        _changed(claim=("$9::text || '-' ||", "left($9::text, 0) ||")),
        PROMISES.test_an_expired_lease_makes_its_slot_due_again_with_a_higher_fence,
    ),
    "takes over what lives": (
        _changed(claim=("s.takeover_us <= ", "s.takeover_us > ")),
        PROMISES.test_a_live_lease_keeps_others_away,
    ),
    "never takes over": (
        _changed(claim=("AND s.takeover_us <= ", "AND s.takeover_us < 0 AND 0 < ")),
        PROMISES.test_an_expired_lease_makes_its_slot_due_again_with_a_higher_fence,
    ),
    "takes over at once": (
        _changed(claim=("(e.claim_id IS NOT NULL)::int, 8)]", "(e.claim_id IS NOT NULL)::int, 1)]")),
        PROMISES.test_a_slot_that_keeps_losing_its_workers_rests_ever_longer,
    ),
    "leases for longer": (
        _changed(claim=("+ $11", "+ $11 + 1")),
        PROMISES.test_a_lease_lasts_as_long_as_asked,
    ),
    "claims early": (
        _changed(claim=("s.due_us <= ", "s.due_us <= 9000000 + ")),
        PROMISES.test_nothing_is_claimed_before_it_is_due,
    ),
    "claims in any order": (
        _changed(claim=("ORDER BY s.due_us, s.endpoint_number", "ORDER BY s.endpoint_number DESC")),
        PROMISES.test_a_claim_never_takes_more_than_it_was_asked_for,
    ),
    "claims the planned slot first": (
        _changed(claim=("coalesce(e.manual_slot, e.slot)", "e.slot")),
        PROMISES.test_a_waiting_manual_slot_goes_before_the_planned_one,
    ),
    "keeps a cancellation": (_changed(claim=("cancelled = 0", "cancelled = e.cancelled")), cancels_one_claim_only),
    "renews whatever is leased": (
        _changed(renew=(_MINE, "e.claim_id IS NOT NULL")),
        PROMISES.test_a_lost_lease_that_is_renewed_leaves_its_successor_alone,
    ),
    "abandons whatever is leased": (
        _changed(abandon=(_MINE, "e.claim_id IS NOT NULL")),
        PROMISES.test_abandoning_a_lost_lease_leaves_its_successor_alone,
    ),
}


@pytest.mark.parametrize("name", WRONG)
async def test_statements_that_are_wrong_in_a_known_way_break_a_promise(name, postgres_url):
    statements, promise = WRONG[name]

    assert await _keeps(promise, RIGHT, postgres_url)
    assert not await _keeps(promise, statements, await _emptied(postgres_url))


async def _keeps(promise, statements, url):
    clock = VirtualClock()
    stores = await PostgresStores.open(url, clock)
    job_store = PostgresJobStore(stores.database, statements=statements)
    try:
        await promise(replace(stores, job_store=job_store), clock)
    except (AssertionError, CronicornError, asyncpg.PostgresError, pytest.fail.Exception):
        return False
    else:
        return True
    finally:
        await job_store.aclose()
        await stores.aclose()


async def _emptied(url):
    connection = await asyncpg.connect(url)
    await connection.execute(
        "TRUNCATE cronicorn.schedule, cronicorn.runs, cronicorn.skips; DELETE FROM cronicorn.endpoints;"
        "DELETE FROM cronicorn.jobs"
    )
    await connection.close()
    return url
