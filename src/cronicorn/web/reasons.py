"""Why an endpoint runs when it does, as its pages show it: the plan, and how all that steers it stands."""

from collections.abc import Sequence
from typing import Any

from cronicorn.control.plane import ControlPlane
from cronicorn.control.schedules import Explanation
from cronicorn.domain.explain_steering import explained_steering
from cronicorn.domain.principal import Principal
from cronicorn.domain.run import Run
from cronicorn.domain.slot import SlotState
from cronicorn.domain.standings import rule_standings, signal_standings, signals_tighten
from cronicorn.domain.steering_record import SteeringRecord


async def reasons(
    control: ControlPlane, asker: Principal, explanation: Explanation, runs: Sequence[Run]
) -> dict[str, Any]:
    """What pages show of *explanation*, where *runs* are the newest ones."""
    endpoint, now = explanation.endpoint, explanation.now
    skips = await control.runs.skips(asker, endpoint.id, 1, SlotState.SKIPPED_QUOTA)
    record = _record(runs)
    return {
        "explanation": explanation,
        "steering": explained_steering(record, endpoint.policy) if record is not None else None,
        "rules": rule_standings(endpoint, record, now),
        "signals": signal_standings(endpoint, record, now),
        "tightens": signals_tighten(endpoint),
        "skip": explanation.unexplained(skips.skips),
    }


def _record(runs: Sequence[Run]) -> SteeringRecord | None:
    """What signals and rules made of the newest answer that they did something with."""
    texts = (run.steering for run in runs if run.steering is not None)
    newest = next(texts, None)
    return SteeringRecord.decode(newest) if newest is not None else None
