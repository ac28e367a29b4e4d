"""What a target repeats of the secrets that it was sent is hidden from all that reads or keeps its answer."""

import asyncio
from collections.abc import Collection

from cronicorn.domain.call import Outcome
from cronicorn.domain.keychain.filling import hidden

_LONG = 1 << 15
"""The event loop does not wait while a longer body is searched for secrets."""


async def without_sent(outcome: Outcome, secrets: Collection[str]) -> Outcome:
    """*outcome* with a mask wherever it repeats one of *secrets*."""
    if outcome.body is None or len(outcome.body) < _LONG:
        return hidden(outcome, secrets)
    return await asyncio.to_thread(hidden, outcome, secrets)
