import math
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cronicorn.domain.condition.comparisons import Part, counterfactual, outcome_of_parts
from cronicorn.domain.condition.condition import condition_of
from cronicorn.domain.condition.kinds import Scalar
from tests.domain.condition.declared import read
from tests.domain.condition.random_conditions import FIELDS as RANDOM_FIELDS
from tests.domain.condition.random_conditions import Author


def test_each_comparison_is_told_with_what_it_read():
    condition = read("err > 5 || (st in ['a', 'b'] && !up) || err + limit > 9")

    parts = outcome_of_parts(condition, {"err": 4, "st": "a", "limit": 6.5})

    assert parts == (
        Part(text="err > 5", value=False, read={"err": 4}),
        Part(text="st in ['a', 'b']", value=True, read={"st": "a"}),
        Part(text="up", value=None, read={"up": None}),
        Part(text="err + limit > 9", value=True, read={"err": 4, "limit": 6.5}),
    )


def test_the_parts_of_a_negated_condition_are_those_that_were_written():
    parts = outcome_of_parts(read("err > 5 && known(st)").negated(), {"err": 6})

    assert [(part.text, part.value) for part in parts] == [("err > 5", True), ("known(st)", False)]


@pytest.mark.parametrize(
    ("text", "statement"),
    [
        ("err > 5", "err <= 5"),
        ("err >= 5 && up", "err < 5"),
        ("err < 5", "err < 5"),
        ("err > 10m", "err > 10m"),
        ("err < limit", "err >= limit"),
        ("err > limit * 2", "err > limit * 2"),
        ("limit + 1 < err", "err > limit + 1"),
        ("err == 7", "err != 7"),
        ("err != 7", "err != 7"),
        ("err == 9", "err == 9"),
        ("code in [200, 204]", "code == 204"),
        ("err > 3 && err < 6", "err > 3 && err < 6"),
        ("err > 3 && err < 10", "err >= 10"),
        ("err < 3 || err > 100", "err < 3"),
        ("err > 5 || code >= 500", "err <= 5"),
        ("err > 20 || code >= 500", "code >= 500"),
        ("err == 8 || err == 1000 || code == 500", "err == 8"),
        ("(err > 8 && err < 9) || code >= 500", "code >= 500"),
        ("err > 5 || up", None),
        ("err > 5 && st == 'a'", "err <= 5"),
        ("err > 9 && st == 'b'", None),
        ("err * 2 > 10", None),
        ("err > 5 && err - 1 > 0", None),
        ("err > 20 - err", None),
        ("err < 1e999", None),
        ("need", None),
        ("need || err > 100", None),
        ("!(err > 5)", "err <= 5"),
        ("up ? err > 5 : err > 8", "err <= 5"),
        ("err > (up ? 8 : 9)", "err > (up ? 8 : 9)"),
        ("known(err) && err > 5", "err <= 5"),
    ],
)
def test_the_single_number_that_would_turn_a_condition_is_named(text, statement):
    values: dict[str, Scalar] = {"err": 7, "limit": 8.0, "code": 429, "st": "a", "up": True}

    assert counterfactual(read(text), values) == statement


def test_a_number_already_at_its_threshold_has_no_way_to_go():
    assert counterfactual(read("err > 5 || code > 500"), {"err": 5, "code": 499}) == "err > 5"


@pytest.mark.parametrize("err", [math.nan, "seven", True])
def test_what_is_no_number_now_is_not_said_to_become_another(err):
    assert counterfactual(read("err > 5 || up"), {"err": err, "up": False}) is None


@settings(max_examples=500)
@given(st.integers(0, 2**32), st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=5))
def test_every_number_of_the_statement_turns_the_condition(seed, tried):
    author = Author(Random(seed))
    condition, values = condition_of(author.condition().ours, RANDOM_FIELDS), author.values(0.1)

    statement = counterfactual(condition, values)

    if statement is None:
        return
    stated = condition_of(statement, RANDOM_FIELDS)
    name = statement.split()[0]
    verdict = condition.evaluate(values)
    assert stated.evaluate(values) is False
    for number in (*tried, 0.0, 1.0, 2.0, 2.5, 5.0, 10.0, 100.0, 600.0, -math.inf, math.inf):
        if stated.evaluate({**values, name: number}):
            assert condition.evaluate({**values, name: number}) is (not verdict)
