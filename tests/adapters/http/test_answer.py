"""Bytes of any kind become text that any store can hold, and JSON is known when it is JSON."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cronicorn.adapters.http.answer import HEADER_BYTES_KEPT, JSON_DEPTH_MAX, cut, headers_of, is_json, text_of
from cronicorn.domain.call import Outcome
from tests.adapters.http.loopback import always, answering, call_of, dispatching, serving


async def outcome_of_body(body: bytes, content_type: str | None = None, *, bytes_max: int = 65_536) -> Outcome:
    headers = () if content_type is None else (f"Content-Type: {content_type}",)
    async with serving(always(answering(body, *headers))) as server, dispatching() as dispatcher:
        return await dispatcher.dispatch(call_of(server.url(), bytes_max=bytes_max))


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "text/html; charset=utf-8", "", None])
async def test_json_is_json_whatever_it_is_called(content_type: str | None) -> None:
    outcome = await outcome_of_body(b' {"calm": [1, null]}\n', content_type)

    assert (outcome.body, outcome.body_is_json) == (' {"calm": [1, null]}\n', True)


async def test_what_is_only_called_json_is_text() -> None:
    outcome = await outcome_of_body(b"<html>", "application/json")

    assert (outcome.body, outcome.body_is_json) == ("<html>", False)


async def test_an_empty_body_is_none() -> None:
    assert (await outcome_of_body(b"")).body is None


async def test_json_that_is_cut_is_text() -> None:
    outcome = await outcome_of_body(b"[1, 2, 3]", bytes_max=6)

    assert (outcome.body, outcome.body_is_json, outcome.body_truncated) == ("[1, 2,", False, True)


async def test_a_body_that_grows_as_text_is_cut_again() -> None:
    outcome = await outcome_of_body(b"\xff" * 100, bytes_max=100)

    assert (outcome.body, outcome.body_truncated) == ("\ufffd" * 33, True)


@pytest.mark.parametrize(
    ("body", "content_type", "text"),
    [
        (b"a\0b", None, "a\ufffdb"),
        (b"\xfa\xfb\xfc", None, "\ufffd\ufffd\ufffd"),
        (b"\xff\xfea\0", None, "a"),
        (b"a\0", "text/plain; charset=utf-16", "a"),
        ("grün".encode(), None, "grün"),
        (b"gr\xfcn", "text/plain; charset=ISO-8859-1", "grün"),
        (b"\x80", 'text/plain; charset="windows-1252"', "€"),
        ("grün".encode("utf-16"), "text/plain;charset=utf-16", "grün"),
        ("日本".encode("shift_jis"), "text/html; charset=Shift_JIS", "日本"),
        ("grün".encode(), "text/plain; charset=klingon", "grün"),
        (b"+AGE-", "text/plain; charset=utf-7", "+AGE-"),
        (b"xn--", "text/plain; charset=idna", "xn--"),
        (b"\\u0041", "text/plain; charset=unicode_escape", "\\u0041"),
        (b"\xef\xbb\xbf{}", "application/json; charset=latin1", "{}"),
    ],
)
def test_text_is_read_in_its_encoding(body: bytes, content_type: str | None, text: str) -> None:
    assert text_of(body, content_type, whole=True) == text


def test_half_a_letter_at_the_cut_is_left_out() -> None:
    assert text_of("grü".encode()[:3], None, whole=False) == "gr"


@pytest.mark.parametrize(
    "text", ["{}", "[]", '"x"', "1", "-1.5e3", "true", "false", "null", " [1]\r\n", '{"a": "\\u0000"}']
)
def test_json_of_every_kind_is_known(text: str) -> None:
    assert is_json(text)


@pytest.mark.parametrize(
    "text", ["", " ", "{", "[1,]", "NaN", "Infinity", "'x'", "{} {}", "nullx", "\ufeff{}", "[\ufffd]", "ok"]
)
def test_what_is_not_json_is_not(text: str) -> None:
    assert not is_json(text)


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("[" * JSON_DEPTH_MAX + "]" * JSON_DEPTH_MAX, True),
        ("[" * JSON_DEPTH_MAX + "1" + "]" * JSON_DEPTH_MAX, True),
        ("[" * (JSON_DEPTH_MAX + 1) + "]" * (JSON_DEPTH_MAX + 1), False),
        ('{"a":' * (JSON_DEPTH_MAX + 1) + "1" + "}" * (JSON_DEPTH_MAX + 1), False),
        ("[" * 100_000, False),
        ("[" * 100_000 + "]" * 100_000, False),
        ('{"a":' * 50_000 + "1" + "}" * 50_000, False),
        ("[" + "[],[]," * 1_000 + "[]]", True),
        ('"' + "[" * 1_000 + '"', True),
    ],
    ids=[
        "at the limit",
        "with a value",
        "beyond",
        "objects beyond",
        "open",
        "abyss",
        "deep objects",
        "wide",
        "in a string",
    ],
)
def test_json_that_is_nested_too_deep_is_text(text: str, known: bool) -> None:  # noqa: FBT001
    assert is_json(text) is known


@given(
    st.binary(max_size=200), st.sampled_from([None, "a/b; charset=utf-16", "a/b; charset=gb18030", "a/b;charset=big5"])
)
def test_any_bytes_become_text_that_can_be_stored(body: bytes, content_type: str | None) -> None:
    for whole in (True, False):
        text = text_of(body, content_type, whole=whole)
        assert "\0" not in text
        assert len(cut(text, 100).encode()) <= 100


@pytest.mark.parametrize(
    ("lines", "headers"),
    [
        ([b"A: b", b"a:c ", b"X:"], (("a", "b"), ("a", "c"), ("x", ""))),
        ([b"A: b", b" folded", b"\tmore"], (("a", "b folded more"),)),
        ([b" no header to fold into", b"nonsense", b": nameless", b"A: b"], (("a", "b"),)),
        ([b"A: gr\xc3\xbcn", b"B: gr\xfcn"], (("a", "grün"), ("b", "grün"))),
        ([b"A: " + b"x" * HEADER_BYTES_KEPT], ()),
    ],
)
def test_header_lines_become_headers(lines: list[bytes], headers: tuple[tuple[str, str], ...]) -> None:
    assert headers_of(lines) == headers
