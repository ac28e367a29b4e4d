"""A dispatcher that gives each call what its tenant keeps secret, at the last moment: secrets and the signature."""

import logging
from collections.abc import Mapping
from datetime import timedelta

from cronicorn.domain.call import Call, Outcome, OutcomeKind
from cronicorn.domain.errors import MasterKeyError
from cronicorn.domain.keychain.filling import filled_call
from cronicorn.domain.keychain.signing import SIGNING_HEADERS, signing_headers
from cronicorn.domain.outgoing import ID_HEADER, call_facts
from cronicorn.domain.ports import Clock, Dispatcher
from cronicorn.scheduler.authorizing import AuthorizingDispatcher
from cronicorn.scheduler.hiding import without_sent
from cronicorn.scheduler.keychains import Keychains, OpenKeychain

log = logging.getLogger(__name__)


class PreparingDispatcher(Dispatcher):
    """Calls through another dispatcher, and fails closed: a call that can't be prepared is not sent.

    What a target repeats of the secrets that it was sent is hidden from all that reads or keeps its answer.
    """

    def __init__(self, dispatcher: Dispatcher, keychains: Keychains, clock: Clock, *, plain: bool = False) -> None:
        """With *plain* signed calls also carry the older form of the signature."""
        self._dispatcher = dispatcher
        self._authorizing = AuthorizingDispatcher(dispatcher, clock)
        self._keychains = keychains
        self._clock = clock
        self._plain = plain

    async def dispatch(self, call: Call) -> Outcome:
        """As promised. Also raises UnavailableError when the store can't tell what the tenant keeps secret."""
        keychain = await self._keychains.of(call.tenant_id)
        dispatcher = self._dispatcher if call.auth is None else self._authorizing
        if keychain is None:
            return await dispatcher.dispatch(call) if not call.secrets else _missing(call.secrets)
        try:
            secrets = keychain.secrets(call.secrets) if call.secrets else {}
            if missing := call.secrets - secrets.keys():
                return _missing(missing)
            if secrets:
                call = filled_call(call, secrets)
            call = self._signed(call, keychain)
        except MasterKeyError as error:
            log.error("keychain_unreadable", extra=call_facts(call) | {"reason": str(error)})  # noqa: TRY400
            said = f"What the tenant keeps secret can't be read, so nothing was sent. {error}"
            return Outcome(kind=OutcomeKind.SECRET_UNREADABLE, duration=timedelta(0), error=said)
        outcome = await dispatcher.dispatch(call)
        return await without_sent(outcome, secrets.values()) if secrets else outcome

    def _signed(self, call: Call, keychain: OpenKeychain) -> Call:
        now = self._clock.now()
        secrets = keychain.signing_secrets(now)
        if not secrets:
            return call
        signature = signing_headers(
            secrets, call.headers[ID_HEADER], int(now.timestamp()), call.body or b"", plain=self._plain
        )
        return call._replace(headers=_with(call.headers, signature), signed=True)


def _with(headers: Mapping[str, str], signature: Mapping[str, str]) -> Mapping[str, str]:
    """*headers* with those of a *signature* in the place of all that have such a name."""
    return {**{name: value for name, value in headers.items() if name.lower() not in SIGNING_HEADERS}, **signature}


def _missing(names: frozenset[str]) -> Outcome:
    shown = ", ".join(sorted(name[:64] or "without a name" for name in names))
    said = f"There is no secret {shown}, so nothing was sent. Set it, or take it out of the request."
    return Outcome(kind=OutcomeKind.SECRET_MISSING, duration=timedelta(0), error=said)
