"""The rules of alerts: when something is noticed and when it is over, for all endpoints and for some."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from cronicorn.control.file_owners import FileOwner
from cronicorn.control.findings import Findings
from cronicorn.control.plane import ControlPlane
from cronicorn.domain.alert.alerting import USUAL_RULES, Alerting, RulesException
from cronicorn.domain.alert.versions import version_of_alert_rules
from cronicorn.domain.errors import NotFoundError, PreconditionFailedError
from cronicorn.domain.filing.file_set import RULES_PART
from cronicorn.domain.permission import Operation
from cronicorn.domain.principal import Principal
from cronicorn.domain.unchanged import Unchanged
from cronicorn.web.alert_forms import (
    RULES_LABELS,
    entered_in,
    of_exception,
    read_exception,
    read_rules,
    rules_entered,
    without_exception,
)
from cronicorn.web.alert_scopes import ScopeLines, read_scope, told_scopes
from cronicorn.web.form_shown import TOLD_IN_FORMS, form_shown
from cronicorn.web.site import WebSite, see
from cronicorn.web.view import Looked, View

_RULES = "/alerts/rules"


def alert_rule_pages(site: WebSite, control: ControlPlane) -> APIRouter:
    """What holds, and how the rules for all and the exceptions from them are changed."""
    router = APIRouter()

    @router.get(_RULES)
    async def show(view: Looked) -> Response:
        alerting = await control.alerts.show(view.asker)
        usual = alerting.rules == USUAL_RULES
        scopes = await told_scopes(control, view.asker, [each.scope for each in alerting.exceptions])
        owners = await _owners(control, view)
        return site.page(view, "alert_rules.html", alerting=alerting, scopes=scopes, usual=usual, owners=owners)

    @router.get("/alerts/rules/change")
    async def begin(view: Looked) -> Response:
        alerting = await _alerting(control, view)
        entered, version = rules_entered(alerting.rules), version_of_alert_rules(alerting)
        return await _form(site, control, view, None, form_shown(view, entered, RULES_LABELS, version=version))

    @router.post("/alerts/rules/change")
    async def change(view: Looked) -> Response:
        alerting, stored = await _alerting(control, view), None
        entered, version = entered_in(view.form, RULES_LABELS), view.entered("version")
        try:
            document = read_rules(entered, alerting, Findings())
            await control.alerts.change_rules(view.asker, document, view.unchanged)
        except TOLD_IN_FORMS as error:
            if isinstance(error, PreconditionFailedError):
                alerting = await control.alerts.show(view.asker)
                stored, version = rules_entered(alerting.rules), version_of_alert_rules(alerting)
            shown = form_shown(view, entered, RULES_LABELS, error, version=version, stored=stored)
            return await _form(site, control, view, None, shown)
        return see(_RULES)

    router.include_router(_exception_pages(site, control))
    router.include_router(_exception_edit_pages(site, control))
    return router


def _exception_pages(site: WebSite, control: ControlPlane) -> APIRouter:
    router = APIRouter()

    @router.get("/alerts/rules/new")
    async def ask(view: Looked) -> Response:
        alerting = await _alerting(control, view)
        return await _form(site, control, view, "new", form_shown(view, rules_entered(alerting.rules), RULES_LABELS))

    @router.post("/alerts/rules/new")
    async def add(view: Looked) -> Response:
        alerting, findings = await _alerting(control, view), Findings()
        entered, place = entered_in(view.form, RULES_LABELS), len(alerting.exceptions)
        scope = await read_scope(control, view.asker, entered, findings)
        try:
            document = read_exception(entered, alerting, place, scope, findings)
            unchanged = Unchanged(versions=frozenset({version_of_alert_rules(alerting)}))
            await control.alerts.change_rules(view.asker, document, unchanged)
        except TOLD_IN_FORMS as error:
            return await _form(
                site, control, view, "new", form_shown(view, entered, RULES_LABELS, of_exception(error, place))
            )
        return see(_RULES)

    return router


def _exception_edit_pages(site: WebSite, control: ControlPlane) -> APIRouter:
    router = APIRouter()

    @router.get("/alerts/rules/{place}")
    async def begin(view: Looked, place: int) -> Response:
        alerting = await _alerting(control, view)
        entered, version = await _entered(control, view.asker, _at(alerting, place)), version_of_alert_rules(alerting)
        return await _form(site, control, view, place, form_shown(view, entered, RULES_LABELS, version=version))

    @router.post("/alerts/rules/{place}")
    async def change(view: Looked, place: int) -> Response:
        alerting, findings, stored = await _alerting(control, view), Findings(), None
        entered, version = entered_in(view.form, RULES_LABELS), view.entered("version")
        scope = await read_scope(control, view.asker, entered, findings, _at(alerting, place).scope)
        try:
            document = read_exception(entered, alerting, place, scope, findings)
            await control.alerts.change_rules(view.asker, document, view.unchanged)
        except TOLD_IN_FORMS as error:
            if isinstance(error, PreconditionFailedError):
                alerting = await control.alerts.show(view.asker)
                stored = await _entered(control, view.asker, _at(alerting, place))
                version = version_of_alert_rules(alerting)
            shown = form_shown(view, entered, RULES_LABELS, of_exception(error, place), version=version, stored=stored)
            return await _form(site, control, view, place, shown)
        return see(_RULES)

    @router.post("/alerts/rules/{place}/remove")
    async def remove(view: Looked, place: int) -> Response:
        alerting = await _alerting(control, view)
        _at(alerting, place)
        await control.alerts.change_rules(view.asker, without_exception(alerting, place), view.unchanged)
        return see(_RULES)

    return router


async def _form(
    site: WebSite, control: ControlPlane, view: View, place: int | str | None, shown: Mapping[str, Any]
) -> Response:
    """The form of the rules for all, of the exception at *place*, or of a `new` one."""
    owners = await _owners(control, view)
    return site.page(view, "alert_rules_form.html", usual=USUAL_RULES, place=place, owners=owners, **shown)


async def _owners(control: ControlPlane, view: View) -> Sequence[FileOwner]:
    return (await control.file_owners.of_alerting(view.asker)).get(RULES_PART, ())


async def _alerting(control: ControlPlane, view: View) -> Alerting:
    view.asker.check(Operation.ALERT_RULES_CHANGE)
    return await control.alerts.show(view.asker)


def _at(alerting: Alerting, place: int) -> RulesException:
    if not 0 <= place < len(alerting.exceptions):
        raise NotFoundError("There is no such exception from the rules any more.")
    return alerting.exceptions[place]


async def _entered(control: ControlPlane, asker: Principal, exception: RulesException) -> dict[str, str]:
    lines = await ScopeLines.open(control, asker)
    return rules_entered(exception.rules, await lines.written(exception.scope))
