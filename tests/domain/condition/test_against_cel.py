"""Conditions agree with Google's CEL, which answers with an error where we answer that nothing is known.

`%` is compared with CEL's for whole numbers: it has none for doubles.
"""

import math
from collections import Counter
from collections.abc import Mapping
from random import Random, SystemRandom

import pytest
from cel_expr_python import cel  # type: ignore[import-untyped]
from cel_expr_python.ext import ext_strings  # type: ignore[import-untyped]

from cronicorn.domain.condition.condition import CONDITION_CHARACTERS_MAX, condition_of
from cronicorn.domain.condition.kinds import FieldKind, Scalar
from tests.domain.condition.random_conditions import FIELDS, Author, known

CASES = 20_000
_TYPES = {
    FieldKind.NUMBER: cel.Type.DOUBLE, FieldKind.STRING: cel.Type.STRING, FieldKind.BOOL: cel.Type.BOOL,
}  # fmt: skip


def environment() -> cel.Env:
    return cel.NewEnv(
        variables={name: _TYPES[kind] for name, kind in FIELDS.items()}
        | {known(name): cel.Type.BOOL for name in FIELDS},
        extensions=[ext_strings.ExtStrings()],
    )


def answer_of_cel(env: cel.Env, text: str, values: Mapping[str, Scalar]) -> bool | None:
    data = {name: as_double(value) for name, value in values.items()} | {known(name): name in values for name in FIELDS}
    answer = env.compile(text).eval(data=data)
    if answer.type() == cel.Type.ERROR:
        return None
    assert answer.type() == cel.Type.BOOL, text
    return bool(answer.value())


def as_double(value: Scalar) -> Scalar:
    """All numbers are doubles; those that none holds are infinite."""
    if isinstance(value, bool | str):
        return value
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


@pytest.mark.parametrize("missing", [0.0, 0.35], ids=["all fields known", "some fields missing"])
def test_random_conditions_mean_what_cel_says(missing):
    seed = SystemRandom().getrandbits(32)
    author, env = Author(Random(seed)), environment()
    answers: Counter[bool | None] = Counter()

    while answers.total() < CASES:
        written, values = author.condition(), author.values(missing)
        if len(written.ours) > CONDITION_CHARACTERS_MAX:
            continue
        ours = condition_of(written.ours, FIELDS).evaluate(values)
        theirs = answer_of_cel(env, written.cel, values)
        assert ours is theirs, f"seed {seed}, case {answers.total()}: {written.ours} with {values}; CEL: {written.cel}"
        answers[ours] += 1

    assert min(answers[True], answers[False]) > CASES // 10, answers
    assert answers[None] > (CASES // 10 if missing else 0), answers
