import pytest

from cronicorn.adapters.metrics.lease_tally import LeaseTally


class Watch:
    def __init__(self):
        self.seconds = 0.0

    def __call__(self):
        return self.seconds


@pytest.fixture
def watch():
    return Watch()


@pytest.fixture
def tally(watch):
    tally = LeaseTally(watch)
    tally.held(["a", "b"], ttl=30)
    return tally


def test_a_lease_that_ended_well_is_not_lost(tally, watch):
    tally.settling("a")
    tally.ended("a")
    tally.ended("b")

    watch.seconds = 100

    assert tally.lost(["a"]) == 0
    assert tally.overdrawn() == 0


def test_a_lease_that_the_store_calls_lost_is_counted_once(tally):
    assert tally.lost(["a"]) == 1
    assert tally.lost(["a"]) == 0


def test_a_lease_that_ran_out_is_counted_once(tally, watch):
    watch.seconds = 31

    assert tally.overdrawn() == 2
    assert tally.overdrawn() == 0


def test_a_renewed_lease_goes_on(tally, watch):
    watch.seconds = 20
    tally.renewed(["a"], ttl=30)

    watch.seconds = 40

    assert tally.overdrawn() == 1
    assert tally.lost(["a"]) == 1


def test_whether_a_lease_being_settled_is_lost_the_settlement_decides(tally):
    tally.settling("a")

    assert tally.lost(["a", "b"]) == 1
    tally.unsettled("a")
    assert tally.lost(["a"]) == 1
