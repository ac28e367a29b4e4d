"""Credentials in headers are never shown."""

import pytest

from cronicorn.domain.masking import MASK, masked, unmasked


@pytest.mark.parametrize(
    "header",
    [
        ("Authorization", "Bearer abc"),
        ("proxy-authorization", "Basic abc"),
        ("Cookie", "sid=1"),
        ("X-Api-Key", "abc"),
        ("X-Auth", "abc"),
        ("X-Shop-Token", "abc"),
        ("client-secret", "abc"),
        ("X-Password", "abc"),
        ("X-Signature", "abc"),
        ("X-Plain", "Bearer abc"),
        ("X-Plain", "eyJhbGciOi.eyJzdWIi.c2ln"),
        ("X-Plain", "sk_live_123"),
    ],
)
def test_a_credential_is_masked(header: tuple[str, str]) -> None:
    assert masked([header]) == ((header[0], MASK),)


@pytest.mark.parametrize("header", [("Accept", "text/html"), ("X-Region", "eu"), ("Content-Type", "application/json")])
def test_other_headers_are_shown(header: tuple[str, str]) -> None:
    assert masked([header]) == (header,)


def test_what_was_shown_may_be_sent_back() -> None:
    stored = (("Authorization", "Bearer abc"), ("X-Region", "eu"))

    assert unmasked(masked(stored), stored) == stored


def test_a_mask_takes_the_value_of_its_own_header_only() -> None:
    sent = (("authorization", MASK), ("X-Api-Key", MASK), ("X-Region", "us"))

    assert unmasked(sent, (("Authorization", "Bearer abc"),)) == (
        ("authorization", "Bearer abc"), ("X-Api-Key", MASK), ("X-Region", "us"),
    )  # fmt: skip
