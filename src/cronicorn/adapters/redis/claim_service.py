"""The claims of an installation in one Redis."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from math import ceil
from typing import Self

from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from cronicorn.adapters.redis.connecting import TIMEOUT_DEFAULT, async_client, blocking_client, translated
from cronicorn.adapters.redis.scripts import ACQUIRE, RELEASE, RENEW
from cronicorn.domain.claims import Claim
from cronicorn.domain.ports import ClaimService

_CLAIMS = "claims"
_MILLISECOND = timedelta(milliseconds=1)


class RedisClaimService(ClaimService):
    """Keeps claims as keys with the claim id as their value.

    All keys of an installation lie in one hash slot, so a cluster serves it from one of its members. The server must
    not evict keys (`maxmemory-policy noeviction`): an evicted claim is a lost one.
    """

    def __init__(self, client: "AsyncRedis", renewing: Redis, prefix: str, timeout: timedelta) -> None:
        self._client = client
        self._renewing = renewing
        self._prefix = f"{{{prefix}}}"
        self._timeout_s = timeout.total_seconds()
        self._acquire = client.register_script(ACQUIRE)
        self._release = client.register_script(RELEASE)
        self._renew = renewing.register_script(RENEW)
        self._revive = renewing.register_script(ACQUIRE)

    @classmethod
    def open(cls, url: str, *, prefix: str, timeout: timedelta = TIMEOUT_DEFAULT) -> Self:
        """The claims under *prefix*, which differs between installations, in the Redis at a `redis://` URL.

        `rediss://` and `unix://` do as well. Connects when first asked. Raises InvalidInputError for another URL.
        """
        return cls(async_client(url, timeout), blocking_client(url, timeout), prefix, timeout)

    async def acquire(self, claims: Sequence[Claim], *, ttl: timedelta) -> Mapping[str, int]:
        if not claims:
            return {}
        with translated(_CLAIMS):
            async with asyncio.timeout(self._timeout_s):
                tokens = await self._acquire(self._token_and_keys(claims), [_milliseconds(ttl), *_ids(claims)])
        return {claim.claim_id: token for claim, token in zip(claims, tokens, strict=True) if token}

    def renew(self, claims: Sequence[Claim], *, ttl: timedelta) -> frozenset[str]:
        if not claims:
            return frozenset()
        with translated(_CLAIMS):
            held = self._renew(self._keys(claims), [_milliseconds(ttl), *_ids(claims)])
        return frozenset(claim.claim_id for claim, kept in zip(claims, held, strict=True) if kept)

    def revive(self, claims: Sequence[Claim], *, ttl: timedelta) -> frozenset[str]:
        if not claims:
            return frozenset()
        with translated(_CLAIMS):
            tokens = self._revive(self._token_and_keys(claims), [_milliseconds(ttl), *_ids(claims)])
        return frozenset(claim.claim_id for claim, token in zip(claims, tokens, strict=True) if token)

    async def release(self, claims: Sequence[Claim]) -> None:
        if not claims:
            return
        with translated(_CLAIMS):
            async with asyncio.timeout(self._timeout_s):
                await self._release(self._keys(claims), _ids(claims))

    async def aclose(self) -> None:
        await self._client.aclose(close_connection_pool=True)
        self._renewing.close()

    def _token_and_keys(self, claims: Sequence[Claim]) -> list[str]:
        return [f"{self._prefix}token", *self._keys(claims)]

    def _keys(self, claims: Sequence[Claim]) -> list[str]:
        return [f"{self._prefix}claim:{claim.key}" for claim in claims]


def _ids(claims: Sequence[Claim]) -> list[str]:
    return [claim.claim_id for claim in claims]


def _milliseconds(ttl: timedelta) -> int:
    return ceil(ttl / _MILLISECOND)
