"""Trial calls: trying an endpoint out, at once and without any effect on its schedule."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

from cronicorn.control.findings import refused
from cronicorn.control.permissions import operation
from cronicorn.domain.access.ports import RateCounter
from cronicorn.domain.bodies import as_kept
from cronicorn.domain.call import Call, Outcome, OutcomeKind
from cronicorn.domain.endpoint import JobEndpoint
from cronicorn.domain.errors import QuotaExceededError, RateExceededError, UnavailableError
from cronicorn.domain.instant import MINUTE, microseconds_of, shifted
from cronicorn.domain.outgoing import call_for
from cronicorn.domain.permission import Operation
from cronicorn.domain.plan import Source
from cronicorn.domain.ports import Clock, Dispatcher, EndpointCatalog, RunControl
from cronicorn.domain.principal import Principal
from cronicorn.domain.rate import LimitStanding, Rate
from cronicorn.domain.run import Run, judged, run_status

_ENDS_WITHIN = timedelta(seconds=5)
"""After so long it is worth asking again."""
TRIALS_MAX = 32
"""Trial calls that go on at a time in one process; they do not queue, they are refused."""
TRIALS_PER_TENANT_MAX = 8
"""Of these, those of one tenant."""
TRIALS_OF_TENANT = Rate(limit=60, period=MINUTE)
"""How often a tenant may try something out, in all processes together."""
_TRIALS = "trials"
TRIAL_DURATION_MAX = timedelta(seconds=60)
"""No trial call outlives this, whatever its endpoint allows to a run: a client waits for it."""

Unwanted = Callable[[], Awaitable[object]]
"""Waits until nobody wants the answer any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A trial call that was made."""

    run: Run
    limit: LimitStanding
    """Where the tenant's trial calls stand."""


class TrialCalls:
    """Calls an endpoint for whoever wants to see its answer."""

    def __init__(
        self, catalog: EndpointCatalog, control: RunControl, dispatcher: Dispatcher, clock: Clock, rates: RateCounter
    ) -> None:
        self._catalog = catalog
        self._rates = rates
        self._control = control
        self._dispatcher = dispatcher
        self._clock = clock
        self._under_way: Counter[str] = Counter()

    @operation(Operation.ENDPOINT_TEST)
    async def call(self, principal: Principal, endpoint_id: str, unwanted: Unwanted | None = None) -> Run:
        """The run that `try_out` records."""
        return (await self.try_out(principal, endpoint_id, unwanted)).run

    @operation(Operation.ENDPOINT_TEST)
    async def try_out(self, principal: Principal, endpoint_id: str, unwanted: Unwanted | None = None) -> Trial:
        """Call the endpoint now, paused or not, and record the run.

        When *unwanted* returns before the call does, the call is cancelled, and recorded as that. Raises NotFoundError,
        InvalidInputError when archived, RateExceededError where the tenant tries out more than TRIALS_OF_TENANT,
        QuotaExceededError when TRIALS_PER_TENANT_MAX of this tenant are under way here, and UnavailableError when
        TRIALS_MAX are in all.
        """
        endpoint, _ = await self._catalog.get(principal.tenant_id, endpoint_id)
        if endpoint.archived_at is not None:
            raise refused("", f"Endpoint {endpoint.id} is archived; unarchive it first.")
        trial = await self.made(endpoint, unwanted)
        kept = replace(trial.run, slot=await self._control.record_test(as_kept(endpoint, trial.run)))
        return replace(trial, run=kept)

    async def made(self, endpoint: JobEndpoint, unwanted: Unwanted | None = None) -> Trial:
        """Call *endpoint* as it is given here, stored or not, and record nothing. Otherwise as `call`."""
        with self._place(endpoint.tenant_id):
            standing = await self._rates.take(f"trials:{endpoint.tenant_id}", TRIALS_OF_TENANT)
            if not standing.allowed:
                raise RateExceededError(
                    f"A tenant may make {TRIALS_OF_TENANT.limit} trial calls a minute, and has: wait.",
                    standing,
                    _TRIALS,
                )
            return Trial(run=await self._called(endpoint, unwanted), limit=standing.named(_TRIALS))

    @contextmanager
    def _place(self, tenant_id: str) -> Iterator[None]:
        if self._under_way[tenant_id] >= TRIALS_PER_TENANT_MAX:
            raise QuotaExceededError(
                f"{TRIALS_PER_TENANT_MAX} of your trial calls are under way; try again when one has ended.",
                retry_after=_ENDS_WITHIN,
            )
        if self._under_way.total() >= TRIALS_MAX:
            raise UnavailableError(f"{TRIALS_MAX} trial calls are under way; try again when one has ended.")
        self._under_way[tenant_id] += 1
        try:
            yield
        finally:
            self._under_way[tenant_id] -= 1
            self._under_way += Counter()  # Forgets the tenants that have none.

    async def _called(self, endpoint: JobEndpoint, unwanted: Unwanted | None) -> Run:
        started_at = self._clock.now()
        # A number no slot ever has, so that the target never takes a trial for a run, nor two trials for one.
        call = call_for(endpoint, microseconds_of(started_at))
        call = call._replace(timeout=min(call.timeout, TRIAL_DURATION_MAX))
        outcome = judged(endpoint, await self._outcome(call, unwanted))
        return Run(
            tenant_id=endpoint.tenant_id, endpoint_id=endpoint.id, slot=0, attempt=1, fence=0, source=Source.TEST,
            trace="", due_at=started_at, nominal_at=None, started_at=started_at,
            finished_at=shifted(started_at, outcome.duration),
            status=run_status(endpoint, outcome), outcome=outcome,
        )  # fmt: skip

    async def _outcome(self, call: Call, unwanted: Unwanted | None) -> Outcome:
        """What *call* came to. Neither the call nor the wait for *unwanted* outlives this, however it ends."""
        if unwanted is None:
            return await self._dispatcher.dispatch(call)
        began = self._clock.monotonic()
        calling = asyncio.ensure_future(self._dispatcher.dispatch(call))
        waiting = asyncio.ensure_future(unwanted())
        try:
            await asyncio.wait([calling, waiting], return_when=asyncio.FIRST_COMPLETED)
            if calling.done():
                return calling.result()
        finally:
            calling.cancel()
            waiting.cancel()
            await asyncio.gather(calling, waiting, return_exceptions=True)
        duration = timedelta(seconds=self._clock.monotonic() - began)
        return Outcome(kind=OutcomeKind.CANCELLED, duration=duration, error="Whoever asked for the call went away.")
