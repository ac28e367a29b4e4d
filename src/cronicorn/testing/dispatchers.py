"""Dispatchers that answer from a script instead of the network."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from cronicorn.domain.call import Call, Outcome, OutcomeKind
from cronicorn.domain.ports import Dispatcher


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a script answers to one call, and after how long."""

    status_code: int = 200
    latency: timedelta = timedelta(0)
    body: str | None = None
    headers: tuple[tuple[str, str], ...] = ()


Script = Callable[[Call, int], Reply]
"""Given the call and how many calls came before it."""


def _always_ok(_call: Call, _number: int) -> Reply:
    return Reply()


@dataclass(slots=True)
class ScriptedDispatcher(Dispatcher):
    """Answers by *script*; remembers the calls it began and how many run at once. What the script raises, it raises."""

    script: Script = _always_ok
    calls: list[Call] = field(default_factory=list)
    in_progress: int = 0
    in_progress_max: int = 0

    async def dispatch(self, call: Call) -> Outcome:
        number = len(self.calls)
        self.calls.append(call)
        self.in_progress += 1
        self.in_progress_max = max(self.in_progress_max, self.in_progress)
        try:
            reply = self.script(call, number)
            if reply.latency:
                await asyncio.sleep(reply.latency.total_seconds())
        finally:
            self.in_progress -= 1
        return Outcome(
            kind=OutcomeKind.RESPONDED,
            duration=reply.latency,
            status_code=reply.status_code,
            headers=reply.headers,
            body=reply.body,
            body_is_json=reply.body is not None,
        )
