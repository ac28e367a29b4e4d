"""A dispatcher that says who calls: with what an endpoint's owner keeps, or with a token that is asked for."""

from datetime import timedelta

from cronicorn.domain.auth import AUTHORIZATION, BasicAuth, BearerAuth, ClientCredentials, basic, bearer
from cronicorn.domain.call import Call, Outcome, OutcomeKind
from cronicorn.domain.errors import UnavailableError
from cronicorn.domain.ports import Clock, Dispatcher
from cronicorn.domain.target import host_of
from cronicorn.domain.token_requests import GivenToken
from cronicorn.scheduler.access_tokens import AccessTokens
from cronicorn.scheduler.hiding import without_sent

_UNAUTHORIZED = 401


class AuthorizingDispatcher(Dispatcher):
    """Calls through another dispatcher, with the header that the `auth` of each call stands for.

    A 401 to a token is answered by one more call with another: who refuses a call for its credentials did nothing, so
    the attempt is not over, and its run says that it was sent again.
    """

    def __init__(self, dispatcher: Dispatcher, clock: Clock) -> None:
        """*dispatcher* calls targets and token endpoints alike, each within what its tenant may call."""
        self._dispatcher = dispatcher
        self._clock = clock
        self._tokens = AccessTokens(dispatcher, clock)

    async def dispatch(self, call: Call) -> Outcome:
        """As promised, of a call whose secrets are filled in. What is made of them is hidden in its answer."""
        match call.auth:
            case None:
                return await self._dispatcher.dispatch(call)
            case BearerAuth(token=token):
                return await self._dispatcher.dispatch(_authorized(call, bearer(token)))
            case BasicAuth(username=username, password=password):
                outcome = await self._dispatcher.dispatch(_authorized(call, basic(username, password)))
                return await without_sent(outcome, [f"{username}:{password}"])
            case ClientCredentials() as client:
                return await self._with_token(call, client)

    async def _with_token(self, call: Call, client: ClientCredentials) -> Outcome:
        ends_at = self._clock.monotonic() + call.timeout.total_seconds()
        given = await self._tokens.of(call.tenant_id, client, call.timeout)
        if not isinstance(given, GivenToken):
            duration = call.timeout - self._left(ends_at)
            return Outcome(kind=OutcomeKind.NO_TOKEN, duration=duration, error=_no_token(client, given))
        outcome = await self._sent(call, given, ends_at)
        used = [given.text]
        if outcome.status_code == _UNAUTHORIZED and self._tokens.refused(call.tenant_id, client, given):
            another, outcome = await self._sent_again(call, client, outcome, ends_at)
            used += another
        return await without_sent(outcome, used)

    async def _sent_again(
        self, call: Call, client: ClientCredentials, refused: Outcome, ends_at: float
    ) -> tuple[list[str], Outcome]:
        """What came of the call with another token, and that token; *refused* where it could not be made."""
        left = self._left(ends_at)
        if left <= timedelta(0):
            return [], refused
        try:
            given = await self._tokens.of(call.tenant_id, client, left)
            if not isinstance(given, GivenToken):
                return [], refused
            outcome = await self._sent(call, given, ends_at)
        except UnavailableError:  # Too late to raise: the call before this one was made.
            return [], refused
        return [given.text], outcome._replace(sent_again=True)

    async def _sent(self, call: Call, given: GivenToken, ends_at: float) -> Outcome:
        left = max(self._left(ends_at), timedelta(microseconds=1))
        return await self._dispatcher.dispatch(_authorized(call, bearer(given.text))._replace(timeout=left))

    def _left(self, ends_at: float) -> timedelta:
        return timedelta(seconds=ends_at - self._clock.monotonic())


def _authorized(call: Call, value: str) -> Call:
    """*call* with *value* as the header, which stays at home when a redirect leads elsewhere."""
    headers = {name: each for name, each in call.headers.items() if name.lower() != AUTHORIZATION.lower()}
    return call._replace(
        headers=headers | {AUTHORIZATION: value}, private=call.private | {AUTHORIZATION.lower()}, auth=None
    )


def _no_token(client: ClientCredentials, why: str) -> str:
    return f"The token endpoint at {host_of(client.token_url)} gave no token, so nothing was sent. {why}"
