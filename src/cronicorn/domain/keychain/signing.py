"""Signing a call, by Standard Webhooks 1.0 (https://www.standardwebhooks.com): over its id, instant and body. Pure."""

import base64
import binascii
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

KEY_MARK = "whsec_"
"""What a signing key begins with."""
KEY_BYTES = 32
KEY_PREFIX_LENGTH = len(KEY_MARK) + 6
"""By so many characters a person knows a key: those of 36 of its 256 bits."""

CALL_ID_HEADER = "webhook-id"
TIMESTAMP_HEADER = "webhook-timestamp"
SIGNATURE_HEADER = "webhook-signature"
PLAIN_TIMESTAMP_HEADER = "X-Cronicorn-Timestamp"
PLAIN_SIGNATURE_HEADER = "X-Cronicorn-Signature"
SIGNING_HEADERS = frozenset(
    name.lower()
    for name in (CALL_ID_HEADER, TIMESTAMP_HEADER, SIGNATURE_HEADER, PLAIN_TIMESTAMP_HEADER, PLAIN_SIGNATURE_HEADER)
)
"""In lower case. An owner's own headers of these names do not go out with a signed call."""


@dataclass(frozen=True, slots=True)
class SigningSecret:
    """A signing key, ready to sign."""

    text: bytes = field(repr=False)
    """As its owner was shown it."""
    key: bytes = field(repr=False)
    """What it stands for."""

    @classmethod
    def of(cls, text: bytes) -> Self:
        """Read what `signing_key_text` wrote. Raises ValueError for anything else."""
        try:
            return cls(text, base64.b64decode(text.removeprefix(KEY_MARK.encode()), validate=True))
        except binascii.Error:
            raise ValueError("not a signing key") from None


def signing_key_text(key: bytes) -> str:
    """*key* as its owner is shown it: `whsec_` and base64."""
    return KEY_MARK + base64.b64encode(key).decode()


def signing_headers(
    secrets: Sequence[SigningSecret], call_id: str, timestamp: int, body: bytes, *, plain: bool
) -> Mapping[str, str]:
    """The headers that sign a call made at *timestamp*, in seconds since 1970, with all of *secrets*.

    With *plain* also those of the older form, over instant and body, with the text of the first secret alone.
    """
    signed = f"{call_id}.{timestamp}.".encode() + body
    headers = {
        CALL_ID_HEADER: call_id,
        TIMESTAMP_HEADER: str(timestamp),
        SIGNATURE_HEADER: " ".join(_signature(secret, signed) for secret in secrets),
    }
    if plain:
        digest = hmac.digest(secrets[0].text, f"{timestamp}.".encode() + body, "sha256")
        headers |= {PLAIN_TIMESTAMP_HEADER: str(timestamp), PLAIN_SIGNATURE_HEADER: f"sha256={digest.hex()}"}
    return headers


def _signature(secret: SigningSecret, signed: bytes) -> str:
    return "v1," + binascii.b2a_base64(hmac.digest(secret.key, signed, "sha256"), newline=False).decode()
