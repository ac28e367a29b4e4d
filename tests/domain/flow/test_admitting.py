"""No stretch of a period holds more calls than the rate, no instant more than the parallelism, and all turns come."""

from bisect import insort
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cronicorn.domain.fixtures import MIDNIGHT
from cronicorn.domain.flow.admitting import HELD_MAX, FlowAsk, admitted, next_in_line
from cronicorn.domain.flow.limits import FlowLimits, HeldBack
from cronicorn.domain.flow.record import BLANK, FlowKey, FlowRecord
from cronicorn.domain.instant import microseconds_of

SECOND, MILLISECOND = timedelta(seconds=1), timedelta(milliseconds=1)
KEY, HOST = FlowKey.of_key("t1", "k"), FlowKey.of_host("", "h")


def ask(number, *wants, returning=False, call_max=10 * SECOND, held=None):
    turn_us = microseconds_of(held.turn_at) if held is not None and held.turn_at is not None else 0
    returning = returning or held is not None
    return FlowAsk(f"c{number}", "t1", f"ep{number}", returning, call_max, wants, turn_us)


def played(limits, arrivals, lags, raised=None, raised_at=timedelta.max):
    """When each call of *arrivals* begins, if whoever is held back asks again at his time, late by one of *lags*.

    From *raised_at* on others hold in the place of *limits*.
    """
    records: dict[FlowKey, FlowRecord] = {}
    begun, held, waiting = dict[int, datetime](), dict[int, HeldBack](), list[tuple[datetime, int]]()
    for number, at in enumerate(sorted(arrivals)):
        insort(waiting, (MIDNIGHT + at, number))
    asked = 0
    while waiting:
        now, number = waiting.pop(0)
        holding = limits if raised is None or now < MIDNIGHT + raised_at else raised
        records, verdicts = admitted(records, [ask(number, (KEY, holding), held=held.get(number))], now)
        verdict = verdicts[f"c{number}"]
        asked += 1
        if verdict is None:
            begun[number] = now
        else:
            assert now < verdict.until <= now + HELD_MAX
            held[number] = verdict
            insort(waiting, (verdict.until + lags[asked % len(lags)], number))
        assert asked < 100 * len(arrivals), "somebody asks for ever"
    return begun, asked


@settings(max_examples=60, deadline=None)
@given(
    rate=st.integers(1, 12),
    period=st.integers(20, 3_000).map(lambda number: number * MILLISECOND),
    arrivals=st.lists(st.integers(0, 4_000).map(lambda number: number * MILLISECOND), min_size=1, max_size=60),
    lags=st.lists(st.integers(0, 30).map(lambda number: number * MILLISECOND), min_size=1, max_size=5),
)
def test_no_stretch_of_a_period_holds_more_calls_than_the_rate(rate, period, arrivals, lags):
    begun, _ = played(FlowLimits(rate=rate, period=period), arrivals, lags)

    instants = sorted(begun.values())
    assert len(instants) == len(arrivals)
    assert all(late - early >= period for early, late in zip(instants, instants[rate:], strict=False))


def test_whoever_came_first_begins_first_and_the_rate_is_used():
    begun, asked = played(FlowLimits(rate=10), [timedelta()] * 101, [timedelta()])

    assert sorted(begun, key=lambda number: (begun[number], number)) == list(range(101))
    assert max(begun.values()) - MIDNIGHT < timedelta(seconds=11)
    assert asked <= 2 * 101


def test_a_worker_that_is_late_does_not_make_everybody_ask_again():
    _, asked = played(FlowLimits(rate=20), [timedelta()] * 200, [n * MILLISECOND for n in (3, 8, 1, 12, 0)])

    assert asked < 2.5 * 200


