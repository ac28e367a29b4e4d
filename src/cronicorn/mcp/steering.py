"""Tools that steer an endpoint for a while, inside its guardrails."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated

from mcp_types import CallToolResult
from pydantic import Field

from cronicorn.control.document import (
    LENGTH_MS_MAX,
    TTL_MINUTES_MAX,
    IntervalHintDocument,
    OneShotHintDocument,
    PauseDocument,
)
from cronicorn.control.endpoints import EndpointView
from cronicorn.control.findings import refused
from cronicorn.domain.hint import REASON_MAX, fresh_hints, paused_until
from cronicorn.domain.instant import shifted
from cronicorn.mcp.answers import BoundedAnswer, instant, result_of
from cronicorn.mcp.asking import AskedTool, EndpointId, ToolDesk
from cronicorn.mcp.endpoint_lines import HintLine, hint_lines, next_run_at

SECONDS_MAX = LENGTH_MS_MAX // 1_000
MINUTE_MS = 60_000
Reason = Annotated[str, Field(min_length=3, max_length=REASON_MAX, description="Why, for people who look later.")]
Ttl = Annotated[int, Field(ge=1, le=TTL_MINUTES_MAX, description="For how many minutes it counts.")]


class SteeringTold(BoundedAnswer):
    """How an endpoint stands after it was steered."""

    id: str
    next_run_at: str | None = None
    source: str | None = Field(default=None, description="What decided the next instant.")
    paused_until: str | None = None
    hints: Sequence[HintLine] = ()


class Steering:
    """Steers endpoints."""

    def __init__(self, desk: ToolDesk) -> None:
        self._desk = desk

    async def hint_set_interval(
        self,
        ask: AskedTool,
        *,
        endpoint_id: EndpointId,
        every_seconds: Annotated[int, Field(ge=1, le=SECONDS_MAX, description="Within its minimum and maximum.")],
        reason: Reason,
        ttl_minutes: Ttl = 60,
    ) -> Annotated[CallToolResult, SteeringTold]:
        """Run an endpoint at another interval for a while; another hint of this kind replaces it."""
        document = IntervalHintDocument.model_validate(
            {"intervalMs": every_seconds * 1_000, "ttlMinutes": ttl_minutes, "reason": reason}
        )
        principal = await self._desk.principal(ask)
        return result_of(_steered(await self._desk.control.hints.write_interval(principal, endpoint_id, document)))

    async def hint_run_once(
        self,
        ask: AskedTool,
        *,
        endpoint_id: EndpointId,
        reason: Reason,
        in_minutes: Annotated[
            float, Field(ge=0, le=TTL_MINUTES_MAX, description="0: as soon as its minimum lets it.")
        ] = 0,
    ) -> Annotated[CallToolResult, SteeringTold]:
        """Run an endpoint once, not later than in so many minutes, inside its guardrails; a pause holds it back."""
        in_ms = max(1, round(in_minutes * MINUTE_MS))
        document = OneShotHintDocument.model_validate({"nextRunInMs": in_ms, "reason": reason})
        principal = await self._desk.principal(ask)
        return result_of(_steered(await self._desk.control.hints.write_one_shot(principal, endpoint_id, document)))

    async def hint_clear(self, ask: AskedTool, *, endpoint_id: EndpointId) -> Annotated[CallToolResult, SteeringTold]:
        """Take away every hint of an endpoint, whoever wrote it, so that its baseline counts; pauses stay."""
        principal = await self._desk.principal(ask)
        return result_of(_steered(await self._desk.control.hints.clear(principal, endpoint_id)))

    async def endpoint_pause(
        self,
        ask: AskedTool,
        *,
        endpoint_id: EndpointId,
        reason: Reason,
        minutes: Annotated[
            int | None, Field(ge=1, le=TTL_MINUTES_MAX, description="For how long it does not run at all.")
        ] = None,
        resume: Annotated[bool, Field(description="Lift every pause instead.")] = False,
    ) -> Annotated[CallToolResult, SteeringTold]:
        """Do not run an endpoint at all for some minutes, or lift its pauses."""
        if resume == (minutes is not None):
            raise refused("/minutes", "Say for how many `minutes` to pause, or `resume`: one of the two.")
        principal, control = await self._desk.principal(ask), self._desk.control
        until = None
        if minutes is not None:
            now = (await control.endpoints.get(principal, endpoint_id)).now
            until = shifted(now, timedelta(minutes=minutes))
        document = PauseDocument.model_validate({"pausedUntil": until, "reason": reason})
        return result_of(_steered(await control.hints.pause(principal, endpoint_id, document)))


def _steered(view: EndpointView) -> SteeringTold:
    state = view.endpoint.state
    hints = fresh_hints(state.hints, view.now)
    return SteeringTold(
        id=view.endpoint.id, hints=hint_lines(hints), paused_until=instant(paused_until(hints, view.now)),
        next_run_at=next_run_at(state),
        source=state.plan.source.value if state.plan is not None else None,
    )  # fmt: skip
