"""Bodies as JSON, and what counts as a number in them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cronicorn.domain.fixtures import an_outcome
from cronicorn.domain.json_body import ABSENT, Json, number_of, parsed


def _parsed(body: str | None) -> Json:
    return parsed(an_outcome(body=body, body_is_json=True))


@pytest.mark.parametrize(
    ("body", "value"),
    [
        ('{"a": [1, 2.5, "x", true, null]}', {"a": [1, 2.5, "x", True, None]}),
        ('{"a": 1, "a": 2}', {"a": 2}),
        ('"\\ud83d\\ude00"', "\U0001f600"),
        ("null", None),
        ("123456789012345678901234567890", 123456789012345678901234567890),
    ],
)
def test_a_body_is_read(body: str, value: Json) -> None:
    assert _parsed(body) == value


@pytest.mark.parametrize(
    "body",
    [
        None, "", "{", "NaN", "[Infinity]", '{"a": -Infinity}', "9" * 5_000, "[" * 100_000, "[" * 50_000 + "]" * 50_000,
        '"\\ud800"', '{"\\uDC00": 1}', '["\ud800"]', "\ufeff{}",
    ],
)  # fmt: skip
def test_what_others_could_not_read_is_absent(body: str | None) -> None:
    assert _parsed(body) is ABSENT


def test_a_body_that_was_cut_or_is_not_json_is_absent() -> None:
    assert parsed(an_outcome(body="{}", body_is_json=True, body_truncated=True)) is ABSENT
    assert parsed(an_outcome(body="{}", body_is_json=False)) is ABSENT


@given(st.text())
def test_no_body_breaks_the_reader(body: str) -> None:
    value = _parsed(body)

    assert value is ABSENT or json.dumps(value, ensure_ascii=False).encode()


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (8, 8.0), (8.5, 8.5), ("8.5", 8.5), ("-3e2", -300.0), ("+1", 1.0), (True, None), (None, None), ("", None),
        ("8.5%", None), ("NaN", None), ("inf", None), ("1_000", None), (" 1", None), ("\u0661", None), ("1e999", None),
        ("9" * 1_000, None), (10**400, None), (float("nan"), None), (float("inf"), None), ([1], None), (ABSENT, None),
    ],
)  # fmt: skip
def test_a_number_or_its_text_is_a_number(value: Json, number: float | None) -> None:
    assert number_of(value) == number
