"""Routes of incidents."""

# ruff: noqa: FAST003 - the parameters of paths have their names in `parameters`

from typing import Annotated

from fastapi import APIRouter, Query

from cronicorn.api.cursors import Cursor, Paging
from cronicorn.api.parameters import Asker, Id, Offset
from cronicorn.api.strict_json import StrictRoute
from cronicorn.api.wire_alerts import (
    IncidentAnswer,
    IncidentDetailAnswer,
    IncidentsAnswer,
    incident_answer,
    incident_detail_answer,
    incidents_answer,
)
from cronicorn.control.incidents import Incidents

LISTED_MAX = 1_000


def incident_routes(incidents: Incidents) -> APIRouter:
    """What can be asked about incidents."""
    router = APIRouter(prefix="/incidents", tags=["alerts"], route_class=StrictRoute)

    @router.get("")
    async def list_incidents(
        asker: Asker,
        *,
        open_only: Annotated[bool, Query(alias="open")] = False,
        limit: Annotated[int, Query(ge=1, le=LISTED_MAX)] = 100,
        offset: Offset = 0,
        cursor: Cursor = None,
    ) -> IncidentsAnswer:
        """Newest first, with `open=true` those that go on."""
        paging = Paging(asker, "incidents", open_only)
        after = paging.after(cursor, offset=offset)
        found = await incidents.list(asker, open_only=open_only, limit=limit + 1, offset=offset, after=after)
        return incidents_answer(*paging.cut(found, limit, lambda incident: (incident.id,)))

    @router.get("/{id}")
    async def get_incident(asker: Asker, incident_id: Id) -> IncidentDetailAnswer:
        """One incident, and what was sent about it."""
        return incident_detail_answer(await incidents.get(asker, incident_id))

    @router.post("/{id}/acknowledge")
    async def acknowledge_incident(asker: Asker, incident_id: Id) -> IncidentAnswer:
        """Somebody sees to it: nobody is reminded of it any more."""
        return incident_answer(await incidents.acknowledge(asker, incident_id))

    return router
