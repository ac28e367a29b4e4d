"""Routes of alerts: rules, where messages go, maintenance windows."""

# ruff: noqa: FAST003 - the parameters of paths have their names in `parameters`

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query

from cronicorn.api.parameters import Asker, Id
from cronicorn.api.strict_json import StrictRoute
from cronicorn.api.wire_alerts import (
    AlertMessageAnswer,
    AlertMessagesAnswer,
    AlertRouteAnswer,
    AlertRoutesAnswer,
    AllRulesAnswer,
    MaintenanceAnswer,
    MaintenancesAnswer,
    all_rules_answer,
    message_answer,
    messages_answer,
    route_answer,
    routes_answer,
    window_answer,
    windows_answer,
)
from cronicorn.control.alert_documents import (
    AlertRouteDocument,
    AlertRoutePatch,
    AllRulesDocument,
    MaintenanceDocument,
)
from cronicorn.control.alerts import MESSAGES_MAX, Alerts


def alert_rule_routes(alerts: Alerts) -> APIRouter:
    """What can be asked about the rules by which something is noticed."""
    router = APIRouter(prefix="/alert-rules", tags=["alerts"], route_class=StrictRoute)

    @router.get("")
    async def get_alert_rules(asker: Asker) -> AllRulesAnswer:
        """What holds, whether somebody said so or not."""
        return all_rules_answer(await alerts.show(asker))

    @router.put("")
    async def put_alert_rules(asker: Asker, document: AllRulesDocument) -> AllRulesAnswer:
        """What is left out is as usual from then on."""
        return all_rules_answer(await alerts.change_rules(asker, document))

    return router


def alert_route_routes(alerts: Alerts) -> APIRouter:
    """What can be asked about where messages go."""
    router = APIRouter(prefix="/alert-routes", tags=["alerts"], route_class=StrictRoute)

    @router.get("")
    async def list_alert_routes(asker: Asker) -> AlertRoutesAnswer:
        """Every route."""
        return routes_answer(await alerts.show(asker))

    @router.post("", status_code=HTTPStatus.CREATED)
    async def create_alert_route(asker: Asker, document: AlertRouteDocument) -> AlertRouteAnswer:
        """It is told of incidents that are open already, too."""
        return route_answer(await alerts.create_route(asker, document))

    @router.get("/{id}")
    async def get_alert_route(asker: Asker, route_id: Id) -> AlertRouteAnswer:
        """One route."""
        return route_answer((await alerts.show(asker)).route(route_id))

    @router.patch("/{id}")
    async def edit_alert_route(asker: Asker, route_id: Id, patch: AlertRoutePatch) -> AlertRouteAnswer:
        """What is absent stays; `remindEveryMs: null` reminds no more."""
        return route_answer(await alerts.edit_route(asker, route_id, patch))

    @router.delete("/{id}", status_code=HTTPStatus.NO_CONTENT)
    async def remove_alert_route(asker: Asker, route_id: Id) -> None:
        """What waits for it is not delivered any more."""
        await alerts.remove_route(asker, route_id)

    @router.post("/{id}/test", status_code=HTTPStatus.ACCEPTED)
    async def test_alert_route(asker: Asker, route_id: Id) -> AlertMessageAnswer:
        """Sends a message as any other one is sent; the messages of the route say what became of it."""
        return message_answer(await alerts.test_route(asker, route_id))

    @router.get("/{id}/messages")
    async def list_alert_messages(
        asker: Asker, route_id: Id, limit: Annotated[int, Query(ge=1, le=MESSAGES_MAX)] = 100
    ) -> AlertMessagesAnswer:
        """What was sent to it or waits for it, newest first."""
        return messages_answer(await alerts.messages(asker, route_id, limit=limit))

    return router


def maintenance_routes(alerts: Alerts) -> APIRouter:
    """What can be asked about maintenance windows."""
    router = APIRouter(prefix="/maintenance-windows", tags=["alerts"], route_class=StrictRoute)

    @router.get("")
    async def list_maintenance_windows(asker: Asker) -> MaintenancesAnswer:
        """Those that are not over."""
        return windows_answer(await alerts.show(asker))

    @router.post("", status_code=HTTPStatus.CREATED)
    async def create_maintenance_window(asker: Asker, document: MaintenanceDocument) -> MaintenanceAnswer:
        """While it holds nobody is told of incidents. Endpoints run on, and incidents are kept."""
        return window_answer(await alerts.create_window(asker, document))

    @router.delete("/{id}", status_code=HTTPStatus.NO_CONTENT)
    async def remove_maintenance_window(asker: Asker, window_id: Id) -> None:
        """What it kept back, and goes on, is told with the next look."""
        await alerts.remove_window(asker, window_id)

    return router
