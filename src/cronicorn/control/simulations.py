"""Simulations: what the scheduler would make of a scenario, told without calling anything."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Annotated, Any

from cronicorn.control.document import Document, from_to
from cronicorn.control.findings import Findings
from cronicorn.control.limits import check_limits
from cronicorn.control.permissions import operation
from cronicorn.domain.errors import QuotaExceededError, UnavailableError
from cronicorn.domain.permission import Operation
from cronicorn.domain.principal import Principal
from cronicorn.domain.simulation.ports import Simulator

SIMULATIONS_MAX = 2
"""Simulations that go on at a time in one process; they do not queue, they are refused. A tenant has one."""
SEED_MAX = 1 << 63
_ENDS_WITHIN = timedelta(seconds=5)
"""After so long it is worth asking again."""


class SimulationDocument(Document):
    """A scenario to be simulated, as `cronicorn simulate --schema` describes it; it names no files."""

    scenario: dict[str, Any]
    seed: Annotated[int | None, from_to(0, SEED_MAX)] = None


class Simulations:
    """What can be asked of the simulator."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._under_way: set[str] = set()

    @operation(Operation.SCENARIO_SIMULATE)
    async def simulate(self, principal: Principal, document: SimulationDocument) -> Mapping[str, object]:
        """What happens in the scenario of *document*. Raises what `Simulator.simulate` does.

        Raises QuotaExceededError while another simulation of the tenant goes on, and UnavailableError while
        SIMULATIONS_MAX do in all.
        """
        findings = Findings()
        check_limits(document, findings)
        findings.raise_errors()
        with self._place(principal.tenant_id):
            return await self._simulator.simulate(document.scenario, document.seed)

    @contextmanager
    def _place(self, tenant_id: str) -> Iterator[None]:
        if tenant_id in self._under_way:
            raise QuotaExceededError(
                "One of your simulations is under way; try again when it has ended.", retry_after=_ENDS_WITHIN
            )
        if len(self._under_way) >= SIMULATIONS_MAX:
            raise UnavailableError(f"{SIMULATIONS_MAX} simulations are under way; try again when one has ended.")
        self._under_way.add(tenant_id)
        try:
            yield
        finally:
            self._under_way.remove(tenant_id)
