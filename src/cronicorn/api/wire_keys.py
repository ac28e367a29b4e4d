"""API keys on the wire. A key itself is answered once, to whoever makes it."""

from collections.abc import Sequence

from cronicorn.api.wire_values import Answer, Instant, Omittable
from cronicorn.control.keys import NewKey
from cronicorn.domain.permission import Permission, Role
from cronicorn.domain.tenant import ApiKey


class KeyAnswer(Answer):
    """What is known of an API key."""

    id: str
    name: str
    prefix: str
    role: Role
    scopes: Omittable[list[Permission]] = None
    agent: bool
    runs_installation: bool
    requests_per_minute: Omittable[int] = None
    created_at: Instant
    expires_at: Omittable[Instant] = None
    last_used_at: Omittable[Instant] = None
    revoked_at: Omittable[Instant] = None


class KeysAnswer(Answer):
    """API keys, newest first."""

    keys: list[KeyAnswer]


class NewKeyAnswer(KeyAnswer):
    """A new API key, which nobody can read again."""

    key: str


def key_answer(key: ApiKey) -> KeyAnswer:
    """*key* on the wire."""
    return KeyAnswer(
        id=key.id, name=key.name, prefix=key.prefix, role=key.role,
        scopes=sorted(key.scopes) if key.scopes is not None else None, agent=key.agent,
        runs_installation=key.runs_installation, requests_per_minute=key.rate, created_at=key.created_at,
        expires_at=key.expires_at, last_used_at=key.used_at, revoked_at=key.revoked_at,
    )  # fmt: skip


def keys_answer(keys: Sequence[ApiKey]) -> KeysAnswer:
    """*keys* on the wire."""
    return KeysAnswer(keys=[key_answer(key) for key in keys])


def new_key_answer(made: NewKey) -> NewKeyAnswer:
    """A new key on the wire, with its text."""
    return NewKeyAnswer(**dict(key_answer(made.key)), key=made.text)
