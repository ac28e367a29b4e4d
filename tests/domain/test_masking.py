"""Credentials in headers are never shown."""

import pytest

from cronicorn.domain.masking import MASK, looks_secret, masked, secrets_of, unmasked, without_credentials


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


@pytest.mark.parametrize(
    "credential",
    [
        "Bearer sekrit-token",
        "bearer abcdefgh1234",
        "Basic dXNlcjpwYXNz==",
        "sk-proj-abcdefgh12345",
        "sk_live_abcdefgh",
        "ghp_abcdefghijklmnop1234",
        "github_pat_11ABCDEFG0",
        "AKIAIOSFODNN7EXAMPLE",
        "xoxb-1234567890-abc",
        "eyJhbGciOi.eyJzdWIi.c2ln",
        "AIzaSyA1234567890abcdefghijklmnopqrstuv",
        "npm_abcdefghijklmnopqrstuvwxyz0123456789",
        "SG.abcdefghijklmnopqrstuv.abcdefghijklmnopqrstuvwxyz01234567890abcdefg",
        "hf_abcdefghijklmnopqrstuvwxyzabcdef",
        "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nMIIEow\n-----END RSA PRIVATE KEY-----",
    ],
)
def test_a_credential_within_a_text_is_masked(credential: str) -> None:
    text = f"Called with {credential}, and refused."

    assert without_credentials(text) == f"Called with {MASK}, and refused."
    assert looks_secret("X-Plain", text)


def test_a_password_in_an_address_within_a_text_is_masked() -> None:
    assert without_credentials("No postgres://me:swordfish@db/x here.") == f"No postgres://{MASK}@db/x here."


@pytest.mark.parametrize("name", ["pass", "db_pwd", "userPin", "pinCode", "OTP", "csrf", "sig", "x-xsrf", "/a/pwd"])
def test_a_name_with_a_secret_word_is_that_of_a_secret(name: str) -> None:
    assert looks_secret(name, "x")


@pytest.mark.parametrize(
    "name", ["spin", "pinned", "passed", "passing", "signal", "design", "SPIN", "opinion", "Sigma"]
)
def test_a_name_with_such_a_word_only_within_another_is_not(name: str) -> None:
    assert not looks_secret(name, "x")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("GET /x?access_token=ya29.A0A&page=2 failed", f"GET /x?access_token={MASK}&page=2 failed"),
        ("note: token=tk9f8e", f"note: token={MASK}"),
        ("password: hunter2, and so on", f"password: {MASK}, and so on"),
        ("Server=x;User Id=a;Password=MyP4ss;Port=1", f"Server=x;User Id=a;Password={MASK};Port=1"),
        ("Set-Cookie: sid=9f8e; Path=/\nDate: now", f"Set-Cookie: {MASK}\nDate: now"),
        ("Authorization: Custom swordfish", f"Authorization: {MASK}"),
        ('{"password": "two words", "n": 1}', f'{{"password": "{MASK}", "n": 1}}'),
        ("pwd => 'x y'", f"pwd => '{MASK}'"),
    ],
)
def test_a_value_that_is_named_within_a_text_is_masked(text: str, shown: str) -> None:
    assert without_credentials(text) == shown
    assert without_credentials(shown) == shown


@pytest.mark.parametrize(
    "text", ["a" * 200_000, "token" * 40_000, "-----BEGIN PRIVATE KEY-----" * 8_000, "pin=" * 50_000, "SG." * 60_000,
             'key"  : ' * 25_000, "-" * 200_000, "basic " * 30_000, "://" * 60_000, "://a:" * 40_000, "eyJ-" * 30_000],
)  # fmt: skip
def test_a_long_text_takes_no_longer_than_its_length_asks(text: str) -> None:
    without_credentials(text)
    looks_secret(text, text)


@pytest.mark.parametrize(
    "text", ["Basic authentication failed.", "The task-force is bearer of news.", "At 10:30 @home"]
)
def test_prose_is_no_credential(text: str) -> None:
    assert without_credentials(text) == text


def test_secrets_of_a_request_are_those_of_its_headers_and_its_address() -> None:
    url = "https://me:passw0rd@shop.example/?page=10000000&api_key=a%20secret%2B1&token=abc"
    headers = [("Authorization", "Custom swordfish"), ("Accept", "application/json"), ("X-Api-Key", " 4711-4711 ")]

    found = secrets_of(url, headers)

    assert found == ("Custom swordfish", "a%20secret%2B1", "a secret+1", "4711-4711", "swordfish", "passw0rd")
    assert without_credentials("It was swordfish and a secret+1.", found) == f"It was {MASK} and {MASK}."


def test_what_was_shown_may_be_sent_back() -> None:
    stored = (("Authorization", "Bearer abc"), ("X-Region", "eu"))

    assert unmasked(masked(stored), stored) == stored


def test_a_mask_takes_the_value_of_its_own_header_only() -> None:
    sent = (("authorization", MASK), ("X-Api-Key", MASK), ("X-Region", "us"))

    assert unmasked(sent, (("Authorization", "Bearer abc"),)) == (
        ("authorization", "Bearer abc"), ("X-Api-Key", MASK), ("X-Region", "us"),
    )  # fmt: skip
