"""Where a process looks, when it looks everywhere, and when it serves tenants in turn."""

import random
from itertools import pairwise

import pytest

from cronicorn.adapters.postgres.watermark import LOWEST, SWEEP_INTERVAL_S, Watermark

SECOND_US = 1_000_000


@pytest.fixture
def watermark():
    return Watermark(SWEEP_INTERVAL_S, random.Random(1))


def _look(watermark, now, *, cost=0.001, full=False, earliest=LOWEST, now_us=None):
    how = watermark.begin(now)
    now_us = int(now * SECOND_US) if now_us is None else now_us
    watermark.done(how, now + cost, full=full, earliest=earliest, now_us=now_us)
    return how


def test_the_first_look_is_everywhere(watermark):
    how = _look(watermark, 100.0)

    assert how.sweep
    assert how.mark == LOWEST


def test_a_backlog_is_looked_for_from_where_the_last_batch_began(watermark):
    _look(watermark, 100.0, full=True, earliest=(7, 3))
    how = _look(watermark, 100.1, full=True, earliest=(9, 1))

    assert (how.sweep, how.mark) == (False, (7, 3))


def test_everything_is_looked_at_once_a_second_at_least(watermark):
    now, swept = 100.0, []
    for _ in range(1_000):
        if _look(watermark, now, full=True, earliest=(7, 3)).sweep:
            swept.append(now)
        now += 0.01

    gaps = [later - earlier for earlier, later in pairwise(swept)]
    assert min(gaps) >= 0.9
    assert max(gaps) <= SWEEP_INTERVAL_S + 0.011


def test_after_a_short_batch_everything_is_looked_at_soon(watermark):
    _look(watermark, 100.0)

    assert watermark.begin(100.02).sweep


def test_slow_sweeps_take_a_small_part_of_the_time(watermark):
    now, swept = 100.0, 0.0
    while now < 160.0:
        cost = 0.09 if watermark.sweeps(now) else 0.001
        swept += cost if watermark.sweeps(now) else 0.0
        _look(watermark, now, cost=cost)
        now += cost + 0.01

    assert swept / 60 <= 0.12


def test_the_mark_follows_a_clock_that_is_set_back(watermark):
    _look(watermark, 100.0, full=True, earliest=(500 * SECOND_US, 1), now_us=600 * SECOND_US)
    _look(watermark, 100.1, now_us=10 * SECOND_US)

    assert watermark.mark <= (10 * SECOND_US, 0)


def test_something_given_back_is_looked_for_at_once(watermark):
    _look(watermark, 100.0, full=True)
    assert not watermark.begin(100.1).sweep

    watermark.sweep_soon()

    assert watermark.begin(100.1).sweep


def test_only_a_backlog_is_served_in_turn(watermark):
    assert not _look(watermark, 100.0, full=True).in_turn
    assert _look(watermark, 100.1, full=True).in_turn
    assert _look(watermark, 100.2).in_turn

    assert not watermark.begin(105.0).in_turn


def test_turns_that_are_dear_take_a_third_of_the_time_at_most(watermark):
    _look(watermark, 100.0, cost=0.1, full=True)
    assert _look(watermark, 100.1, cost=0.5, full=True).in_turn

    assert not _look(watermark, 101.5, full=True).in_turn
    assert watermark.begin(101.7).in_turn


def test_a_plain_claim_now_and_then_moves_the_mark(watermark):
    kinds = [_look(watermark, 100.0 + number / 100, full=True).in_turn for number in range(12)]

    assert kinds == [False, *[True] * 4, False, *[True] * 4, False, True]


def test_one_tenant_alone_is_not_served_in_turn_for_a_quarter_of_a_second(watermark):
    _look(watermark, 100.0, full=True)
    watermark.one_tenant(100.1)

    assert not watermark.begin(100.2).in_turn
    assert watermark.begin(100.4).in_turn
