"""Tools that find things: what is wrong, and endpoints by words and by how they stand."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated

from mcp_types import CallToolResult
from pydantic import Field

from cronicorn.control.dashboards import Dashboard, DashboardQuery
from cronicorn.control.whereabouts import EndpointStanding
from cronicorn.domain.alert.incident import Incident
from cronicorn.domain.endpoint import Job, JobEndpoint
from cronicorn.domain.hint import paused_until
from cronicorn.domain.instant import second_text, shifted
from cronicorn.domain.untrusted.cleaning import cleaned
from cronicorn.mcp.answers import BoundedAnswer, ToolAnswer, instant, result_of, shown
from cronicorn.mcp.asking import AskedTool, ToolDesk
from cronicorn.mcp.endpoint_lines import next_run_at, schedule_line

LISTED_MAX = 10
FOUND_MAX = 50
SERIES = 50
"""So many endpoints, the busiest ones, are asked how their runs fared."""
UNRELIABLE = 95.0
"""An endpoint is told of when less than so many percent of its runs succeeded."""
NAME_MAX = 80


class EndpointLine(ToolAnswer):
    """An endpoint in a list."""

    id: str
    name: str
    """As `job/endpoint`."""
    schedule: str | None = None
    next_run_at: str | None = None
    failures_in_a_row: int | None = None
    paused_until: str | None = None
    archived: bool | None = None


class UnreliableLine(ToolAnswer):
    """An endpoint that fails now and then."""

    id: str
    name: str
    """As `job/endpoint`, where what was looked at tells the job."""
    runs: int
    failed: int


class IncidentLine(ToolAnswer):
    """Something that is wrong."""

    id: str
    kind: str
    endpoint_id: str | None = None
    opened_at: str
    summary: str | None = None
    acknowledged: bool | None = None


class HealthSummary(BoundedAnswer):
    """Where a tenant's endpoints stand."""

    now: str
    endpoints: int
    complete: bool = Field(description="Whether all endpoints were looked at.")
    runs_last_day: int
    success_rate_last_day: float = Field(description="Percent.")
    late: int = Field(description="Due, and nobody is on them: no worker takes what is due.")
    failing_in_all: int
    failing: Sequence[EndpointLine] = Field(default=(), description="Those whose last slots failed, the worst first.")
    unreliable: Sequence[UnreliableLine] = Field(default=(), description="Those that failed now and then.")
    open_incidents: Sequence[IncidentLine] = ()
    steered: int = Field(description="Hints that count now.")


class EndpointsFound(BoundedAnswer):
    """What a search found."""

    now: str
    found: int
    complete: bool = Field(description="Whether all endpoints were looked at.")
    endpoints: Sequence[EndpointLine] = ()


class EndpointLookup:
    """Finds things."""

    def __init__(self, desk: ToolDesk) -> None:
        self._desk = desk

    async def health_summary(self, ask: AskedTool) -> Annotated[CallToolResult, HealthSummary]:
        """What is wrong now: failing, unreliable and late endpoints, and open incidents. Begin here."""
        principal, control = await self._desk.principal(ask), self._desk.control
        overview = await control.overviews.show(principal)
        since = shifted(overview.now, -timedelta(days=1))
        dashboard = await control.dashboards.show(principal, DashboardQuery(since=since, series=SERIES))
        incidents = await control.incidents.list(principal, open_only=True, limit=LISTED_MAX)
        seen = (*overview.failing, *overview.due)
        names = {each.endpoint.id: _name(each.job, each.endpoint) for each in seen}
        return result_of(
            HealthSummary(
                now=second_text(overview.now), endpoints=overview.endpoints, complete=overview.complete,
                runs_last_day=dashboard.fared.runs, success_rate_last_day=dashboard.fared.rate, late=overview.late,
                failing_in_all=overview.failing_in_all,
                failing=[_line(each.job, each.endpoint, overview.now) for each in overview.failing[:LISTED_MAX]],
                unreliable=_unreliable(dashboard, names), open_incidents=[_incident(each) for each in incidents],
                steered=len(overview.steered),
            )
        )  # fmt: skip

    async def endpoint_search(
        self,
        ask: AskedTool,
        *,
        query: Annotated[
            str, Field(max_length=200, description="Words in the name, URL, id or job; empty finds all.")
        ] = "",
        state: Annotated[EndpointStanding | None, Field(description="Only those that stand so.")] = None,
        limit: Annotated[int, Field(ge=1, le=FOUND_MAX)] = 20,
    ) -> Annotated[CallToolResult, EndpointsFound]:
        """Find endpoints by words and by how they stand. Other tools take the ids that this answers."""
        principal, control = await self._desk.principal(ask), self._desk.control
        standing = await control.whereabouts.standing(principal, state)
        found, complete = [(each.job, each.endpoint) for each in standing.found], standing.complete
        if words := cleaned(query).strip():
            fitting = await control.search.find(principal, words)
            ids = {endpoint.id for _, endpoint in found} if state is not None else None
            found = [each for each in fitting.endpoints if ids is None or each[1].id in ids]
            complete = (complete or ids is None) and fitting.complete and not fitting.more_endpoints
        lines = [_line(job, endpoint, standing.now) for job, endpoint in found[:limit]]
        note = f"{len(found) - limit} more were found." if len(found) > limit else None
        return result_of(
            EndpointsFound(
                now=second_text(standing.now), found=len(found), complete=complete, endpoints=lines, note=note
            )
        )


def _line(job: Job, endpoint: JobEndpoint, now: datetime) -> EndpointLine:
    return EndpointLine(
        id=endpoint.id, name=_name(job, endpoint), schedule=schedule_line(endpoint),
        next_run_at=next_run_at(endpoint.state),
        failures_in_a_row=endpoint.state.failure_count or None,
        paused_until=instant(paused_until(endpoint.state.hints, now)),
        archived=endpoint.archived_at is not None or None,
    )  # fmt: skip


def _name(job: Job, endpoint: JobEndpoint) -> str:
    return shown(f"{job.name}/{endpoint.name}", NAME_MAX) or endpoint.id


def _unreliable(dashboard: Dashboard, names: Mapping[str, str]) -> list[UnreliableLine]:
    """The worst of those that were shown."""
    lines = []
    for each in dashboard.endpoints:
        runs, failed = sum(step.runs for step in each.steps), sum(step.failure for step in each.steps)
        if failed and 100 * (runs - failed) < UNRELIABLE * runs:
            name = names.get(each.endpoint_id) or shown(each.endpoint_name, NAME_MAX) or each.endpoint_id
            lines.append(UnreliableLine(id=each.endpoint_id, name=name, runs=runs, failed=failed))
    return sorted(lines, key=lambda line: (-line.failed / line.runs, line.id))[:LISTED_MAX]


def _incident(incident: Incident) -> IncidentLine:
    return IncidentLine(
        id=incident.id, kind=incident.kind.value, endpoint_id=incident.subject or None,
        opened_at=second_text(incident.opened_at), summary=shown(incident.summary),
        acknowledged=incident.acknowledged_at is not None or None,
    )  # fmt: skip
