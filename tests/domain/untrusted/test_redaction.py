"""What an owner declared secret is gone, and equal values stay equal."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cronicorn.domain.untrusted.redaction import REDACTED, Redaction, redacted_body, redacted_headers

KEY = b"0123456789abcdef"
SECRET = "tok-live-4711"


def redaction(*pointers, headers=()):
    return Redaction(body=pointers, headers=headers)


def test_a_value_is_replaced_and_the_rest_is_left():
    body = '{"user": {"email": "ada@example.com", "age": 36}, "status": "ok"}'

    shown = json.loads(redacted_body(body, redaction("/user/email"), KEY))

    assert shown["user"]["email"].startswith(REDACTED)
    assert shown == {"user": {"email": shown["user"]["email"], "age": 36}, "status": "ok"}


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"a": [{"token": SECRET}, {"token": SECRET}]}, "/a/*/token"),
        ({"a": [0, SECRET]}, "/a/1"),
        ({"a/b": {"c~d": SECRET}}, "/a~1b/c~0d"),
        ({"": SECRET}, "/"),
        ({"a": {"b": {"c": SECRET}}}, "/a"),
        ({"a": {"b": SECRET}}, "/*/b"),
        (SECRET, ""),
        ({"a": SECRET}, ""),
    ],
)
def test_a_pointer_reaches_its_value(body, pointer):
    shown = redacted_body(json.dumps(body), redaction(pointer), KEY)

    assert SECRET not in shown
    assert REDACTED in shown


@pytest.mark.parametrize("pointer", ["/nowhere", "/a/b", "/a/9", "/a/-1", "/a/x/y"])
def test_a_pointer_that_leads_nowhere_changes_nothing(pointer):
    body = '{"a":[1,2],"c":"ü"}'

    assert redacted_body(body, redaction(pointer), KEY) == body


@pytest.mark.parametrize(
    "body",
    [
        '{"token": "tok-live-4711", "cut": "by the lim',
        "token=tok-live-4711",
        '{"token": "tok-live-4711", "n": 1e999}',
        '{"token": "tok-live-4711", "n": ' + "9" * 5_000 + "}",
        '{"token": "tok-live-4711", "half": "\\ud800"}',
        '{"token": "tok-live-4711", "deep": ' + "[" * 100_000,
        '{"token": "tok-live-4711", "deep": ' + "[" * 100_000 + "]" * 100_000 + "}",
        "",
    ],
)
def test_a_body_that_can_not_be_read_is_secret_as_a_whole(body):
    shown = redacted_body(body, redaction("/token"), KEY)

    assert shown.startswith(REDACTED)
    assert SECRET not in shown


def test_of_a_key_that_comes_twice_neither_value_is_left():
    assert SECRET not in redacted_body(f'{{"token": "{SECRET}", "token": "x"}}', redaction("/token"), KEY)
    assert SECRET not in redacted_body(f'{{"token": "x", "token": "{SECRET}"}}', redaction("/token"), KEY)


def test_without_pointers_a_body_is_left_as_it_came():
    assert redacted_body("anything", redaction(), KEY) == "anything"


def test_a_value_that_claims_to_be_redacted_is_redacted():
    assert SECRET not in redacted_body(f'{{"a": "{REDACTED}{SECRET}"}}', redaction("/a"), KEY)


def test_one_pointer_may_lie_within_another():
    both = redacted_body('{"a": {"b": 1}}', redaction("/a/b", "/a"), KEY)

    assert set(json.loads(both)) == {"a"}
    assert json.loads(both)["a"].startswith(REDACTED)


@given(first=st.text(), second=st.text())
def test_equal_values_stay_equal_and_different_ones_different(first, second):
    one, other = (redacted_body(json.dumps({"a": value}), redaction("/a"), KEY) for value in (first, second))

    assert (one == other) == (first == second)


def test_a_hash_tells_nothing_without_the_key():
    one, other, none = (redacted_body('{"a": 1}', redaction("/a"), key) for key in (KEY, b"another-key-of-16", None))

    assert one != other
    assert none == f'{{"a":"{REDACTED}"}}' == redacted_body('{"a": 2}', redaction("/a"), None)


def test_headers_are_known_by_their_names_in_any_case():
    shown = redacted_headers(
        [("Set-Cookie", SECRET), ("set-cookie", "b"), ("Age", "3")], redaction(headers=("SET-COOKIE",)), KEY
    )

    assert [name for name, _ in shown] == ["Set-Cookie", "set-cookie", "Age"]
    assert [text.startswith(REDACTED) for _, text in shown] == [True, True, False]
    assert shown[0][1] != shown[1][1]
