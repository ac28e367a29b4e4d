"""The `auth` of a request: which header its calls carry, and where the token in it comes from. Pure.

Stored, its credentials are references to secrets; in a call that is about to be made they are filled in.
"""

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import lru_cache

from cronicorn.domain.secret_references import filled, named_in

AUTHORIZATION = "Authorization"
PARAMETERS_MAX = 20
"""So many parameters a request for a token may have beside those of the standard."""
TEXT_LENGTH_MAX = 2_048
"""No text of an `auth` is longer, but for its URL."""

_REMEMBERED = 1_024


class AuthKind(StrEnum):
    """How calls say who they are."""

    BEARER = "bearer"
    """By a token that the owner keeps as a secret (RFC 6750)."""
    BASIC = "basic"
    """By a user name and a password (RFC 7617)."""
    OAUTH2 = "oauth2"
    """By a token that a token endpoint gives to a client for its credentials (RFC 6749, 4.4)."""


class ClientAuth(StrEnum):
    """Where a client's id and secret stand in a request for a token (RFC 6749, 2.3.1)."""

    BASIC = "basic"
    BODY = "body"


@dataclass(frozen=True, slots=True, kw_only=True)
class BearerAuth:
    """A token that does not change by itself."""

    token: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class BasicAuth:
    """A user name and a password; some servers take a key as one of them and nothing as the other."""

    username: str = field(repr=False)
    password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientCredentials:
    """What a client is given tokens for."""

    token_url: str
    client_id: str = field(repr=False)
    client_secret: str = field(repr=False)
    client_auth: ClientAuth = ClientAuth.BASIC
    scope: str | None = None
    parameters: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """What a token endpoint wants beyond the standard, such as an audience or a resource (RFC 8707)."""


Auth = BearerAuth | BasicAuth | ClientCredentials


@lru_cache(_REMEMBERED)
def named_in_auth(auth: Auth) -> frozenset[str]:
    """The secrets that *auth* names."""
    found: set[str] = set()

    def look(text: str) -> str:
        found.update(named_in(text))
        return text

    _changed(auth, look)
    return frozenset(found)


def filled_auth(auth: Auth, secrets: Mapping[str, str]) -> Auth:
    """*auth* with *secrets* in the place of their references. Raises KeyError with the name of one that is missing."""
    return _changed(auth, lambda text: filled(text, secrets))


def bearer(token: str) -> str:
    """What the header says of a *token*."""
    return f"Bearer {token}"


def basic(username: str, password: str) -> str:
    """What the header says of a user name and a password: both in base64, as UTF-8 (RFC 7617, 2.1)."""
    return "Basic " + base64.b64encode(f"{username}:{password}".encode("utf-8", "surrogatepass")).decode()


def _changed(auth: Auth, change: Callable[[str], str]) -> Auth:
    """*auth* with what *change* makes of each text that may name a secret."""
    match auth:
        case BearerAuth():
            return replace(auth, token=change(auth.token))
        case BasicAuth():
            return replace(auth, username=change(auth.username), password=change(auth.password))
        case ClientCredentials():
            return replace(
                auth,
                client_id=change(auth.client_id),
                client_secret=change(auth.client_secret),
                parameters=tuple((name, change(value)) for name, value in auth.parameters),
            )
