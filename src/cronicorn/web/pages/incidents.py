"""Incidents: what is wrong and what was, who was told, and that somebody sees to it."""

from collections.abc import Mapping, Sequence

from fastapi import APIRouter
from starlette.responses import Response

from cronicorn.control.identity import possible_id
from cronicorn.control.plane import ControlPlane
from cronicorn.control.whereabouts import PlacedEndpoint
from cronicorn.domain.alert.incident import Incident
from cronicorn.domain.principal import Principal
from cronicorn.web.addresses import own_path
from cronicorn.web.incident_words import KINDS
from cronicorn.web.live import Mark
from cronicorn.web.site import WebSite, see
from cronicorn.web.view import Looked, ThingId

INCIDENTS_SHOWN = 30
"""On one page."""


def incident_pages(site: WebSite, control: ControlPlane) -> APIRouter:
    """What can be seen of incidents, and done about one."""
    router = APIRouter()

    @router.get("/incidents")
    async def show_all(view: Looked, show: str = "", after: str = "") -> Response:
        asker, every, last = view.asker, show == "all", possible_id(after) if after else None
        found = await control.incidents.list(asker, open_only=not every, limit=INCIDENTS_SHOWN + 1, after=last)
        shown = found[:INCIDENTS_SHOWN]
        alerting = await control.alerts.show(asker)
        return site.page(
            view, "incidents.html", incidents=shown, kinds=KINDS, every=every, first=not after,
            further=shown[-1].id if len(found) > INCIDENTS_SHOWN else None, placed=await _placed(control, asker, shown),
            told=any(route.enabled for route in alerting.routes),
            quiet=[each for each in await control.alerts.windows(asker) if each.holds],
        )  # fmt: skip

    @router.get("/incidents/{incident_id}")
    async def show(view: Looked, incident_id: ThingId) -> Response:
        found = await control.incidents.get(view.asker, incident_id)
        alerting = await control.alerts.show(view.asker)
        return site.page(
            view, "incident.html", incident=found.incident, messages=found.messages,
            words=KINDS[found.incident.kind], routes={route.id: route for route in alerting.routes},
            placed=await _placed(control, view.asker, [found.incident]),
        )  # fmt: skip

    @router.post("/incidents/{incident_id}/acknowledge")
    async def acknowledge(view: Looked, incident_id: ThingId) -> Response:
        await control.incidents.acknowledge(view.asker, incident_id)
        return see(own_path(view.entered("to"), f"/incidents/{incident_id}"))

    return router


def incidents_mark(control: ControlPlane) -> Mark:
    """What the list of incidents shows, in short."""

    async def mark(asker: Principal, _: str) -> str:
        found = await control.incidents.list(asker, limit=INCIDENTS_SHOWN)
        return repr([(each.id, each.version) for each in found])

    return mark


def incident_mark(control: ControlPlane) -> Mark:
    """What the page of an incident shows, in short."""

    async def mark(asker: Principal, incident_id: str) -> str:
        found = await control.incidents.get(asker, incident_id)
        placed = await _placed(control, asker, [found.incident])
        failures = [each.endpoint.state.failure_count for each in placed.values()]
        messages = [(each.id, each.attempts, each.state) for each in found.messages]
        return repr((found.incident.version, failures, messages))

    return mark


async def _placed(
    control: ControlPlane, asker: Principal, incidents: Sequence[Incident]
) -> Mapping[str, PlacedEndpoint]:
    """The endpoints that *incidents* are about, by their ids; those that are gone are left out."""
    return await control.whereabouts.place(asker, {each.subject for each in incidents if each.subject})
