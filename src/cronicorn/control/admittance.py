"""Who comes in: what proves who somebody is, and how often a key may be used."""

import hmac
import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from cronicorn.control.keys import hash_of
from cronicorn.domain.access.member import SEEN_NOTED_EVERY, Member
from cronicorn.domain.access.ports import IssuedKeys, KeyRing, RateCounter, SignedInStore
from cronicorn.domain.errors import RateExceededError, UnauthenticatedError, UnavailableError
from cronicorn.domain.instant import MINUTE
from cronicorn.domain.permission import permitted
from cronicorn.domain.ports import Clock
from cronicorn.domain.principal import ActorKind, Principal
from cronicorn.domain.rate import Rate, RateStanding
from cronicorn.domain.tenant import ApiKey

KEY_LENGTH_MAX = 256
KEY_ACTOR = "an API key"
"""Who asked, where a key did: no part of it is kept with what was asked, nor told to a model."""
USE_NOTED_EVERY = timedelta(minutes=10)
"""The last use of a key is known this exactly: it is not written for every request."""

_KEY = re.compile(r"[\x21-\x7e]+")
_UNKNOWN = "No valid API key: send one as `x-api-key: KEY` or `Authorization: Bearer KEY`."
_NOT_SIGNED_IN = "You are not signed in, or no longer: sign in again."
_NOTED_MAX = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """Somebody who was let in."""

    principal: Principal
    standing: RateStanding | None = None
    """Where the key stands that was used; None where its requests are not counted."""


class Admittance:
    """Tells who somebody is by what was sent."""

    def __init__(
        self, ring: KeyRing, issued: IssuedKeys, sessions: SignedInStore, rates: RateCounter, clock: Clock
    ) -> None:
        self._ring = ring
        self._issued = issued
        self._sessions = sessions
        self._rates = rates
        self._clock = clock
        self._noted: dict[str, datetime] = {}

    async def by_key(self, text: str | None, request_id: str | None = None) -> Admitted:
        """Who stands behind a key. Raises UnauthenticatedError, RateExceededError."""
        if text is None or not can_be_key(text):
            raise UnauthenticatedError(_UNKNOWN)
        digest = hash_of(text)
        key = await self._ring.find(digest)
        # The store looks up a hash, whose timing tells nothing of the key; it is compared once more all the same.
        if key is None or not hmac.compare_digest(key.hash, digest) or not key.opens(self._clock.now()):
            raise UnauthenticatedError(_UNKNOWN)
        standing = await self._counted(key)
        await self._note_use(key)
        return Admitted(principal=_principal(key, request_id), standing=standing)

    async def by_session(self, token: str, request_id: str | None = None, *, used: bool = True) -> Admitted:
        """Who is signed in and shows *token*. Raises UnauthenticatedError.

        What a page asks by itself is no use of the session: not *used*, so that one left alone ends all the same.
        """
        if not can_be_key(token):
            raise UnauthenticatedError(_NOT_SIGNED_IN)
        digest, now = hash_of(token), self._clock.now()
        found = await self._sessions.find(digest)
        if found is None or not hmac.compare_digest(found[0].hash, digest) or not found[0].holds(now):
            raise UnauthenticatedError(_NOT_SIGNED_IN)
        session, member = found
        if used and now - session.seen_at >= SEEN_NOTED_EVERY:
            with suppress(UnavailableError):
                await self._sessions.seen(digest, now)
        return Admitted(principal=user_principal(member, request_id))

    async def _counted(self, key: ApiKey) -> RateStanding | None:
        if key.rate is None:
            return None
        standing = await self._rates.take(f"key:{key.id}", Rate(limit=key.rate, period=MINUTE))
        if not standing.allowed:
            raise RateExceededError(f"The key may be used {key.rate} times a minute, and was: wait.", standing)
        return standing

    async def _note_use(self, key: ApiKey) -> None:
        now = self._clock.now()
        last = max(filter(None, (key.used_at, self._noted.get(key.id))), default=None)
        if last is not None and now - last < USE_NOTED_EVERY:
            return
        if len(self._noted) >= _NOTED_MAX:
            self._noted.clear()
        self._noted[key.id] = now  # Before the write: requests that come meanwhile leave it to this one.
        with suppress(UnavailableError):  # Reading goes on where nothing can be written.
            await self._issued.used(key.hash, now)


def can_be_key(text: str) -> bool:
    """Whether *text* is of the shape that keys have."""
    return len(text) <= KEY_LENGTH_MAX and _KEY.fullmatch(text) is not None


def user_principal(member: Member, request_id: str | None) -> Principal:
    """A member who is signed in."""
    return Principal(
        tenant_id=member.tenant_id,
        actor=member.login,
        permissions=permitted(member.role, None, runs_installation=member.runs_installation),
        kind=ActorKind.USER,
        actor_id=member.id,
        request_id=request_id,
    )


def _principal(key: ApiKey, request_id: str | None) -> Principal:
    return Principal(
        tenant_id=key.tenant_id,
        actor=KEY_ACTOR,
        permissions=permitted(key.role, key.scopes, runs_installation=key.runs_installation),
        kind=ActorKind.AGENT if key.agent else ActorKind.KEY,
        actor_id=key.id,
        request_id=request_id,
    )
