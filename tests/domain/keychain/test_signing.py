"""Receivers that follow Standard Webhooks accept what is signed here, and nothing else."""

import hashlib
import hmac
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from cronicorn.domain.keychain.signing import SigningSecret, signing_headers, signing_key_text

KEY, OTHER = signing_key_text(bytes(range(32))), signing_key_text(b"\xff" * 32)
NOW = int(datetime.now(UTC).timestamp())  # noqa: TID251 - the judge reads the clock
BODY = b'{"total":12.5}'


def secrets(*texts):
    return [SigningSecret.of(text.encode()) for text in texts]


def signed(*texts, body=BODY, plain=False, at=NOW):
    return signing_headers(secrets(*texts), "ep_1:7", at, body, plain=plain)


@given(st.recursive(st.text() | st.integers() | st.none(), st.lists))
def test_the_reference_verifier_accepts_what_is_signed(value):
    body = json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")

    assert Webhook(KEY).verify(body, dict(signed(KEY, body=body))) == json.loads(body)


def test_during_an_overlap_receivers_with_either_key_accept_it():
    headers = dict(signed(OTHER, KEY))

    for key in (KEY, OTHER):
        Webhook(key).verify(BODY, headers)
    assert len(headers["webhook-signature"].split()) == 2


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (signed(KEY), b'{"total":99}'),
        (signed(OTHER), BODY),
        ({**signed(KEY), "webhook-id": "ep_1:8"}, BODY),
        ({**signed(KEY), "webhook-timestamp": str(NOW - 1)}, BODY),
        (signed(KEY, at=NOW - 301), BODY),
        (signed(KEY, at=NOW + 330), BODY),
    ],
)
def test_what_was_changed_or_is_old_is_refused(headers, body):
    with pytest.raises(WebhookVerificationError):
        Webhook(KEY).verify(body, dict(headers))


def test_the_older_form_signs_instant_and_body_with_the_text_of_the_newest_key():
    headers = signed(OTHER, KEY, plain=True)

    expected = hmac.new(OTHER.encode(), f"{NOW}.".encode() + BODY, hashlib.sha256).hexdigest()
    assert headers["X-Cronicorn-Signature"] == f"sha256={expected}"
    assert headers["X-Cronicorn-Timestamp"] == str(NOW)
    assert not any(name.startswith("X-") for name in signed(KEY))


def test_a_key_shows_itself_in_no_representation():
    [secret] = secrets(KEY)

    assert KEY[6:] not in repr(secret)
    assert repr(bytes(range(32))) not in repr(secret)


def test_what_is_no_key_is_refused():
    with pytest.raises(ValueError, match="not a signing key"):
        SigningSecret.of(b"whsec_%%%")
