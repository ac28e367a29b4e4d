"""The planner over a store, and the model it asks."""

from cronicorn.control.identity import random_id
from cronicorn.domain.compilation.ports import DraftMaker
from cronicorn.domain.ports import Clock, Cron
from cronicorn.domain.quota.ports import Quota
from cronicorn.scheduler import AIClient, Planner
from cronicorn.wiring.settings import Settings
from cronicorn.wiring.stores import Stores


def model_planner(
    settings: Settings,
    stores: Stores,
    quota: Quota,
    client: AIClient | None,
    drafts: DraftMaker | None,
    *,
    clock: Clock,
    cron: Cron,
) -> Planner | None:
    """A planner that asks *client*, inside *quota*; None when there is no model."""
    if client is None or settings.ai_model is None:
        return None
    from cronicorn.scheduler.planner import ModelPlanner, PlannerPorts, PlannerSettings

    ports = PlannerPorts(
        watches=stores.watches,
        endpoints=stores.endpoints,
        history=stores.runs,
        quota=quota,
        client=client,
        drafts=drafts,
    )
    chosen = PlannerSettings(model=settings.ai_model, parallel=settings.quota_calls_max)
    return ModelPlanner(ports, chosen, clock, cron, random_id)
