"""Nothing that anybody writes or answers makes a condition raise anything but what it promises."""

import math
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from cronicorn.domain.condition.comparisons import counterfactual, outcome_of_parts
from cronicorn.domain.condition.condition import Condition, ConditionError, condition_of
from cronicorn.domain.condition.wording import in_words
from tests.domain.condition.random_conditions import FIELDS, Author

WORDS = [
    *FIELDS, "known", "true", "false", "in", "contains", "startsWith", "lowerAscii", "and", "zzz", "null",
    "&&", "||", "!", "?", ":", "==", "!=", "<", "<=", ">", ">=", "+", "-", "*", "/", "%", "(", ")", "[", "]", ",", ".",
    "0", "5", "1e400", ".5", "10m", "1h30m", "5x", "'a'", '"b"', "'", '"', "'\\x41'", "'\\q'", "=", "&", "//", "\n",
]  # fmt: skip
written = st.integers(0, 2**32).map(lambda seed: Author(Random(seed)).condition().ours)
garbled = st.builds(
    lambda text, word, at: text[: at % (len(text) + 1)] + word + text[at % (len(text) + 1) :],
    written, st.sampled_from(WORDS), st.integers(0, 500),
)  # fmt: skip
texts = st.one_of(
    st.text(max_size=1_100),
    st.text(st.characters()),
    st.lists(st.sampled_from(WORDS), max_size=30).map(" ".join),
    st.lists(st.sampled_from(WORDS), max_size=30).map("".join),
    st.sampled_from(["(", "!", "-", "a+", "p ? ", "p&&", "s.lowerAscii()", "'", "\\", "1", "."]).flatmap(
        lambda word: st.integers(1, 1_000).map(lambda count: (word * count)[:1_000])
    ),
    written,
    garbled,
)
odd = st.one_of(
    st.none(), st.booleans(), st.floats(), st.integers(), st.sampled_from([10**400, -(10**400), "\ud800", math.nan]),
    st.text(), st.binary(), st.lists(st.integers()), st.dictionaries(st.text(), st.integers()), st.just(object()),
)  # fmt: skip
answers = st.dictionaries(st.sampled_from([*FIELDS, "zzz"]), odd)


def refused_or_read(text: str) -> Condition | ConditionError:
    try:
        return condition_of(text, FIELDS)
    except ConditionError as error:
        return error


@settings(max_examples=500)
@given(texts, answers)
def test_any_text_is_refused_or_gives_a_condition_that_never_raises(text, values):
    read = refused_or_read(text)

    if isinstance(read, ConditionError):
        assert 0 <= read.at <= len(text)
        assert read.problem
    else:
        assert read.evaluate(values) in {True, False, None}
        assert read.negated().evaluate(values) in {True, False, None}


@settings(max_examples=500)
@given(written, answers)
def test_a_condition_can_always_be_worded_and_explained(text, values):
    condition = condition_of(text, FIELDS)

    counterfactual(condition, values)

    assert in_words(condition)
    assert in_words(condition.negated())
    assert all(part.text in text for part in outcome_of_parts(condition, values))


@settings(max_examples=500)
@given(written, answers, st.data())
def test_what_is_decided_stays_decided_when_more_becomes_known(text, values, data):
    condition = condition_of(text, FIELDS)
    kept = {name: value for name, value in values.items() if data.draw(st.booleans()) and name in FIELDS}
    if any(f"known({name})" in text for name in FIELDS):
        return

    before, after = condition.evaluate(kept), condition.evaluate(values)

    assert before is None or before is after
