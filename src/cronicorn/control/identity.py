"""Identities: names that nobody can guess and nobody else has."""

import re
import secrets
from collections.abc import Callable

from cronicorn.domain.errors import NotFoundError
from cronicorn.domain.keychain.signing import KEY_BYTES

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}(?::[0-9]{1,18}:[0-9]{1,9})?")

NewId = Callable[[str], str]
"""Makes the id of a new job, endpoint, key or tenant, from a word for its kind. Ids hold no colon."""


def random_id(kind: str) -> str:
    """`<kind>_` and 120 random bits, in letters and digits that survive URLs, logs and double clicks."""
    return f"{kind}_{secrets.token_hex(15)}"


def random_key() -> str:
    """A new API key: `ck_` and 256 random bits."""
    return f"ck_{secrets.token_hex(32)}"


def random_signing_key() -> bytes:
    """A new key to sign calls with: 256 random bits."""
    return secrets.token_bytes(KEY_BYTES)


def random_password() -> str:
    """A new password: 96 random bits, in letters and digits."""
    return secrets.token_hex(12)


def random_session() -> str:
    """What a browser shows to stay signed in: `cs_` and 256 random bits."""
    return f"cs_{secrets.token_hex(32)}"


def random_link() -> str:
    """What a link shows that signs in once: `cl_` and 256 random bits."""
    return f"cl_{secrets.token_hex(32)}"


def possible_id(text: str) -> str:
    """*text*, if it can be the id of something: nothing else ever reaches a store. Raises NotFoundError."""
    if _ID.fullmatch(text) is None:
        raise NotFoundError("There is nothing with this id.")
    return text
