"""Signing keys on the wire."""

from datetime import datetime

from cronicorn.api.wire_values import Answer, Instant, Omittable
from cronicorn.control.signing_keys import NewSigningKey
from cronicorn.domain.keychain.keychain import SigningKey


class OlderKeyAnswer(Answer):
    """A signing key that another took the place of, and that goes on signing for a while."""

    key_prefix: str
    created_at: Instant
    rotated_at: Omittable[Instant] = None
    until: Instant


class SigningKeyAnswer(Answer):
    """Whether calls are signed, and by which key people know that they are."""

    has_key: bool
    key_prefix: str | None
    created_at: Instant | None
    rotated_at: Instant | None
    older_keys: list[OlderKeyAnswer]


class NewSigningKeyAnswer(Answer):
    """A signing key, shown this once."""

    raw_key: str
    key_prefix: str


def signing_key_answer(keys: tuple[SigningKey, ...]) -> SigningKeyAnswer:
    """The *keys* that sign, the newest first, on the wire."""
    newest = keys[0] if keys else None
    return SigningKeyAnswer(
        has_key=newest is not None,
        key_prefix=newest.prefix if newest is not None else None,
        created_at=newest.created_at if newest is not None else None,
        rotated_at=newest.rotated_at if newest is not None else None,
        older_keys=[_older(key, key.until) for key in keys if key.until is not None],
    )


def _older(key: SigningKey, until: datetime) -> OlderKeyAnswer:
    return OlderKeyAnswer(key_prefix=key.prefix, created_at=key.created_at, rotated_at=key.rotated_at, until=until)


def new_signing_key_answer(made: NewSigningKey) -> NewSigningKeyAnswer:
    """*made* on the wire."""
    return NewSigningKeyAnswer(raw_key=made.text, key_prefix=made.key.prefix)