@pytest.mark.parametrize(
    ("count", "rate", "period"), [(400, 1, 6 * SECOND), (60, 1, 60 * SECOND), (20, 1, timedelta(minutes=30))]
)
def test_a_line_that_is_longer_than_anybody_waits_without_asking_is_served_in_order_and_at_the_rate(
    count, rate, period
):
    begun, _ = played(FlowLimits(rate=rate, period=period), [timedelta()] * count, [3 * MILLISECOND])

    assert sorted(begun, key=begun.__getitem__) == list(range(count))
    assert max(begun.values()) - MIDNIGHT < 1.05 * (count - 1) * period / rate + HELD_MAX


def test_a_rate_that_is_raised_holds_soon_for_those_who_wait_and_for_those_who_come():
    days, fast = FlowLimits(rate=1, period=timedelta(days=1)), FlowLimits(rate=10)
    late = [30 * timedelta(minutes=1) + number * SECOND for number in range(20)]

    begun, _ = played(days, [timedelta()] * 50 + late, [3 * MILLISECOND], fast, timedelta(minutes=1))

    assert max(begun[number] for number in range(50)) < MIDNIGHT + HELD_MAX + 20 * SECOND
    assert all(begun[50 + number] - MIDNIGHT - at < SECOND for number, at in enumerate(late))


def test_no_more_calls_are_in_progress_than_may_be_and_a_dead_workers_place_comes_free():
    limits, records = FlowLimits(parallelism=2), dict[FlowKey, FlowRecord]()
    asks = [ask(number, (KEY, limits)) for number in range(5)]

    records, first = admitted(records, asks, MIDNIGHT)
    records, again = admitted(records, [asks[2]._replace(returning=True)], MIDNIGHT + 9 * SECOND)
    records, over = admitted(records, [asks[2]._replace(returning=True)], MIDNIGHT + 10 * SECOND)

    assert [first[f"c{number}"] is None for number in range(5)] == [True, True, False, False, False]
    assert again["c2"] is not None
    assert over["c2"] is None


def test_who_waits_for_a_place_is_called_in_order_and_nobody_overtakes():
    limits = FlowLimits(parallelism=1)
    records, _ = admitted({}, [ask(number, (KEY, limits)) for number in range(3)], MIDNIGHT)
    left = records[KEY].left_by("c0")

    line = next_in_line(left, 1, microseconds_of(MIDNIGHT))
    _, newcomer = admitted({KEY: left}, [ask(9, (KEY, limits))], MIDNIGHT)
    _, called = admitted({KEY: left}, [ask(1, (KEY, limits), returning=True)], MIDNIGHT)

    assert [each.endpoint_id for each in line] == ["ep1"]
    assert newcomer["c9"] is not None
    assert called["c1"] is None


def test_a_slot_that_is_taken_over_has_the_place_of_its_dead_worker():
    limits = FlowLimits(parallelism=1)
    records, _ = admitted({}, [ask(1, (KEY, limits))], MIDNIGHT)

    _, verdicts = admitted(records, [ask(1, (KEY, limits))._replace(claim_id="later")], MIDNIGHT + SECOND)

    assert verdicts["later"] is None


def test_a_call_under_two_keys_counts_under_both_or_neither():
    wants = ((KEY, FlowLimits(rate=5)), (HOST, FlowLimits(rate=1)))

    records, verdicts = admitted({}, [ask(1, *wants), ask(2, *wants)], MIDNIGHT)

    assert [verdicts["c1"] is None, verdicts["c2"] is None] == [True, False]
    assert len(records[KEY].starts_us) == len(records[HOST].starts_us) == 1


def test_endpoints_under_one_key_may_have_limits_of_their_own():
    slow, fast = FlowLimits(rate=1, period=60 * SECOND), FlowLimits(rate=3)
    records, _ = admitted({}, [ask(1, (KEY, fast))], MIDNIGHT)

    records, verdicts = admitted(records, [ask(2, (KEY, slow)), ask(3, (KEY, fast))], MIDNIGHT + SECOND)

    assert verdicts["c2"] is not None
    assert BLANK.starts_us == ()
    assert records[KEY].starts_us[0] == microseconds_of(MIDNIGHT)
