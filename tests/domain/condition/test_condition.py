import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cronicorn.domain.condition.arithmetic import quotient, remainder
from cronicorn.domain.condition.condition import CONDITION_CHARACTERS_MAX, ConditionError
from cronicorn.domain.condition.parsing import DEPTH_MAX
from tests.domain.condition.declared import read, verdict

U = None
FLAGS = {True: {"up": True}, False: {"up": False}, U: {}}
OTHER_FLAGS = {True: {"need": True}, False: {"need": False}, U: {}}


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("5", 5.0), ("05", 5.0), ("5.25", 5.25), (".5", 0.5), ("1e3", 1000.0), ("1.5E-3", 0.0015), ("2e+2", 200.0),
        ("-5", -5.0), ("- 5", -5.0), ("--5", 5.0), ("1e999", math.inf), ("9" * 400, math.inf),
        ("10m", 600.0), ("1h30m", 5400.0), ("500ms", 0.5), ("2d", 172_800.0), ("1.5s", 1.5), ("-1h", -3600.0),
    ],
)  # fmt: skip
def test_a_number_or_a_duration_is_a_double_in_seconds(text, number):
    assert verdict(f"err == {text}", err=number) is True


@pytest.mark.parametrize(
    ("text", "string"),
    [
        ("'a'", "a"), ('"a"', "a"), ("'\"'", '"'), ("\"'\"", "'"), (r"'\''", "'"), (r"'\\'", "\\"), ("''", ""),
        (r"'\a\b\f\n\r\t\v\?\`'", "\a\b\f\n\r\t\v?`"), (r"'\x41\X42'", "AB"), (r"'\101\0610'", "A10"),
        (r"'\u00e9'", "é"), (r"'\U0001F600'", "😀"), ("'a && b // c'", "a && b // c"), ("'\t'", "\t"),
    ],
)  # fmt: skip
def test_a_string_means_what_it_means_in_cel(text, string):
    assert verdict(f"st == {text}", st=string) is True


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("1 + 2 * 3 == 7", True), ("(1 + 2) * 3 == 9", True), ("8 - 4 - 2 == 2", True), ("8 / 4 / 2 == 1", True),
        ("7 % 4 * 2 == 6", True), ("-2 + 3 == 1", True), ("true || true && false", True),
        ("(true || true) && false", False), ("!false && false", False), ("!(false && false)", True),
        ("true ? false : true", False), ("false ? true : true ? false : true", False),
        ("false && true ? false : true", True), ("'a' + 'b' + 'c' == 'abc'", True),
        ("(1 < 2) == true", True), ("!(1 in [1, 2])", False), ("750 / 1000 > 0.7", True), ("1 == 1.0", True),
        ("'B' < 'a'", True), ("'\\uffff' < '😀'", True), ("'a' < 'ab'", True), ("'' <= ''", True),
        ("'abc'.contains('')", True), ("'ABÉ'.lowerAscii() == 'abÉ'", True), ("'a' + 'b' in ['ab']", True),
        ("'abc'.startsWith('ab') && 'abc'.endsWith('bc') && 'abc'.contains('b')", True),
        ("'abc'.startsWith('b') || 'abc'.endsWith('b') || 'abc'.contains('d')", False),
    ],
)  # fmt: skip
def test_operators_bind_and_compare_as_in_cel(text, answer):
    assert verdict(text) is answer


@pytest.mark.parametrize("a", [True, False, U])
@pytest.mark.parametrize("b", [True, False, U])
def test_what_is_unknown_follows_kleene(a, b):
    values = FLAGS[a] | OTHER_FLAGS[b]

    both, either = verdict("up && need", **values), verdict("up || need", **values)

    assert both is (False if False in {a, b} else U if U in {a, b} else True)
    assert either is (True if True in {a, b} else U if U in {a, b} else False)
    assert verdict("!up", **values) is (U if a is U else not a)
    assert verdict("up == need", **values) is (U if U in {a, b} else a == b)
    assert verdict("up ? need : !need", **values) is (U if U in {a, b} else a == b)


@pytest.mark.parametrize(
    ("text", "values", "answer"),
    [
        ("err > 5", {}, U),
        ("err + 1 > 5", {}, U),
        ("-err > 5", {}, U),
        ("err == err", {}, U),
        ("err in [1]", {}, U),
        ("st.contains('a')", {}, U),
        ("'a'.contains(st)", {}, U),
        ("st.lowerAscii() == 'a'", {}, U),
        ("up ? true : true", {}, U),
        ("up ? err > 5 : true", {"up": False}, True),
        ("up ? err > 5 : true", {"up": True}, U),
        ("(up ? err : 1) == 1", {"up": False}, True),
        ("err > 5 || st == 'a'", {"st": "a"}, True),
        ("err > 5 && st == 'a'", {"st": "b"}, False),
        ("known(err)", {}, False),
        ("known(err)", {"err": math.nan}, True),
        ("known(err) && err > 5", {}, False),
        ("!known(err) || err > 5", {}, True),
    ],
)
def test_a_field_without_a_value_makes_unknown_what_depends_on_it(text, values, answer):
    assert verdict(text, **values) is answer


