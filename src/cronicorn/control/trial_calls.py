"""Trial calls: trying an endpoint out, at once and without any effect on its schedule."""

from dataclasses import replace

from cronicorn.control.findings import refused
from cronicorn.domain.endpoint import JobEndpoint
from cronicorn.domain.errors import UnavailableError
from cronicorn.domain.instant import microseconds_of, shifted
from cronicorn.domain.outgoing import call_for
from cronicorn.domain.plan import Source
from cronicorn.domain.ports import Clock, Dispatcher, EndpointCatalog, RunControl
from cronicorn.domain.principal import Principal
from cronicorn.domain.run import Run, RunStatus

TRIALS_MAX = 32
"""Trial calls that go on at a time in one process; they do not queue, they are refused."""


class TrialCalls:
    """Calls an endpoint for whoever wants to see its answer."""

    def __init__(self, catalog: EndpointCatalog, control: RunControl, dispatcher: Dispatcher, clock: Clock) -> None:
        self._catalog = catalog
        self._control = control
        self._dispatcher = dispatcher
        self._clock = clock
        self._under_way = 0

    async def call(self, principal: Principal, endpoint_id: str) -> Run:
        """Call the endpoint now, paused or not, and record the run.

        Raises NotFoundError, InvalidInputError when archived, and UnavailableError when TRIALS_MAX are under way.
        """
        endpoint, _ = await self._catalog.get(principal.tenant_id, endpoint_id)
        if endpoint.archived_at is not None:
            raise refused("", f"Endpoint {endpoint.id} is archived; unarchive it first.")
        if self._under_way >= TRIALS_MAX:
            raise UnavailableError(f"{TRIALS_MAX} trial calls are under way; try again when one has ended.")
        self._under_way += 1
        try:
            run = await self._called(endpoint)
        finally:
            self._under_way -= 1
        return replace(run, slot=await self._control.record_test(run))

    async def _called(self, endpoint: JobEndpoint) -> Run:
        started_at = self._clock.now()
        # A number no slot ever has, so that the target never takes a trial for a run, nor two trials for one.
        outcome = await self._dispatcher.dispatch(call_for(endpoint, microseconds_of(started_at)))
        success = endpoint.success.accepts(outcome)
        return Run(
            tenant_id=endpoint.tenant_id, endpoint_id=endpoint.id, slot=0, attempt=1, fence=0, source=Source.TEST,
            trace="", due_at=started_at, nominal_at=None, started_at=started_at,
            finished_at=shifted(started_at, outcome.duration),
            status=RunStatus.SUCCESS if success else RunStatus.FAILED, outcome=outcome,
        )  # fmt: skip
