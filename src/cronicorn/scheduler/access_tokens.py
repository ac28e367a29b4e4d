"""Tokens that token endpoints gave to this process: asked for once, used by all calls that they are for."""

import asyncio
import logging
from dataclasses import dataclass
from datetime import timedelta

from cronicorn.domain.auth import ClientCredentials
from cronicorn.domain.errors import UnavailableError
from cronicorn.domain.ports import Clock, Dispatcher
from cronicorn.domain.token_requests import GivenToken, token_call, token_in

ASKING_MAX = timedelta(seconds=30)
"""A token endpoint has so long to answer; a call waits for it no longer than it may take itself."""
MARGIN_MAX = timedelta(seconds=30)
"""A token is used until so long before it ends, or a fifth of its life where that is less."""
SETTLED_AFTER = timedelta(seconds=2)
"""A target that refuses a younger token would refuse the next as well."""
ASKED_AGAIN_AFTER = timedelta(seconds=5)
"""When one that still holds could not be renewed."""
KEPT_CHARACTERS_MAX = 16_000_000
"""Of all tokens; beyond it those go first that came first."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _For:
    """Whom a token is for: a tenant's client with the texts that its secrets have now, so that another text counts."""

    tenant_id: str
    client: ClientCredentials


@dataclass(slots=True)
class _Kept:
    """A token, and until when it is used, in seconds of the monotonic clock."""

    given: GivenToken
    settled_at: float
    renew_at: float
    until: float


class AccessTokens:
    """Gives tokens for clients. Belongs to the event loop that it is used on; nothing of it is stored."""

    def __init__(self, dispatcher: Dispatcher, clock: Clock) -> None:
        """*dispatcher* calls token endpoints, as it calls all else for the same tenant."""
        self._dispatcher = dispatcher
        self._clock = clock
        self._kept: dict[_For, _Kept] = {}
        self._characters = 0
        self._asking: dict[_For, asyncio.Task[GivenToken | str]] = {}

    async def of(self, tenant_id: str, client: ClientCredentials, wait: timedelta) -> GivenToken | str:
        """A token for *client*, whose secrets are filled in; where there is none after *wait* at most, why.

        Of all that want the same token one asks. Shortly before it ends it is renewed while calls go on with it. Raises
        UnavailableError when this machine has no room to ask.
        """
        whom = _For(tenant_id, client)
        kept, now = self._kept.get(whom), self._clock.monotonic()
        if kept is not None and now < kept.until:
            if now >= kept.renew_at:
                kept.renew_at = now + ASKED_AGAIN_AFTER.total_seconds()
                _ = self._ask(whom)
            return kept.given
        try:
            async with asyncio.timeout(wait.total_seconds()):
                return await asyncio.shield(self._ask(whom))  # Who no longer waits takes it from nobody else.
        except TimeoutError:
            return "It did not answer within the call's own limit."

    def refused(self, tenant_id: str, client: ClientCredentials, given: GivenToken) -> bool:
        """Forget the token *given*, which a target refused. Answers whether another may do better."""
        whom = _For(tenant_id, client)
        kept = self._kept.get(whom)
        if kept is None or kept.given is not given:
            return True  # Another took its place, or may.
        if self._clock.monotonic() < kept.settled_at:
            return False
        self._forget(whom)
        return True

    def _ask(self, whom: _For) -> "asyncio.Task[GivenToken | str]":
        asking = self._asking.get(whom)
        if asking is None:
            asking = self._asking[whom] = asyncio.get_running_loop().create_task(self._asked(whom))
            asking.add_done_callback(_told)
        return asking

    async def _asked(self, whom: _For) -> GivenToken | str:
        asked_at = self._clock.monotonic()
        try:
            found = token_in(await self._dispatcher.dispatch(token_call(whom.tenant_id, whom.client, ASKING_MAX)))
        except UnavailableError as error:
            self._not_renewed(whom, str(error))
            raise
        finally:
            del self._asking[whom]
        if isinstance(found, GivenToken):
            self._keep(whom, found, asked_at)
        else:
            self._not_renewed(whom, found)
        return found

    def _not_renewed(self, whom: _For, why: str) -> None:
        """Whoever waits for a first token is told; of one that still holds nobody else would be."""
        if whom in self._kept:
            log.warning("token_not_renewed", extra={"tenant": whom.tenant_id, "reason": why})

    def _keep(self, whom: _For, given: GivenToken, asked_at: float) -> None:
        self._forget(whom)
        margin = min(MARGIN_MAX, given.lifetime / 5)
        until = asked_at + (given.lifetime - margin).total_seconds()
        self._kept[whom] = _Kept(
            given=given,
            settled_at=self._clock.monotonic() + SETTLED_AFTER.total_seconds(),
            renew_at=until - margin.total_seconds(),
            until=until,
        )
        self._characters += len(given.text)
        while self._characters > KEPT_CHARACTERS_MAX:
            self._forget(next(iter(self._kept)))

    def _forget(self, whom: _For) -> None:
        kept = self._kept.pop(whom, None)
        if kept is not None:
            self._characters -= len(kept.given.text)


def _told(asking: "asyncio.Task[GivenToken | str]") -> None:
    """Take note of what it raised: who waits is told, and nobody may be waiting any more."""
    if not asking.cancelled():
        asking.exception()
