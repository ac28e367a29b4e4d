"""A job store and a dispatcher that write down what passes through them."""

import asyncio
import logging
import random
from collections.abc import Sequence
from datetime import timedelta

from cronicorn.domain.call import Call, Outcome, OutcomeKind
from cronicorn.domain.endpoint import JobEndpoint
from cronicorn.domain.errors import LeaseLostError, UnavailableError
from cronicorn.domain.fields import us
from cronicorn.domain.lease import Lease, NextDue, Renewal
from cronicorn.domain.ports import Decide, Dispatcher, JobStore
from cronicorn.domain.run import Run
from cronicorn.domain.settlement import Settlement, Stored
from tests.chaos.history import Recorder, now

_DAWDLED = 0.3
"""This share of runs waits before it is recorded, so that faults come between a call and its settlement."""
_DAWDLE_MAX_S = 1.0
_SLOW_ONE_IN = 3
"""So many endpoints have one that is always slow, so that a late settlement meets a slot under its next lease."""
_SLOW_S = (0.5, 1.7)
_QUICK_S = (0.002, 0.03)


class RecordingJobStore(JobStore):
    """Does what *inner* does, and writes down what was asked, before, and what was answered, after."""

    def __init__(self, inner: JobStore, recorder: Recorder, chance: random.Random) -> None:
        self._inner = inner
        self._recorder = recorder
        self._chance = chance

    async def claim_due(
        self, *, worker_id: str, limit: int, ttl: timedelta, endpoint_id: str | None = None
    ) -> Sequence[Lease]:
        sent = now()
        try:
            leases = await self._inner.claim_due(worker_id=worker_id, limit=limit, ttl=ttl, endpoint_id=endpoint_id)
        except UnavailableError as error:
            self._recorder.say("claim_failed", sent=sent, reason=str(error))
            raise
        for lease in leases:
            self._recorder.say("claimed", sent=sent, **_facts(lease))
        return leases

    def renew(self, leases: Sequence[Lease], *, ttl: timedelta) -> Renewal:
        sent = now()
        renewal = self._inner.renew(leases, ttl=ttl)
        unsure = renewal.lost | renewal.unextended
        kept = [lease.claim_id for lease in leases if lease.claim_id not in unsure]
        self._recorder.say("renewed", sent=sent, kept=kept, lost=sorted(renewal.lost))
        return renewal

    async def settle(self, lease: Lease, run: Run | None, decide: Decide) -> Settlement:
        if self._chance.random() < _DAWDLED:
            await asyncio.sleep(self._chance.uniform(0, _DAWDLE_MAX_S))
        decided_us: list[int] = []

        def decided(endpoint: JobEndpoint, stored: Stored) -> Settlement:
            decided_us.append(us(stored.now))
            return decide(endpoint, stored)

        self._recorder.say("settling", claim_id=lease.claim_id, ran=run is not None)
        answer = "stopped"
        try:
            settlement = await self._inner.settle(lease, run, decided)
            answer = "accepted"
        except LeaseLostError:
            answer = "lost"
            raise
        except UnavailableError as error:
            answer = f"unavailable: {error}"
            raise
        finally:
            last_us = decided_us[-1] if decided_us else None
            self._recorder.say("settled", claim_id=lease.claim_id, answer=answer, decided_us=last_us)
        return settlement

    async def abandon(self, leases: Sequence[Lease]) -> None:
        claims = [lease.claim_id for lease in leases]
        self._recorder.say("abandoning", claims=claims)
        await self._inner.abandon(leases)
        self._recorder.say("abandoned", claims=claims)

    async def next_due(self) -> NextDue | None:
        return await self._inner.next_due()


class RandomDispatcher(Dispatcher):
    """Quick, or slower than a lease lasts, now and then refused; writes down every call."""

    def __init__(self, recorder: Recorder, chance: random.Random) -> None:
        self._recorder = recorder
        self._chance = chance

    async def dispatch(self, call: Call) -> Outcome:
        key = call.headers["Idempotency-Key"]
        slow = int(key.partition(":")[0].removeprefix("ep")) % _SLOW_ONE_IN == 0
        length = self._chance.uniform(*(_SLOW_S if slow else _QUICK_S))
        self._recorder.say("calling", key=key)
        await asyncio.sleep(length)
        self._recorder.say("called", key=key)
        status = 500 if self._chance.random() < 0.02 else 200
        return Outcome(kind=OutcomeKind.RESPONDED, duration=timedelta(seconds=length), status_code=status)


class RecordingHandler(logging.Handler):
    """Writes down what the process complains of."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__(logging.WARNING)
        self._recorder = recorder

    def emit(self, record: logging.LogRecord) -> None:
        self._recorder.say(
            "log",
            level=record.levelname,
            event=record.getMessage(),
            reason=getattr(record, "reason", None),
            error=self.formatter.formatException(record.exc_info) if self.formatter and record.exc_info else None,
        )


def _facts(lease: Lease) -> dict[str, object]:
    state = lease.endpoint.state
    planned_at = state.plan.next_run_at if state.plan is not None else None
    due_at = state.manual.requested_at if lease.manual and state.manual is not None else planned_at
    return {
        "endpoint": lease.endpoint.id,
        "claim_id": lease.claim_id,
        "fence": lease.fence,
        "slot": lease.slot,
        "attempt": lease.attempt,
        "manual": lease.manual,
        "claimed_us": us(lease.claimed_at),
        "due_us": us(due_at) if due_at is not None else None,
    }
