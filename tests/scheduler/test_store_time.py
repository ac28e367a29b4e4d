"""Where instants of the store's clock lie on our own, however long a claim was under way."""

from datetime import timedelta

import pytest

from cronicorn.domain.fixtures import MIDNIGHT, a_lease, an_endpoint
from cronicorn.scheduler.heartbeat import Heartbeat
from cronicorn.scheduler.settings import SchedulerSettings
from cronicorn.scheduler.store_time import StoreTime
from cronicorn.testing.clocks import VirtualClock
from tests.scheduler.test_heartbeat import Renewals

SECOND = timedelta(seconds=1)


@pytest.fixture
def store_time():
    """At the monotonic time 10 it was midnight, as a claim of 2 ms told."""
    store_time = StoreTime()
    store_time.placed(MIDNIGHT, 10.0, 10.002)
    return store_time


def test_the_first_claim_is_placed_at_its_sending():
    assert StoreTime().placed(MIDNIGHT, 10.0, 18.0) == 10.0


@pytest.mark.parametrize("seen_s", [20.0, 24.0, 28.0])
def test_a_claim_that_hung_is_placed_where_the_store_saw_it(store_time, seen_s):
    assert store_time.placed(MIDNIGHT + (seen_s - 10) * SECOND, 20.0, 28.0) == pytest.approx(seen_s)


def test_a_quicker_claim_says_more():
    store_time = StoreTime()
    store_time.placed(MIDNIGHT + 8 * SECOND, 10.0, 18.0)
    store_time.placed(MIDNIGHT + 9 * SECOND, 19.0, 19.002)

    assert store_time.placed(MIDNIGHT + 18 * SECOND, 20.0, 28.002) == pytest.approx(28.0)


@pytest.mark.parametrize("step", [3_600 * SECOND, -3_600 * SECOND])
def test_after_a_step_the_newer_claim_is_right(store_time, step):
    assert store_time.placed(MIDNIGHT + 10 * SECOND + step, 20.0, 20.002) == 20.0
    assert store_time.placed(MIDNIGHT + 15 * SECOND + step, 22.0, 28.0) == pytest.approx(25.0)


def test_a_lease_that_was_long_in_coming_does_not_put_its_holder_ahead():
    clock = VirtualClock()
    heartbeat = Heartbeat(Renewals(), clock, SchedulerSettings(worker_id="w1"))
    with heartbeat.keeping(a_lease(an_endpoint(), now=clock.now()), clock.monotonic()):
        pass
    sent = clock.monotonic()
    clock.advance(8 * SECOND)

    with heartbeat.keeping(a_lease(an_endpoint(), now=clock.now()), sent) as hold:
        assert hold.now() == clock.now()
        clock.advance(2 * SECOND)
        assert hold.now() == clock.now()