@pytest.mark.parametrize("text", ["err > 5", "st == 'a'", "up", "err == 1", "err in [1]"])
@pytest.mark.parametrize("odd", ["seven", True, None, [], {}, object()])
def test_a_value_of_another_kind_is_unknown(text, odd):
    condition = read(text)
    (name,) = condition.fields
    fits = (name == "st" and isinstance(odd, str)) or (name == "up" and isinstance(odd, bool))

    assert fits or condition.evaluate({name: odd}) is None
    assert fits or read(f"known({name})").evaluate({name: odd}) is False


@pytest.mark.parametrize(
    ("text", "err", "answer"),
    [
        ("err / 0 > 1", 1, True), ("err / 0 < -1", -1, True), ("err / -0.0 < 0", 1, True), ("0 / 0 == 0", 0, False),
        ("err == err", math.nan, False), ("err != err", math.nan, True), ("err <= 1", math.nan, False),
        ("err in [1]", math.nan, False), ("err * 10 > 1e308", 1e308, True), ("err + 1 > 2", 10**400, True),
        ("err < 0", -(10**400), True), ("err == 9007199254740992", 2**53 + 1, True),
        ("err % 3 == 1", 7, True), ("err % 3 == -1", -7, True), ("err % -3 == 1", 7, True),
        ("err % 0.4 < 0.4", 1, True), ("1 / (err % 2) > 0", -4, True), ("err % 0 == 0", 1, U),
        ("err % 3 == 0", math.inf, U), ("3 % err == 3", math.inf, U), ("err % 3 == 0", math.nan, U),
    ],
)  # fmt: skip
def test_numbers_are_doubles_that_never_raise(text, err, answer):
    assert verdict(text, err=err) is answer


@given(st.floats(), st.floats())
def test_a_quotient_is_that_of_ieee_doubles_also_by_zero(left, right):
    result = quotient(left, right)

    if math.isfinite(left) and math.isfinite(right) and right != 0.0:
        assert result == left / right
    elif right == 0.0 and left != 0.0 and not math.isnan(left):
        assert math.isinf(result)
        assert math.copysign(1, result) == math.copysign(1, left) * math.copysign(1, right)


@given(st.integers(-1000, 1000), st.integers(-1000, 1000))
def test_a_remainder_has_the_sign_of_the_dividend_and_is_less_than_the_divisor(left, right):
    result = remainder(left, right)

    if right == 0:
        assert result is None
    else:
        assert result is not None
        assert abs(result) < abs(right)
        assert result * left >= 0
        assert (left - result) % right == 0


def test_a_condition_names_the_fields_that_it_reads():
    condition = read("err > limit || known(st) || (up ? true : name.contains('x'))")

    assert condition.fields == {"err", "limit", "st", "up", "name"}
    assert condition.text == "err > limit || known(st) || (up ? true : name.contains('x'))"


def test_blanks_of_all_sorts_stand_between_words():
    assert verdict("\n err\t>\f5\r\n&&up ", err=6, up=True) is True


def test_equal_texts_over_equal_fields_are_equal_conditions():
    assert read("err > 5") == read("err > 5")
    assert len({read("err > 5"), read("err > 5"), read("err > 6")}) == 2


@pytest.mark.parametrize(("err", "answer"), [(6, False), (5, True), (U, U), (math.nan, True)])
def test_a_negated_condition_holds_where_the_other_does_not(err, answer):
    values = {} if err is U else {"err": err}

    negated = read("err > 5").negated()

    assert negated.evaluate(values) is answer
    assert negated.negated().evaluate(values) is read("err > 5").evaluate(values)
    assert negated.text == "!(err > 5)"
    assert negated.fields == {"err"}


def test_even_the_longest_and_deepest_condition_can_be_negated():
    text = "(" * DEPTH_MAX + "up" + ")" * DEPTH_MAX
    text += " && up" * ((CONDITION_CHARACTERS_MAX - len(text)) // 6)

    assert read(text).negated().evaluate({"up": True}) is False


@pytest.mark.parametrize(
    ("opening", "closing"), [("(", ")"), ("!", ""), ("false ? false : ", ""), ("true || (", ")"), ("false == (", ")")]
)
def test_a_condition_nests_so_deep_and_no_deeper(opening, closing):
    deepest, deeper = (opening * depth + "up" + closing * depth for depth in (DEPTH_MAX, DEPTH_MAX + 1))

    assert verdict(deepest, up=True) is not None
    with pytest.raises(ConditionError, match=f"at most {DEPTH_MAX} deep"):
        read(deeper)


def test_methods_chain_so_far_and_no_further():
    text = "st" + ".lowerAscii()" * DEPTH_MAX

    assert verdict(f"{text} == 'a'", st="A") is True
    with pytest.raises(ConditionError, match="deep"):
        read(f"{text}.lowerAscii() == 'a'")


@pytest.mark.parametrize("operator", [" && ", " || ", "+", "-", "*", "/"])
def test_a_chain_may_be_as_long_as_the_text(operator):
    word = "up" if operator in {" && ", " || "} else "1"
    count = (CONDITION_CHARACTERS_MAX - 6) // (len(word) + len(operator))
    text = operator.join([word] * count)

    assert verdict(text if word == "up" else f"{text} != 0.5", up=True) is True


def test_a_condition_is_so_long_and_no_longer():
    longest = "up || " * 166 + "true"

    assert len(longest) == CONDITION_CHARACTERS_MAX
    assert verdict(longest) is True
    with pytest.raises(ConditionError, match="at most 1,000 characters, and this one 1,001") as refused:
        read(f"{longest} ")
    assert refused.value.at == CONDITION_CHARACTERS_MAX
