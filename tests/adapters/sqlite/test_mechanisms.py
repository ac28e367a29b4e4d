"""The mechanisms beside leases in a SQLite file: each keeps what it promises, and says what it does not."""

from dataclasses import replace
from datetime import timedelta

import pytest

from cronicorn.adapters.sqlite.job_store import SqliteJobStore
from cronicorn.adapters.sqlite.legacy import SqliteLegacyJobStore
from cronicorn.adapters.sqlite.optimistic import SqliteOptimisticJobStore
from cronicorn.adapters.sqlite.stores import SqliteStores
from cronicorn.domain.mechanism import Mechanism
from cronicorn.testing.contracts.job_store import JobStoreContract
from cronicorn.testing.contracts.mechanisms import LegacyContract, OptimisticContract
from cronicorn.testing.contracts.promises import not_promised
from cronicorn.testing.contracts.rollups import RollupsContract
from cronicorn.testing.contracts.run_book import RunBookContract
from cronicorn.testing.contracts.shares import SharesContract
from tests.adapters.sqlite.empty_database import copy_to


class InFile:
    @pytest.fixture
    async def opened(self, clock, tmp_path):
        stores = await SqliteStores.open(copy_to(tmp_path / "cronicorn.db"), clock)
        yield stores
        await stores.aclose()


class Legacy(InFile):
    mechanism = Mechanism.LEGACY

    @pytest.fixture
    async def stores(self, opened):
        return replace(opened, job_store=SqliteLegacyJobStore(opened.database, lock=timedelta(seconds=1)))


class Optimistic(InFile):
    mechanism = Mechanism.OPTIMISTIC

    @pytest.fixture
    async def stores(self, opened):
        return replace(opened, job_store=SqliteOptimisticJobStore(opened.database, spread=1))


class TestLegacyJobStore(Legacy, JobStoreContract):
    pass


class TestLegacyRunBook(Legacy, RunBookContract):
    pass


class TestOptimisticRunBook(Optimistic, RunBookContract):
    pass


class TestOptimisticRollups(Optimistic, RollupsContract):
    pass


class TestOptimisticJobStore(Optimistic, JobStoreContract):
    pass


class TestLegacy(Legacy, LegacyContract):
    def locks(self, stores, lock):
        return SqliteLegacyJobStore(stores.database, lock=lock)

    def leases(self, stores):
        return SqliteJobStore(stores.database)


class TestOptimistic(Optimistic, OptimisticContract):
    def versions(self, stores, spread=1):
        return SqliteOptimisticJobStore(stores.database, spread=spread)

    def leases(self, stores):
        return SqliteJobStore(stores.database)


class TestSharesOfLeases(Legacy, SharesContract):
    def of_share(self, stores, share):
        return SqliteJobStore(stores.database, share=share)


class TestSharesOfLocks(Legacy, SharesContract):
    def of_share(self, stores, share):
        return SqliteLegacyJobStore(stores.database, share=share)


class TestSharesWithoutLocks(Optimistic, SharesContract):
    def of_share(self, stores, share):
        return SqliteOptimisticJobStore(stores.database, share=share)


def test_a_lock_promises_all_but_renewal():
    assert not_promised(JobStoreContract, Mechanism.LEASE) == frozenset()
    assert not_promised(JobStoreContract, Mechanism.LEGACY) == {
        "test_renewing_extends_a_lease_from_now",
        "test_renewing_names_the_leases_that_are_lost",
    }


def test_without_locks_nothing_is_promised_that_takes_one():
    assert not_promised(JobStoreContract, Mechanism.OPTIMISTIC) == {
        "test_a_decision_is_told_the_time_the_lease_and_its_siblings",
        "test_a_decision_sees_what_was_written_during_the_call",
        "test_a_lease_lasts_as_long_as_asked",
        "test_a_lease_that_another_claim_followed_settles_nothing",
        "test_a_live_lease_keeps_others_away",
        "test_a_lost_lease_that_is_renewed_leaves_its_successor_alone",
        "test_a_settled_slot_forgives_the_lost_claims_before_it",
        "test_a_slot_that_keeps_losing_its_workers_rests_ever_longer",
        "test_a_worker_that_claims_the_slot_again_can_not_settle_its_first_claim",
        "test_abandoning_a_lost_lease_leaves_its_successor_alone",
        "test_an_endpoint_that_rests_is_next_due_when_it_has_rested",
        "test_an_endpoint_under_lease_is_next_due_when_the_lease_expires",
        "test_an_expired_lease_makes_its_slot_due_again_with_a_higher_fence",
        "test_claims_at_the_same_time_never_get_the_same_endpoint",
        "test_fences_grow_from_claim_to_claim",
        "test_renewing_extends_a_lease_from_now",
        "test_renewing_names_the_leases_that_are_lost",
        "test_renewing_says_who_was_asked_to_stop",
    }
