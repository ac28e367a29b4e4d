"""What a token endpoint is asked for, and what of its answers is a token."""

import base64
import json
from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qsl

import pytest

from cronicorn.domain.auth import BasicAuth, BearerAuth, ClientAuth, ClientCredentials, filled_auth, named_in_auth
from cronicorn.domain.call import Method, Outcome, OutcomeKind
from cronicorn.domain.token_requests import (
    ANSWER_BYTES_MAX,
    LIFETIME_MAX,
    LIFETIME_USUAL,
    TOKEN_LENGTH_MAX,
    GivenToken,
    token_call,
    token_in,
)

CLIENT = ClientCredentials(
    token_url="https://id.example/token", client_id="shop:1", client_secret="s3cret+ü/4711", scope="read write",
    parameters=(("audience", "https://api.example/?a=b&c"), ("resource", "urn:x")),
)  # fmt: skip
GIVEN = {"access_token": "tok-4711", "token_type": "Bearer", "expires_in": 3600}
TIMEOUT = timedelta(seconds=9)


def answer(body=None, status=200, **changes):
    text = body if isinstance(body, str) else json.dumps(GIVEN if body is None else body)
    outcome = Outcome(
        kind=OutcomeKind.RESPONDED,
        duration=TIMEOUT,
        status_code=status,
        body=text,
        body_is_json=not text.startswith("<"),
    )
    return outcome._replace(**changes)


@pytest.mark.parametrize("where", ClientAuth)
def test_a_client_asks_as_the_standard_has_it(where):
    call = token_call("t1", replace(CLIENT, client_auth=where), TIMEOUT)

    assert call.body is not None
    form = dict(parse_qsl(call.body.decode(), strict_parsing=True))
    credentials = {"client_id": "shop:1", "client_secret": "s3cret+ü/4711"}
    asked = {"grant_type": "client_credentials", "scope": "read write", **dict(CLIENT.parameters)}
    assert (call.method, call.url, call.tenant_id, call.timeout) == (Method.POST, CLIENT.token_url, "t1", TIMEOUT)
    assert call.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert call.redirects_max == 0
    assert call.response_bytes_max == ANSWER_BYTES_MAX
    if where is ClientAuth.BODY:
        assert form == asked | credentials
        assert "Authorization" not in call.headers
    else:
        assert form == asked
        word, encoded = call.headers["Authorization"].split()
        assert (word, base64.b64decode(encoded)) == ("Basic", b"shop%3A1:s3cret%2B%C3%BC%2F4711")


@pytest.mark.parametrize(
    ("said", "lifetime"),
    [
        (3600, timedelta(hours=1)), ("3600", timedelta(hours=1)), (0.5, timedelta(seconds=0.5)), (0, timedelta(0)),
        (-5, timedelta(0)), (10**400, LIFETIME_MAX), ("9" * 5_000, LIFETIME_USUAL), (None, LIFETIME_USUAL),
        (True, LIFETIME_USUAL), (float("nan"), LIFETIME_USUAL), (float("inf"), LIFETIME_MAX),
        ("soon", LIFETIME_USUAL), ([], LIFETIME_USUAL),
    ],
)  # fmt: skip
def test_a_token_lives_as_long_as_its_answer_says_within_bounds(said, lifetime):
    assert token_in(answer(GIVEN | {"expires_in": said})) == GivenToken("tok-4711", lifetime)


@pytest.mark.parametrize("kind", ["bearer", "BEARER", None])
def test_a_type_is_bearer_in_any_spelling_or_left_out(kind):
    said = {name: value for name, value in (GIVEN | {"token_type": kind}).items() if value is not None}

    assert isinstance(token_in(answer(said)), GivenToken)


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        (answer(status=500), "answered with 500."),
        (answer({"error": "invalid_client"}, 401), "answered with 401, invalid_client."),
        (answer({"error": "s3cret+ü/4711", "error_description": "s3cret+ü/4711"}, 400), "answered with 400."),
        (answer({"error": ["invalid_client"]}, 400), "answered with 400."),
        (answer(status=302), "a redirect"),
        (answer(body_truncated=True, body_is_json=False), "longer than 64 KiB"),
        (answer("<html>s3cret+ü/4711</html>"), "no JSON object"),
        (answer("[]"), "no JSON object"),
        (answer(f'{{"access_token": "tok-4711", "expires_in": {"9" * 5_000}}}'), "no JSON object"),
        (answer(body_is_json=False), "no JSON object"),
        (Outcome(kind=OutcomeKind.RESPONDED, duration=TIMEOUT, status_code=204), "no JSON object"),
        (answer({}), "no access_token"),
        (answer({"access_token": 4711}), "no access_token"),
        (answer(GIVEN | {"access_token": ""}), "can't be sent"),
        (answer(GIVEN | {"access_token": "tiny"}), "can't be sent"),
        (answer(GIVEN | {"access_token": "tok-4711\r\nX-Evil: 1"}), "can't be sent"),
        (answer(GIVEN | {"access_token": "tok 4711"}), "can't be sent"),
        (answer(GIVEN | {"access_token": "tök-4711"}), "can't be sent"),
        (answer(GIVEN | {"access_token": "x" * (TOKEN_LENGTH_MAX + 1)}), "can't be sent"),
        (answer(GIVEN | {"token_type": "mac"}), "not Bearer"),
        (answer(GIVEN | {"token_type": 5}), "not Bearer"),
        (Outcome(kind=OutcomeKind.REFUSED, duration=TIMEOUT, error="10.0.0.1 may not be called."), "may not be called"),
        (Outcome(kind=OutcomeKind.TIMED_OUT, duration=TIMEOUT), "timed_out"),
    ],
)
def test_anything_else_is_no_token_and_nothing_of_it_is_repeated(outcome, said):
    why = token_in(outcome)

    assert isinstance(why, str)
    assert said in why
    assert "4711" not in why


@pytest.mark.parametrize(
    ("auth", "names", "filled"),
    [
        (BearerAuth(token="{{secret.a}}"), {"a"}, BearerAuth(token="A-text")),
        (
            BasicAuth(username="{{secret.a}}", password="{{secret.b}}"), {"a", "b"},
            BasicAuth(username="A-text", password="B-text"),
        ),
        (
            replace(
                CLIENT, client_id="{{secret.a}}", client_secret="{{ secret.b }}", parameters=(("x", "{{secret.c}}"),)
            ),
            {"a", "b", "c"},
            replace(CLIENT, client_id="A-text", client_secret="B-text", parameters=(("x", "C-text"),)),
        ),
    ],
)  # fmt: skip
def test_an_auth_names_secrets_until_it_is_filled_and_shows_none_of_them(auth, names, filled):
    given = filled_auth(auth, {"a": "A-text", "b": "B-text", "c": "C-text"})

    assert named_in_auth(auth) == names
    assert given == filled
    assert "-text" not in repr(given)
