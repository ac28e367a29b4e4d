"""What a person or a model is told who wrote what is no condition."""

import pytest

from cronicorn.domain.condition.condition import ConditionError, condition_of
from tests.domain.condition.declared import FIELDS

MISTAKES = [
    # Words and signs of other languages.
    ("err = 5", 4, "write =="),
    ("err === 5", 4, "write =="),
    ("err <> 5", 4, "write !="),
    ("err !== 5", 4, "write !="),
    ("err => 5", 4, "write >="),
    ("err ≥ 5", 4, "write >="),
    ("err =< 5", 4, "write <="),
    ("up & need", 3, "write &&"),
    ("up | need", 3, "write ||"),
    ("up and need", 3, "and is written &&"),
    ("(up OR need)", 4, "OR is written ||"),
    ("not up", 0, "not is written !"),
    ("not(up)", 0, "not is written !"),
    ("st is 'a'", 3, "is is written =="),
    ("st not in ['a']", 3, "!(status in ['a', 'b'])"),
    ("up == True", 6, "True is written true"),
    ("st == null", 6, "known(field)"),
    ("has(err)", 0, "known(field)"),
    ("size(st) > 1", 0, "no function size"),
    ("err ** 2 > 5", 4, "a * a"),
    ("up // really", 3, "no comments"),
    ("st == “a”", 6, "straight quotes"),
    ("up; need", 2, "; means nothing"),
    ("err > 5€", 7, "'€' means nothing"),
    # Names.
    ("er > 5", 0, "did you mean err?"),
    ("up || known(er)", 12, "did you mean err?"),
    ("zzz > 5", 0, "declared are code, err, limit, name, need, st, up."),
    ("for > 5", 0, "reserved word"),
    ("st.startswith('a')", 3, "did you mean startsWith?"),
    ("st.size() > 1", 3, "contains, endsWith, lowerAscii and startsWith"),
    ("st.startsWith", 3, "Brackets follow a method"),
    ("startsWith(st, 'a')", 0, "status.startsWith('a')"),
    ("err.rate > 5", 4, "path"),
    ("err[0] > 5", 3, "path"),
    ("known err", 0, "known(err)"),
    ("known(5)", 6, "name of a field"),
    # Kinds.
    ("err > '5'", 6, "Drop the quotes: 5."),
    ("'5' < err", 0, "Drop the quotes: 5."),
    ("err > '10m'", 6, "Drop the quotes: 10m."),
    ("err in [1, '2']", 11, "Drop the quotes: 2."),
    ("err + '1' > 2", 6, "Drop the quotes: 1."),
    ("up == 'true'", 6, "Drop the quotes: true."),
    ("st == 5", 6, "Put quotes around it: '5'."),
    ("st > 10m", 5, "A duration is a number of seconds"),
    ("err > 'x'", 6, "err is a number and 'x' is a string"),
    ("err == st", 7, "err is a number and st is a string"),
    ("up == 1", 6, "up is true or false and 1 is a number"),
    ("up < need", 0, "< does not order"),
    ("err", 0, "Compare it, as in err > 5."),
    ("st", 0, "Compare it, as in st == 'a'."),
    ("up ? 1 : 2", 0, "Compare it, as in (up ? 1 : 2) > 5."),
    ("up && err", 6, "err is a number"),
    ("!err", 1, "err is a number"),
    ("-up", 1, "up is true or false"),
    ("err ? up : need", 0, "err is a number"),
    ("up ? 1 : 'a'", 9, "one kind"),
    ("st + 1 == 'a'", 5, "1 is a number"),
    ("'a' - 'b' == 'c'", 0, "'a' is a string"),
    ("err.contains('a')", 0, "err is a number"),
    ("st.contains(5)", 12, "5 is a number"),
    ("st.contains()", 0, "takes one string"),
    ("st.contains('a', 'b')", 0, "takes one string"),
    ("st.lowerAscii('a') == 'a'", 14, "takes nothing"),
    ("st in [name]", 7, "fixed values only"),
    # Where something is missing or too much.
    ("", 0, "empty"),
    (" \n", 0, "empty"),
    ("err >", 5, "ends where a value"),
    ("err > > 5", 6, "not >"),
    ("(err > 5", 8, "A ) is missing at the end."),
    ("(err > 5 need)", 9, "A ) is missing before need."),
    ("err > 5)", 7, "Nothing was opened"),
    ("up need", 3, "should stand before need"),
    ("up ? need", 9, "A : is missing at the end."),
    ("up ? need ? up : need : up", 10, "A : is missing before ?."),
    ("1 < err < 5", 8, "1 < a && a < 5"),
    ("st in 'a'", 6, "A list of values"),
    ("['a'] == st", 0, "A list of values"),
    ("st in []", 7, "A value is missing"),
    ("st in ['a',]", 11, "A value is missing"),
    ("st in ['a' 'b']", 11, "A ] is missing before 'b'."),
    ("err > 1,000", 7, "A comma"),
    # Numbers and strings.
    ("err > 5.", 6, "write 5.0 or 5."),
    ("err > 5min", 6, "10m"),
    ("err > 1_000", 6, "1_000 is no number"),
    ("err > 0x10", 6, "0x10 is no number"),
    ("err > 1e", 6, "1e is no number"),
    ("err > 999999999999d", 6, "999999999999d is no number"),
    ("st == 'a", 6, "no closing quote"),
    ("st == 'a\nb'", 6, "no closing quote"),
    (r"st == 'a\q'", 8, r"\q is no escape"),
    (r"st == '\ud800'", 7, "no character"),
    (r"st == '\UFFFFFFFF'", 7, "no character"),
    (r"st == '\400'", 7, r"\4 is no escape"),
    ("st == '\ud800'", 7, "surrogate"),
]


@pytest.mark.parametrize(("text", "at", "told"), MISTAKES)
def test_a_mistake_is_shown_where_it_is_with_a_way_to_mend_it(text, at, told):
    with pytest.raises(ConditionError) as refused:
        condition_of(text, FIELDS)

    assert told in refused.value.problem
    assert refused.value.at == at
    assert str(refused.value) == refused.value.problem


def test_without_declared_fields_the_error_says_so():
    with pytest.raises(ConditionError, match="No field is called err; none is declared"):
        condition_of("err > 5", {})


def test_a_crowd_of_declared_fields_is_not_listed_whole():
    fields = {f"field_{index}": FIELDS["err"] for index in range(50)}

    with pytest.raises(ConditionError, match="and others") as refused:
        condition_of("zzz > 5", fields)

    assert len(refused.value.problem) < 200


def test_a_long_operand_is_not_quoted_whole():
    with pytest.raises(ConditionError) as refused:
        condition_of("+".join(["err"] * 200), FIELDS)

    assert len(refused.value.problem) < 200
