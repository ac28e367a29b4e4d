"""Structured fields (RFC 9651), as far as signals read them."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cronicorn.domain.signals.structured import FIELD_CHARACTERS_MAX, Bare, dictionary_of, items_of


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("42", 42),
        ("-0", 0),
        ("-999999999999999", -999_999_999_999_999),
        ("4.5", 4.5),
        ("-0.125", -0.125),
        ('"hello \\"world\\" \\\\"', 'hello "world" \\'),
        ('""', ""),
        ("foo123/456", "foo123/456"),
        ("*x:y", "*x:y"),
        ("?1", True),
        ("?0", False),
        (":cHJldGVuZA==:", b"cHJldGVuZA=="),
        ("@1659578233", datetime(2022, 8, 4, 1, 57, 13, tzinfo=UTC)),
    ],
)
def test_a_bare_item_is_read(text: str, value: Bare) -> None:
    items = items_of(text)

    assert items is not None
    assert [(item.value, type(item.value)) for item in items] == [(value, type(value))]


@pytest.mark.parametrize(
    "text",
    [
        "1000000000000000", "1.", ".5", "1.2345", "1234567890123.1", "--1", "1.2.3", '"open', '"\\n"', '"\t"', '"ü"',
        "?2", "? 1", "@1.5", "@999999999999999", ":=", ":a b:", "(1 2)", '%"x"', "a,", ",a", "a b", "a;B=1", "a;=1",
        "a; ", "a;b=", "a,,b", "\u0661",
    ],
)  # fmt: skip
def test_what_breaks_the_grammar_is_no_field(text: str) -> None:
    assert items_of(text) is None


def test_members_and_parameters_are_told_apart() -> None:
    items = items_of('  sugar , "tea";q=0.5 ; fresh')

    assert items is None
    assert items_of('  sugar\t, "tea";q=0.5; fresh;q=1') == (("sugar", {}), ("tea", {"fresh": True, "q": 1}))


def test_the_last_of_two_members_with_one_key_counts() -> None:
    assert dictionary_of("a=1, b;x=2, a=3;y") == {"a": (3, {"y": True}), "b": (True, {"x": 2})}
    assert dictionary_of("A=1") is None


def test_an_empty_field_has_no_members_and_a_long_one_is_not_read() -> None:
    assert items_of("") == ()
    assert items_of("a" * FIELD_CHARACTERS_MAX) is not None
    assert items_of("a" * (FIELD_CHARACTERS_MAX + 1)) is None


@given(st.one_of(st.text(), st.text('abz019=;,"\\ \t:?@*.-()')))
def test_no_text_breaks_the_reader(text: str) -> None:
    items, members = items_of(text), dictionary_of(text)

    assert items is None or all(isinstance(item.parameters, dict) for item in items)
    assert members is None or all(key[0].islower() or key[0] == "*" for key in members)
