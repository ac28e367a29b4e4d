"""Runs: what happened, and what is about to."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from cronicorn.control.permissions import operation
from cronicorn.domain.endpoint import JobEndpoint
from cronicorn.domain.errors import NotFoundError
from cronicorn.domain.history import Health, RunPage, RunQuery, SkipPage
from cronicorn.domain.instant import shifted
from cronicorn.domain.lease import Lease, run_id
from cronicorn.domain.permission import Operation
from cronicorn.domain.plan import Source
from cronicorn.domain.ports import Clock, EndpointCatalog, RunControl, RunHistory
from cronicorn.domain.principal import Principal
from cronicorn.domain.run import Run
from cronicorn.domain.slot import SlotState

SKIPS_MAX = 1_000
HEALTH_HOURS_MAX = 87_600


@dataclass(frozen=True, slots=True, kw_only=True)
class UnfinishedRun:
    """A run that waits or goes on. It is read off the lease and the state: nothing is stored as running."""

    id: str
    attempt: int
    source: Source
    running: bool
    since: datetime
    """When it was claimed, or from when it is due."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunView:
    """A run and its endpoint."""

    run: Run | UnfinishedRun
    endpoint: JobEndpoint


class Runs:
    """What can be asked about runs. Every call raises NotFoundError for what is not the tenant's."""

    def __init__(self, history: RunHistory, control: RunControl, catalog: EndpointCatalog, clock: Clock) -> None:
        self._history = history
        self._control = control
        self._catalog = catalog
        self._clock = clock

    @operation(Operation.RUN_LIST)
    async def list(self, principal: Principal, endpoint_id: str, query: RunQuery) -> RunPage:
        """Finished runs of an endpoint, newest first, without bodies."""
        return await self._history.list(principal.tenant_id, endpoint_id, query)

    @operation(Operation.RUN_GET)
    async def get(self, principal: Principal, identity: str) -> RunView:
        """The run with the id *identity*, finished or not."""
        slot = parsed_run_id(identity)
        endpoint, _ = await self._catalog.get(principal.tenant_id, slot.endpoint_id)
        run: Run | UnfinishedRun | None = await self._finished(principal, identity)
        if run is None:
            lease = await self._control.held(endpoint.tenant_id, endpoint.id)
            run = next((each for each in unfinished_runs(endpoint, lease) if each.id == identity), None)
        if run is None:  # It may have ended between the two looks.
            run = await self._history.get(principal.tenant_id, identity)
        return RunView(run=run, endpoint=endpoint)

    @operation(Operation.RUN_HEALTH)
    async def health(self, principal: Principal, endpoint_id: str, hours: int) -> Health:
        """How the endpoint fared in the last *hours*."""
        since = shifted(self._clock.now(), -timedelta(hours=min(hours, HEALTH_HOURS_MAX)))
        return await self._history.health(principal.tenant_id, endpoint_id, since)

    @operation(Operation.RUN_SKIPS)
    async def skips(
        self, principal: Principal, endpoint_id: str, limit: int, state: SlotState | None = None
    ) -> SkipPage:
        """The newest *limit* ranges of instants that did not run, each with its reason; with *state* only such."""
        return await self._history.skips(principal.tenant_id, endpoint_id, min(limit, SKIPS_MAX), state)

    async def _finished(self, principal: Principal, identity: str) -> Run | None:
        try:
            return await self._history.get(principal.tenant_id, identity)
        except NotFoundError:
            return None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSlot:
    """The parts of a run's id."""

    endpoint_id: str
    slot: int
    attempt: int


def parsed_run_id(identity: str) -> RunSlot:
    """The parts of *identity*. Raises NotFoundError for what can't be the id of a run."""
    endpoint_id, _, rest = identity.partition(":")
    slot, _, attempt = rest.partition(":")
    numbers = [int(part) for part in (slot, attempt) if part.isascii() and part.isdigit() and len(part) < 19]  # noqa: PLR2004
    if not endpoint_id or len(numbers) != 2 or run_id(endpoint_id, *numbers) != identity:  # noqa: PLR2004
        raise NotFoundError("There is no such run.")
    return RunSlot(endpoint_id=endpoint_id, slot=numbers[0], attempt=numbers[1])


def unfinished_runs(endpoint: JobEndpoint, lease: Lease | None) -> tuple[UnfinishedRun, ...]:
    """The runs of *endpoint* that wait or, under its live *lease*, go on: the planned one and the manual one."""
    going_on = () if lease is None else (_going_on(lease),)
    waiting = (_waiting_manual(endpoint), _waiting_planned(endpoint))
    known = {run.id for run in going_on}
    return (*going_on, *(run for run in waiting if run is not None and run.id not in known))


def waiting_run(endpoint: JobEndpoint, identity: str) -> UnfinishedRun | None:
    """The manual or planned run of *endpoint* that waits under the id *identity*, or None."""
    return next((run for run in unfinished_runs(endpoint, None) if run.id == identity), None)


def _going_on(lease: Lease) -> UnfinishedRun:
    source = Source.MANUAL if lease.manual else planned_source(lease.endpoint)
    return UnfinishedRun(id=lease.run_id, attempt=lease.attempt, source=source, running=True, since=lease.claimed_at)


def _waiting_manual(endpoint: JobEndpoint) -> UnfinishedRun | None:
    manual = endpoint.state.manual
    if manual is None:
        return None
    identity = run_id(endpoint.id, manual.slot, 1)
    return UnfinishedRun(id=identity, attempt=1, source=Source.MANUAL, running=False, since=manual.requested_at)


def _waiting_planned(endpoint: JobEndpoint) -> UnfinishedRun | None:
    state = endpoint.state
    due_at = state.plan.next_run_at if state.plan is not None else None
    if due_at is None:
        return None
    identity, source = run_id(endpoint.id, state.slot, state.attempt), planned_source(endpoint)
    return UnfinishedRun(id=identity, attempt=state.attempt, source=source, running=False, since=due_at)


def planned_source(endpoint: JobEndpoint) -> Source:
    """What decided the planned instant of *endpoint*."""
    plan = endpoint.state.plan
    return Source.DORMANT if plan is None else plan.source
