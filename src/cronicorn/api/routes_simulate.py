"""The route of the simulator."""

from fastapi import APIRouter

from cronicorn.api.parameters import Asker
from cronicorn.api.strict_json import StrictRoute
from cronicorn.api.wire_simulation import SimulationAnswer
from cronicorn.control.simulations import SimulationDocument, Simulations


def simulation_routes(simulations: Simulations) -> APIRouter:
    """What can be asked of the simulator; nothing is called, and nothing changes."""
    router = APIRouter(tags=["simulation"], route_class=StrictRoute)

    @router.post("/simulate")
    async def simulate(asker: Asker, document: SimulationDocument) -> SimulationAnswer:
        """Run a scenario on a virtual clock: the real scheduler and rules, made-up answers. Nothing is called.

        A scenario that takes more than 10 s of processor time or 1 GiB is refused.
        """
        return SimulationAnswer.model_validate(await simulations.simulate(asker, document))

    return router
