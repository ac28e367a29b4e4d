"""The agenda finds what a look at every row would find."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cronicorn.adapters.memory.agenda import Agenda
from cronicorn.adapters.memory.row import Claim, Row
from cronicorn.domain.endpoint import EndpointState
from cronicorn.domain.fixtures import MIDNIGHT, an_endpoint
from cronicorn.domain.plan import Plan, Source
from cronicorn.domain.trace import Trace

SECOND = timedelta(seconds=1)
NUMBERS = range(6)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("plan"), st.sampled_from(NUMBERS), st.none() | st.integers(0, 20)),
        st.tuples(st.just("claim"), st.sampled_from(NUMBERS), st.none() | st.integers(0, 20)),
        st.tuples(st.just("remove"), st.sampled_from(NUMBERS), st.none()),
        st.tuples(st.just("look"), st.integers(0, 20), st.none()),
    ),
    max_size=40,
)


def plan(row, agenda, second):
    at = None if second is None else MIDNIGHT + second * SECOND
    row.endpoint = an_endpoint(state=EndpointState(plan=Plan(at, Source.DORMANT, Trace(MIDNIGHT, ()))))
    agenda.put(row)


def claim(row, second):
    at = MIDNIGHT if second is None else MIDNIGHT + second * SECOND
    row.claim = None if second is None else Claim(
        id="c", slot=1, attempt=1, worker_id="w1", manual=False, claimed_at=MIDNIGHT, expires_at=at, takeover_at=at
    )  # fmt: skip


def claimable(rows, now):
    return {number for number, row in rows.items() if (at := row.claimable_at()) is not None and at <= now}


@given(STEPS)
def test_it_finds_what_a_look_at_every_row_would_find(steps):
    agenda = Agenda()
    rows: dict[int, Row] = {}
    for deed, number, second in steps:
        if deed == "plan":
            row = rows.setdefault(number, Row(number=number, endpoint=an_endpoint()))
            plan(row, agenda, second)
        elif deed == "claim" and number in rows:
            claim(rows[number], second)
        elif deed == "remove" and number in rows:
            agenda.remove(rows.pop(number))
        elif deed == "look":
            now = MIDNIGHT + number * SECOND
            found = {row.number for row in agenda.due(now)}
            assert claimable(rows, now) <= found
            assert found <= set(rows)

        instants = [at for row in rows.values() if (at := row.claimable_at()) is not None]
        assert agenda.first_at() == min(instants, default=None)


@pytest.mark.parametrize("looked", [0, 5])
def test_a_row_that_is_planned_again_is_listed_once(looked):
    agenda, row = Agenda(), Row(number=1, endpoint=an_endpoint())
    plan(row, agenda, 3)
    agenda.due(MIDNIGHT + looked * SECOND)
    plan(row, agenda, 9)

    assert list(agenda.due(MIDNIGHT + 5 * SECOND)) == []
    assert list(agenda.due(MIDNIGHT + 9 * SECOND)) == [row]
