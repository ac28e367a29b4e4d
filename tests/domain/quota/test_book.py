"""What a book grants, and what it says when it does not."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cronicorn.domain.calendar import Calendar
from cronicorn.domain.errors import InvalidInputError
from cronicorn.domain.fixtures import MIDNIGHT
from cronicorn.domain.instant import ZERO
from cronicorn.domain.quota.allowance import Allowance, Budget, Burst
from cronicorn.domain.quota.book import RESERVED_PAUSE, Book, granted, refusal, view
from cronicorn.domain.quota.decision import Ask, BudgetTokens, DenialReason, Mode

NOON = MIDNIGHT + timedelta(hours=12)
MINUTE = timedelta(minutes=1)
ALLOWANCE = Allowance(limit=1_000, burst=None)
PARTS = st.tuples(st.integers(0, 700), st.integers(0, 700))
WANTS = st.integers(1, 1_100), st.sampled_from(Budget)


def _ask(estimate=100, budget=Budget.ANALYSIS, **changes):
    return Ask(**{"tenant_id": "t1", "estimate": estimate, "budget": budget, "key": "k", "ttl": MINUTE} | changes)


def _book(**parts):
    window = Calendar().window_at(MIDNIGHT)
    return Book(
        window=window,
        parts={Budget(name): BudgetTokens(used=used, reserved=held) for name, (used, held) in parts.items()},
    )


def _reason(book, ask, mode=Mode.RESERVE, allowance=ALLOWANCE):
    denied = refusal(book, ask, allowance, mode, NOON)
    return denied.reason if denied is not None else None


@given(PARTS, PARTS, *WANTS)
def test_reserving_never_exceeds_the_limit_nor_what_is_kept_for_compiling(compiling, analysing, want, budget):
    book, ask = _book(compile=compiling, analysis=analysing), _ask(want, budget)

    denied = refusal(book, ask, ALLOWANCE, Mode.RESERVE, NOON)
    after = book.with_grant(ask, ALLOWANCE, Mode.RESERVE, NOON)

    fits = after.used + after.reserved <= 1_000 and after.part(budget).taken <= ALLOWANCE.cap(budget)
    assert (denied is None) == fits
    if denied is not None:
        assert 0 <= denied.remaining < want
        assert ZERO < denied.retry_after <= denied.reset_at - NOON


@given(PARTS, PARTS, *WANTS)
def test_soft_exceeds_the_limit_by_less_than_the_room_of_calls_in_progress(compiling, analysing, want, budget):
    book, allowance = _book(compile=compiling, analysis=analysing), replace(ALLOWANCE, soft_room=600)

    reason = _reason(book, _ask(want, budget), Mode.SOFT, allowance)

    after = book.used + book.reserved + want
    if reason is None:
        assert after < allowance.limit + 600
        assert book.reserved + want <= 600
    else:
        assert want <= 600 or reason is DenialReason.TOO_LARGE
        assert (reason is DenialReason.RESERVED) <= (book.reserved + want > 600 and book.used < allowance.limit)


@given(PARTS, PARTS, *WANTS)
def test_soft_without_a_bound_asks_only_whether_the_limit_is_used_up(compiling, analysing, want, budget):
    book = _book(compile=compiling, analysis=analysing)

    denied = refusal(book, _ask(want, budget), ALLOWANCE, Mode.SOFT, NOON)

    assert (denied is None) == (book.used < 1_000 and book.part(budget).used < ALLOWANCE.cap(budget))


@pytest.mark.parametrize(
    ("parts", "ask", "reason"),
    [
        ({}, _ask(800), None),
        ({}, _ask(801), DenialReason.TOO_LARGE),
        ({}, _ask(1_000, Budget.COMPILE), None),
        ({"compile": (950, 0)}, _ask(), DenialReason.LIMIT),
        ({"analysis": (750, 0)}, _ask(), DenialReason.BUDGET),
        ({"analysis": (750, 0)}, _ask(100, Budget.COMPILE), None),
        ({"analysis": (0, 750)}, _ask(), DenialReason.RESERVED),
        ({"compile": (0, 950)}, _ask(), DenialReason.RESERVED),
    ],
)
def test_the_reason_is_told(parts, ask, reason):
    assert _reason(_book(**parts), ask) is reason


def test_a_wait_lasts_until_the_window_ends_or_shortly_where_calls_in_progress_are_in_the_way():
    used, held = (refusal(_book(analysis=part), _ask(), ALLOWANCE, Mode.RESERVE, NOON) for part in ((800, 0), (0, 800)))

    assert used is not None
    assert held is not None
    assert (used.retry_after, held.retry_after) == (timedelta(hours=12), RESERVED_PAUSE)
    assert used.reset_at == held.reset_at == MIDNIGHT + timedelta(days=1)


def test_a_burst_is_refused_until_it_is_over_and_a_used_up_limit_tells_the_longer_wait():
    allowance = replace(ALLOWANCE, burst=Burst(calls=2, every=MINUTE))
    book = replace(_book(), burst_at=NOON + 2 * MINUTE)

    burst = refusal(book, _ask(), allowance, Mode.RESERVE, NOON)
    both = refusal(book.added(Budget.COMPILE, used=1_000), _ask(), allowance, Mode.RESERVE, NOON)

    assert burst is not None
    assert both is not None
    assert (burst.reason, burst.retry_after) == (DenialReason.BURST, MINUTE)
    assert (both.reason, both.retry_after) == (DenialReason.LIMIT, timedelta(hours=12))


def test_an_owner_sees_both_budgets_and_what_is_left():
    book = _book(compile=(100, 20), analysis=(300, 50))

    seen = view(book, ALLOWANCE)

    assert (seen.limit, seen.used, seen.reserved, seen.remaining) == (1_000, 400, 70, 530)
    assert seen.budgets == {
        Budget.COMPILE: BudgetTokens(used=100, reserved=20),
        Budget.ANALYSIS: BudgetTokens(used=300, reserved=50),
    }


def test_what_is_left_is_never_below_nothing():
    book = _book(analysis=(1_200, 0))

    assert view(book, ALLOWANCE).remaining == granted(book, _ask(), ALLOWANCE).remaining == 0


def test_the_same_call_has_the_same_grant_and_another_one_another():
    asks = [_ask(), _ask(tenant_id="t2"), _ask(key="k2"), _ask(tenant_id="t1 k", key="x"), _ask(key="k x")]

    assert len({ask.grant_id for ask in asks}) == len(asks)
    assert _ask().grant_id == _ask(estimate=5, budget=Budget.COMPILE).grant_id


@pytest.mark.parametrize(
    "wrong", [{"estimate": 0}, {"estimate": 10**12 + 1}, {"ttl": ZERO}, {"ttl": timedelta(hours=2)}, {"key": ""}]
)
def test_numbers_that_make_no_sense_are_refused(wrong):
    with pytest.raises(InvalidInputError):
        _ask(**wrong)
