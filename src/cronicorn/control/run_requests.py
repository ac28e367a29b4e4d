"""Asking for a run now, and taking one back."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from cronicorn.control.endpoints import if_unchanged
from cronicorn.control.execution_tiers import ExecutionTiers
from cronicorn.control.permissions import operation
from cronicorn.control.runs import parsed_run_id, waiting_run
from cronicorn.domain.editing import asked_to_run, taken_back
from cronicorn.domain.endpoint import Job, JobEndpoint, JobStatus
from cronicorn.domain.errors import ConflictError, QuotaExceededError
from cronicorn.domain.execution.limits import Ration
from cronicorn.domain.instant import EPOCH
from cronicorn.domain.lease import run_id
from cronicorn.domain.permission import Operation
from cronicorn.domain.plan import Source
from cronicorn.domain.ports import EndpointCatalog, RunControl, RunHistory
from cronicorn.domain.principal import Principal
from cronicorn.domain.rate import LimitStanding
from cronicorn.domain.settlement import Change, Stored
from cronicorn.domain.unchanged import Unchanged


class Cancelled(StrEnum):
    """What came of a cancellation."""

    TAKEN_BACK = "canceled"
    """The run had not begun; it never will."""
    ASKED_TO_STOP = "running"
    """The run goes on until its worker hears of it: at once in this process, elsewhere with its next heartbeat."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequested:
    """A run that was asked for."""

    run_id: str
    limit: LimitStanding | None
    """Where the tenant's runs of this month stand, as it was asked for; None where they are not limited."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """How the scheduler of this process, if there is one, hears at once of what others find in the store."""

    wake: Callable[[], None]
    """Something is due."""
    cancelled: Callable[[], None]
    """A run that goes on is to end."""


class RunRequests:
    """Runs that a person asks for. The schedule never moves because of them."""

    def __init__(
        self, catalog: EndpointCatalog, control: RunControl, history: RunHistory, tiers: ExecutionTiers, told: Told
    ) -> None:
        self._catalog = catalog
        self._control = control
        self._history = history
        self._tiers = tiers
        self._told = told

    @operation(Operation.RUN_REQUEST)
    async def run_now(self, principal: Principal, endpoint_id: str, unchanged: Unchanged | None = None) -> str:
        """The id of the run that `request` makes due."""
        return (await self.request(principal, endpoint_id, unchanged)).run_id

    @operation(Operation.RUN_REQUEST)
    async def request(self, principal: Principal, endpoint_id: str, unchanged: Unchanged | None = None) -> RunRequested:
        """Make a slot of its own due now. Also while paused.

        Asking again while one waits or runs gives the same run. Raises NotFoundError, ConflictError when archived, or
        QuotaExceededError when the tenant has no run left this month: it would be skipped. Raises
        PreconditionFailedError where the endpoint is not *unchanged*.
        """
        ration, now = await self._ration(principal, endpoint_id)

        def edit(before: JobEndpoint, job: Job, stored: Stored) -> Change:
            if job.status is JobStatus.ARCHIVED:
                raise ConflictError(f"Job {job.id} is archived; unarchive it first.")
            if ration is not None and ration.exhausted and not _manual_goes_on(before, stored):
                raise _used_up(ration, stored)
            return asked_to_run(before, stored)

        change = if_unchanged(edit, unchanged)
        endpoint, _ = await self._catalog.change(principal.tenant_id, endpoint_id, change, by=principal)
        self._told.wake()
        manual = endpoint.state.manual
        assert manual is not None
        limit = ration.standing(now) if ration is not None else None
        return RunRequested(run_id=run_id(endpoint.id, manual.slot, 1), limit=limit)

    @operation(Operation.RUN_CANCEL)
    async def cancel(self, principal: Principal, identity: str) -> Cancelled:
        """Stop the run *identity* if it goes on; take it back if it is a manual one that waits.

        Raises NotFoundError where reading the run would, or ConflictError when it has ended or is a planned one that
        has not begun.
        """
        wanted = parsed_run_id(identity)
        endpoint, _ = await self._catalog.get(principal.tenant_id, wanted.endpoint_id)
        lease = await self._control.held(principal.tenant_id, endpoint.id)
        if lease is not None and lease.run_id == identity:
            if await self._control.cancel(principal.tenant_id, endpoint.id, wanted.slot, principal):
                self._told.cancelled()  # Its worker may be in this process, and need not wait for its next heartbeat.
                return Cancelled.ASKED_TO_STOP
        elif (waiting := waiting_run(endpoint, identity)) is not None:
            if waiting.source is not Source.MANUAL:
                raise ConflictError(f"Run {identity} has not begun; pause the endpoint to hold it back.")
            await self._take_back(principal, endpoint.id, wanted.slot, leased=lease is not None)
            return Cancelled.TAKEN_BACK
        await self._history.get(principal.tenant_id, identity)
        raise ConflictError(f"Run {identity} has ended.")

    async def _ration(self, principal: Principal, endpoint_id: str) -> tuple[Ration | None, datetime]:
        """What the tenant may still run, and when that was; None where nothing limits it.

        The endpoint's store says which month it is.
        """
        if not self._tiers.counts_runs:
            return None, EPOCH
        _, stored = await self._catalog.get(principal.tenant_id, endpoint_id)
        return (await self._tiers.standing(principal.tenant_id, stored.now)).runs, stored.now

    async def _take_back(self, principal: Principal, endpoint_id: str, slot: int, *, leased: bool) -> None:
        def edit(before: JobEndpoint, _job: Job, stored: Stored) -> Change:
            manual = before.state.manual
            if manual is None or manual.slot != slot:
                raise ConflictError(f"Run {run_id(endpoint_id, slot, 1)} has ended.")
            if stored.leased and not leased:
                raise ConflictError(f"Run {run_id(endpoint_id, slot, 1)} has just begun; cancel it again to stop it.")
            return taken_back(before, stored)

        await self._catalog.change(principal.tenant_id, endpoint_id, edit, by=principal)


def _manual_goes_on(endpoint: JobEndpoint, stored: Stored) -> bool:
    manual = endpoint.state.manual
    return manual is not None and stored.leased_slot == manual.slot


def _used_up(ration: Ration, stored: Stored) -> QuotaExceededError:
    end_at = ration.month.end_at
    return QuotaExceededError(
        f"The run would be skipped: {ration.reason}. Ask again from {end_at:%Y-%m-%dT%H:%M:%SZ} on, or have the tenant "
        "moved to a higher tier.",
        retry_after=max(timedelta(0), end_at - stored.now),
        limit=ration.standing(stored.now),
    )
