"""A dispatcher that lets nobody see what the owner of an endpoint declared secret in its answers."""

import asyncio

from cronicorn.domain.call import Call, Outcome
from cronicorn.domain.ports import Dispatcher
from cronicorn.domain.untrusted.redaction import NOTHING_SECRET, REDACTED, Redaction, redacted_body, redacted_headers

_LONG = 1 << 15
"""The event loop does not wait while a longer body is read."""


class RedactingDispatcher(Dispatcher):
    """Calls through another dispatcher and hashes what is secret at once: signals, rules and stores see the hash."""

    def __init__(self, dispatcher: Dispatcher, key: bytes | None) -> None:
        """Equal secrets have equal hashes wherever *key* is the same; without one nothing tells them apart."""
        self._dispatcher = dispatcher
        self._key = key

    async def dispatch(self, call: Call) -> Outcome:
        outcome = await self._dispatcher.dispatch(call)
        if call.redaction == NOTHING_SECRET:
            return outcome
        if outcome.body is None or len(outcome.body) < _LONG:
            return _redacted(outcome, call.redaction, self._key)
        return await asyncio.to_thread(_redacted, outcome, call.redaction, self._key)


def _redacted(outcome: Outcome, redaction: Redaction, key: bytes | None) -> Outcome:
    body = outcome.body and redacted_body(outcome.body, redaction, key)
    is_json = outcome.body_is_json and body is not None and not body.startswith(REDACTED)
    headers = redacted_headers(outcome.headers, redaction, key)
    return outcome._replace(headers=headers, body=body, body_is_json=is_json)
