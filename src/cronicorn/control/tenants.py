"""Tenants and their API keys. A key is shown once, when it is made; only its SHA-256 hash is kept."""

import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass

from cronicorn.control.findings import refused
from cronicorn.control.identity import NewId
from cronicorn.domain.errors import ConflictError, UnauthenticatedError
from cronicorn.domain.ports import Clock, KeyRing
from cronicorn.domain.principal import ActorKind, Principal
from cronicorn.domain.tenant import ApiKey, Tenant

FIRST_TENANT = "default"
KEY_LENGTH_SAFE = 16
"""A shorter key can be guessed: it is accepted, since the owner of the machine chose it, and warned of."""
KEY_LENGTH_MAX = 256
PREFIX_LENGTH = 8
KEY_ACTOR = "an API key"
"""Who asked, where a key did: no part of it is kept with what was asked, nor told to a model."""
NAME_LENGTH_MAX = 255

_KEY = re.compile(r"[\x21-\x7e]+")
_UNKNOWN = "No valid API key: send one as `x-api-key: KEY` or `Authorization: Bearer KEY`."


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTenant:
    """A tenant and its first key, which nobody can read again."""

    tenant: Tenant
    key: str


class Tenants:
    """Who may ask, and for whom."""

    def __init__(self, ring: KeyRing, clock: Clock, new_id: NewId, new_key: Callable[[], str]) -> None:
        self._ring = ring
        self._clock = clock
        self._new_id = new_id
        self._new_key = new_key

    async def add(self, principal: Principal, name: str) -> NewTenant:
        """Add a tenant with its first key. Only for a person at the machine.

        Raises UnauthenticatedError for anybody else, InvalidInputError for a bad name, ConflictError for a taken one.
        """
        if principal.kind is not ActorKind.LOCAL:
            raise UnauthenticatedError("Tenants are added on the machine itself: `cronicorn tenant add NAME`.")
        if not name.isprintable() or not name.strip() or len(name) > NAME_LENGTH_MAX:
            raise refused("/name", f"Give the tenant a name of 1 to {NAME_LENGTH_MAX} printable characters.")
        return await self._add(name, self._new_key())

    async def bootstrap(self, key: str | None) -> str | None:
        """Make sure that somebody can ask: the first tenant exists, and *key*, if given, opens it.

        Answers a newly made key, to be shown once, when none was given and there was no tenant. Safe to call from
        several processes at once. Raises InvalidInputError for a key that is empty, too long or holds odd characters.
        """
        if key is not None:
            _check_strength(key)
            if await self._ring.find(hash_of(key)) is not None:
                return None
        if not await self._ring.tenants():
            try:
                added = await self._add(FIRST_TENANT, key or self._new_key())
            except ConflictError:  # Another process was faster.
                pass
            else:
                return added.key if key is None else None
        if key is not None:
            first, *_ = await self._ring.tenants()
            await self._ring.add_key(self._api_key(first.id, key))
        return None

    async def authenticate(self, key: str | None) -> Principal:
        """Who stands behind *key*. Raises UnauthenticatedError."""
        if key is None or len(key) > KEY_LENGTH_MAX or _KEY.fullmatch(key) is None:
            raise UnauthenticatedError(_UNKNOWN)
        digest = hash_of(key)
        found = await self._ring.find(digest)
        # The store looks up a hash, whose timing tells nothing of the key; it is compared once more all the same.
        if found is None or not hmac.compare_digest(found.hash, digest):
            raise UnauthenticatedError(_UNKNOWN)
        return Principal(tenant_id=found.tenant_id, actor=KEY_ACTOR)

    async def _add(self, name: str, key: str) -> NewTenant:
        tenant = Tenant(id=self._new_id("tenant"), name=name, created_at=self._clock.now())
        await self._ring.add_tenant(tenant, self._api_key(tenant.id, key))
        return NewTenant(tenant=tenant, key=key)

    def _api_key(self, tenant_id: str, key: str) -> ApiKey:
        return ApiKey(
            id=self._new_id("key"), tenant_id=tenant_id, prefix=_prefix(key), hash=hash_of(key),
            created_at=self._clock.now(),
        )  # fmt: skip


def hash_of(key: str) -> str:
    """What is kept of *key*."""
    return hashlib.sha256(key.encode()).hexdigest()


def _prefix(key: str) -> str:
    """What a person knows *key* by: never more than a quarter of it."""
    return key[: min(PREFIX_LENGTH, len(key) // 4)]


def _check_strength(key: str) -> None:
    if len(key) > KEY_LENGTH_MAX or _KEY.fullmatch(key) is None:
        raise refused("", f"An API key has 1 to {KEY_LENGTH_MAX} visible ASCII characters; choose a long, random one.")
