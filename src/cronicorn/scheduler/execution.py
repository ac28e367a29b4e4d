"""The hot path: call the leased endpoint, then record the run and all that follows from it as one."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from cronicorn.domain.admission import admit
from cronicorn.domain.bodies import as_kept
from cronicorn.domain.cadence import Grid
from cronicorn.domain.call import Outcome, OutcomeKind
from cronicorn.domain.endpoint import JobEndpoint, Overlap
from cronicorn.domain.errors import LeaseLostError, UnavailableError
from cronicorn.domain.governor import GovernorEvent
from cronicorn.domain.lease import Lease
from cronicorn.domain.outgoing import call_for
from cronicorn.domain.ports import Clock, Cron, Dispatcher, JobStore
from cronicorn.domain.run import Run
from cronicorn.domain.steering_record import SteeringRecord
from cronicorn.scheduler.held import CallStoppedError, HeldLease
from cronicorn.scheduler.recording import deciding, run_of
from cronicorn.scheduler.slot_log import SlotLog

log = logging.getLogger(__name__)

T = TypeVar("T")

_RETRY_FIRST_S = 0.05
_RETRY_MAX = 1.0
_NOT_MADE_PAUSE = 1.0
"""How long a slot is kept before it is given back uncalled, so that a lack of room doesn't spin."""


class CallNotMadeError(Exception):
    """This machine had no room to make the call. Nothing was sent, and the slot is given back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Executor:
    """Runs slots, one `execute` each."""

    store: JobStore
    dispatcher: Dispatcher
    clock: Clock
    cron: Cron
    seed: str
    slot_log: SlotLog = field(default_factory=SlotLog)

    async def execute(self, hold: HeldLease) -> datetime | None:
        """Call the leased endpoint, then record the run and all that follows from it as one.

        Answers when the endpoint, or a sibling that its answer steered, is due, if that is known. Never raises an
        Exception.
        """
        lease = hold.lease
        try:
            run = await self._attempt(hold)
            settle = deciding(lease, run, self.cron, self.seed)
            kept = run if run is None else as_kept(lease.endpoint, run)
            settlement = await self._patiently(hold, lambda: self.store.settle(lease, kept, settle))
        except CallNotMadeError:
            return hold.now()
        except LeaseLostError:
            log.warning("lease_lost", extra=lease.facts())
        except UnavailableError as error:
            facts = lease.facts() | {"reason": str(error)}
            log.error("run_not_recorded", extra=facts)  # noqa: TRY400 - no bug of ours
        except Exception:  # A bug, or an endpoint that breaks us: its lease runs out, and its batch-mates never notice.
            log.exception("run_crashed", extra=lease.facts())
        else:
            self.slot_log.settled(lease, run, settlement)
            if settlement.record is not None:
                _tell_of_steering(lease, settlement.record)
            return settlement.first_due_at
        return None

    async def _attempt(self, hold: HeldLease) -> Run | None:
        """Make the call; None when the slot came too late to run, or its tenant has no run left this month.

        Raises LeaseLostError and CallNotMadeError.
        """
        hold.check()
        endpoint, started_at = hold.lease.endpoint, hold.now()
        nominal_at: datetime | None = None
        if not hold.lease.manual:
            admission = admit(endpoint, started_at, self.cron, taken_over=hold.lease.taken_over)
            if not admission.run:
                return None
            nominal_at = admission.nominal_at
        if hold.lease.exhausted:
            return None
        until = self._replaced_at(endpoint, started_at)
        started_mono = self.clock.monotonic()
        try:
            outcome = await hold.within(self._dispatch(hold.lease), until)
        except CallNotMadeError:
            await self._patiently(hold, lambda: self.store.abandon([hold.lease]))
            raise
        except CallStoppedError:
            duration = timedelta(seconds=self.clock.monotonic() - started_mono)
            outcome = Outcome(kind=OutcomeKind.CANCELLED, duration=duration, error="The run was cancelled.")
        return run_of(hold, started_at, nominal_at, outcome)

    async def _dispatch(self, lease: Lease) -> Outcome:
        call = call_for(lease.endpoint, lease.slot, lease.fence, conditional=not lease.watched)
        started_mono = self.clock.monotonic()
        try:
            return await self.dispatcher.dispatch(call)
        except UnavailableError as error:
            log.error("call_not_made", extra=lease.facts() | {"reason": str(error)})  # noqa: TRY400 - no bug of ours
            await asyncio.sleep(_NOT_MADE_PAUSE)
            raise CallNotMadeError from error
        except Exception:
            log.exception("dispatcher_crashed", extra=lease.facts())
            duration = timedelta(seconds=self.clock.monotonic() - started_mono)
            return Outcome(
                kind=OutcomeKind.CRASHED, duration=duration, error="An error inside the scheduler; see its log."
            )

    @staticmethod
    async def _patiently(hold: HeldLease, end: Callable[[], Awaitable[T]]) -> T:
        """Do *end*, again and again while the store is away and the lease stands.

        So no call is made twice for a hiccup, and no slot that was not called waits until its lease ends.
        """
        wait = _RETRY_FIRST_S
        while True:
            try:
                return await end()
            except UnavailableError:
                if not hold.alive:
                    raise
            await asyncio.sleep(wait)
            wait = min(wait * 2, _RETRY_MAX)

    def _replaced_at(self, endpoint: JobEndpoint, started_at: datetime) -> datetime | None:
        """When the next instant cancels this call, if the overlap policy says so."""
        return Grid(endpoint, self.cron).next(started_at) if endpoint.overlap is Overlap.CANCEL_OTHER else None


def _tell_of_steering(lease: Lease, record: SteeringRecord) -> None:
    """Say what a person should hear of: rules that answers no longer speak to, steering that goes to and fro."""
    for rule in record.drifted:
        log.warning("policy_drifted", extra=lease.facts() | {"rule": rule})
    if GovernorEvent.FROZEN in record.events:
        log.warning("steering_frozen", extra=lease.facts())
    for endpoint_id, events in record.events_of_siblings.items():
        if GovernorEvent.FROZEN in events:
            frozen = {"endpoint": endpoint_id, "because_of": lease.endpoint.id}
            log.warning("steering_frozen", extra=lease.facts() | frozen)
