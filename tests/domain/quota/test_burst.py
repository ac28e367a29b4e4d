"""Bursts."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from cronicorn.domain.fixtures import MIDNIGHT
from cronicorn.domain.instant import MICROSECOND, ZERO
from cronicorn.domain.quota.allowance import Burst
from cronicorn.domain.quota.burst import advanced, wait_for_burst

BURSTS = st.builds(Burst, calls=st.integers(1, 9), every=st.timedeltas(MICROSECOND, timedelta(seconds=9)))
PAUSES = st.lists(st.timedeltas(ZERO, timedelta(seconds=20)), max_size=60)


@given(BURSTS, PAUSES)
def test_no_stretch_of_time_has_more_reservations_than_a_burst_and_what_comes_back_meanwhile(burst, pauses):
    at, arrival_at, admitted = MIDNIGHT, None, []
    for pause in pauses:
        at += pause
        if wait_for_burst(burst, arrival_at, at) == ZERO:
            arrival_at = advanced(burst, arrival_at, at)
            admitted.append(at)

    for first in range(len(admitted)):
        for last in range(first, len(admitted)):
            regained = (admitted[last] - admitted[first]) // burst.every
            assert last - first + 1 <= burst.calls + regained


@given(BURSTS, PAUSES)
def test_whoever_waits_as_long_as_told_is_admitted_and_not_a_microsecond_earlier(burst, pauses):
    at, arrival_at = MIDNIGHT, None
    for pause in [*pauses, ZERO]:
        at += pause
        wait = wait_for_burst(burst, arrival_at, at)
        if wait > ZERO:
            assert wait_for_burst(burst, arrival_at, at + wait - MICROSECOND) == MICROSECOND
        at += wait
        assert wait_for_burst(burst, arrival_at, at) == ZERO
        arrival_at = advanced(burst, arrival_at, at)


def test_a_tenant_that_was_quiet_may_make_a_whole_burst_at_once():
    burst, arrival_at = Burst(calls=3, every=timedelta(seconds=1)), None
    waits = []
    for _ in range(4):
        waits.append(wait_for_burst(burst, arrival_at, MIDNIGHT))
        arrival_at = advanced(burst, arrival_at, MIDNIGHT)

    assert waits == [ZERO, ZERO, ZERO, timedelta(seconds=1)]


@given(BURSTS, PAUSES, st.timedeltas(ZERO, timedelta(days=400)))
def test_a_clock_that_is_set_back_keeps_nobody_waiting_longer_than_a_burst_lasts(burst, pauses, back):
    at, arrival_at = MIDNIGHT, None
    for pause in [*pauses, ZERO]:
        at += pause + wait_for_burst(burst, arrival_at, at + pause)
        arrival_at = advanced(burst, arrival_at, at)

    assert wait_for_burst(burst, arrival_at, at - back) <= burst.every
