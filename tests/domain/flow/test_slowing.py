"""A host that asks for fewer calls is left alone, for a bounded time."""

from datetime import timedelta

import pytest

from cronicorn.domain.call import OutcomeKind
from cronicorn.domain.fixtures import MIDNIGHT, an_outcome
from cronicorn.domain.flow.record import BLANK
from cronicorn.domain.flow.slowing import (
    FORGIVEN_AFTER,
    SPREAD_MAX,
    WAIT_FIRST,
    WAIT_MAX,
    asks_for_less,
    held_by_slow_host,
    slowed,
)
from cronicorn.domain.instant import instant_of, microseconds_of

SECOND = timedelta(seconds=1)


def told(status, **headers):
    return an_outcome(status)._replace(headers=tuple(headers.items()))


def until(record):
    return instant_of(record.slowed_us) - MIDNIGHT


@pytest.mark.parametrize(
    ("outcome", "asks"),
    [
        (told(429), True),
        (told(503), False),
        (told(503, **{"retry-after": "5"}), False),
        (told(200, **{"retry-after": "5"}), False),
        (told(429)._replace(kind=OutcomeKind.BROKEN), False),
        (told(500), False),
    ],
)
def test_a_429_alone_asks_for_less(outcome, asks):
    assert asks_for_less(outcome) is asks


@pytest.mark.parametrize(
    ("value", "wait"), [("30", 30 * SECOND), ("999999999", timedelta(hours=1)), ("soon", WAIT_FIRST), ("0", WAIT_FIRST)]
)
def test_the_host_says_how_long_within_bounds(value, wait):
    assert until(slowed(BLANK, told(429, **{"retry-after": value}), MIDNIGHT)) == wait


def test_a_host_that_goes_on_is_left_alone_longer_up_to_a_bound_and_forgiven_later():
    record, now, waits = BLANK, MIDNIGHT, []
    for _ in range(9):
        record = slowed(record, told(429), now)
        waits.append(instant_of(record.slowed_us) - now)
        now = instant_of(record.slowed_us)

    assert waits[:3] == [WAIT_FIRST, 2 * WAIT_FIRST, 4 * WAIT_FIRST]
    assert waits[-1] == WAIT_MAX
    assert until(slowed(record, told(429), now + FORGIVEN_AFTER)) - (now + FORGIVEN_AFTER - MIDNIGHT) == WAIT_FIRST


def test_calls_that_were_on_their_way_do_not_count_again():
    first = slowed(BLANK, told(429), MIDNIGHT)

    second = slowed(first, told(429), MIDNIGHT + SECOND)

    assert second == first


def test_endpoints_begin_again_one_after_the_other_and_soon():
    wait = timedelta(hours=1)
    slowed_us = microseconds_of(MIDNIGHT + wait)

    instants = {held_by_slow_host("h", slowed_us, MIDNIGHT, f"ep{n}").until - MIDNIGHT for n in range(50)}

    assert len(instants) == 50
    assert wait <= min(instants) < max(instants) < wait + SPREAD_MAX
