"""The forms of alerts: routes, rules and maintenance windows as texts in fields, and documents of what was entered."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from cronicorn.control.alert_documents import (
    AlertRouteDocument,
    AlertRoutePatch,
    AllRulesDocument,
    MaintenanceDocument,
)
from cronicorn.control.alert_rendering import route_shown, rules_shown
from cronicorn.control.findings import Findings
from cronicorn.control.misfits import whole_document
from cronicorn.control.rendering import Fields
from cronicorn.domain.alert.alerting import Alerting, AlertRoute, AlertRules, AlertScope, IncidentKind
from cronicorn.domain.errors import CronicornError, InvalidInputError
from cronicorn.web.alert_scopes import SCOPE
from cronicorn.web.form_fields import read_texts, read_wall_clock, texts_of, tidied, zone_named
from cronicorn.web.form_values import LENGTH, NUMBER, SWITCH, TEXT, Notation
from cronicorn.web.incident_words import KINDS

_RULES: Final[Mapping[str, Notation]] = {
    "failures": NUMBER,
    "share/failures": NUMBER,
    "share/runs": NUMBER,
    "successes": NUMBER,
    "lateAfterMs": LENGTH,
    "pauseAfter": NUMBER,
    "nearPercent": NUMBER,
}
_ROUTE: Final[Mapping[str, Notation]] = {
    "name": TEXT,
    "channel": TEXT,
    "target": TEXT,
    "remindEveryMs": LENGTH,
    "enabled": SWITCH,
}
_TICKED: Final = {f"kinds/{kind}": kind for kind in IncidentKind}
"""The boxes of the kinds that a route takes."""
_WINDOW: Final[Mapping[str, Notation]] = {"name": TEXT, "durationMs": LENGTH}
_CRON: Final[Mapping[str, Notation]] = {"cron": TEXT, "timezone": TEXT}
RULES_LABELS: Final[Mapping[str, str]] = {
    "failures": "Failing after",
    "share/failures": "or after",
    "share/runs": "of the last runs",
    "successes": "Recovered after",
    "lateAfterMs": "Late after",
    "pauseAfter": "Paused after",
    "nearPercent": "Quota nearly used from",
    SCOPE: "Jobs and endpoints",
}
ROUTE_LABELS: Final[Mapping[str, str]] = {
    "name": "Name",
    "channel": "How messages travel",
    "target": "Where to",
    "remindEveryMs": "Told again every",
    "enabled": "State",
    **{name: f"Told of “{KINDS[kind].title}”" for name, kind in _TICKED.items()},
    SCOPE: "Jobs and endpoints",
}
WINDOW_LABELS: Final[Mapping[str, str]] = {
    "name": "Name",
    "kind": "Comes",
    "startAt": "Begins",
    "cron": "Begins at the instants of",
    "timezone": "Time zone",
    "durationMs": "Lasts",
    SCOPE: "Jobs and endpoints",
}
"""What people call the fields of each form."""
NEW_ROUTE: Final = dict.fromkeys(ROUTE_LABELS, "") | {"channel": "webhook", "enabled": "yes"}
NEW_WINDOW: Final = dict.fromkeys(WINDOW_LABELS, "") | {"kind": "once", "timezone": "UTC", "durationMs": "2h"}


def rules_entered(rules: AlertRules, scope: str = "") -> dict[str, str]:
    """What a form shows of *rules*, and of whom they hold for."""
    return texts_of(rules_shown(rules), _RULES) | {SCOPE: scope}


def read_rules(entered: Mapping[str, str], before: Alerting, findings: Findings) -> AllRulesDocument:
    """All rules *before*, with what was entered for all in their place. Raises InvalidInputError."""
    read = read_texts(entered, _RULES, findings)
    return whole_document(AllRulesDocument, read | {"exceptions": _exceptions(before)}, findings)


def read_exception(
    entered: Mapping[str, str], before: Alerting, place: int, scope: AlertScope, findings: Findings
) -> AllRulesDocument:
    """All rules *before*, with the exception that was entered at *place*. Raises InvalidInputError."""
    read = read_texts(entered, _RULES, findings)
    if scope == AlertScope() and not findings.found(f"/{SCOPE}"):
        findings.refuse(f"/{SCOPE}", "Name jobs or endpoints for which it holds.")
    findings.raise_errors()
    exceptions = _exceptions(before)
    exceptions[place : place + 1] = [{**_scoped(scope), "rules": read}]
    return whole_document(AllRulesDocument, rules_shown(before.rules) | {"exceptions": exceptions}, findings)


def of_exception(error: CronicornError, place: int) -> CronicornError:
    """*error* about all rules, as its form has the fields of the exception at *place*."""
    if not isinstance(error, InvalidInputError):
        return error
    pointers = [fault.pointer.removeprefix(f"/exceptions/{place}/rules") for fault in error.fields]
    faults = zip(pointers, error.fields, strict=True)
    return InvalidInputError(str(error), fields=tuple(replace(fault, pointer=pointer) for pointer, fault in faults))


def without_exception(before: Alerting, place: int) -> AllRulesDocument:
    """All rules *before* but the exception at *place*."""
    kept = _exceptions(before)
    del kept[place]
    return whole_document(AllRulesDocument, rules_shown(before.rules) | {"exceptions": kept}, Findings())


def entered_in(form: Mapping[str, str], names: Iterable[str]) -> dict[str, str]:
    """What *form* has of the fields *names*; one that a browser does not send is empty."""
    return dict.fromkeys(names, "") | tidied(form, names)


def route_entered(route: AlertRoute, scope: str) -> dict[str, str]:
    """What a form shows of *route*, whose *scope* is written."""
    ticked = {name: "yes" if kind in route.kinds else "" for name, kind in _TICKED.items()}
    return texts_of(route_shown(route), _ROUTE) | ticked | {SCOPE: scope}


def read_new_route(entered: Mapping[str, str], scope: AlertScope, findings: Findings) -> AlertRouteDocument:
    """The route that was entered. Raises InvalidInputError."""
    return whole_document(AlertRouteDocument, _route(entered, scope, findings), findings)


def read_route(entered: Mapping[str, str], scope: AlertScope, findings: Findings) -> AlertRoutePatch:
    """The whole of a route, as a change of it. Raises InvalidInputError."""
    whole = {"name": "", "target": ""} | _route(entered, scope, findings)
    return whole_document(AlertRoutePatch, whole, findings)


def read_window(entered: Mapping[str, str], scope: AlertScope, findings: Findings) -> MaintenanceDocument:
    """The maintenance window that was entered. Raises InvalidInputError."""
    document = read_texts(entered, _WINDOW, findings) | _scoped(scope)
    if entered["kind"] == "cron":
        document |= read_texts(entered, _CRON, findings)
        if not entered["cron"]:
            findings.refuse("/cron", "Say when it begins: this field is required.")
    else:
        document["startAt"] = read_wall_clock("startAt", entered, zone_named(entered["timezone"]), findings)
        if not entered["startAt"]:
            findings.refuse("/startAt", "Say when it begins: this field is required.")
    return whole_document(MaintenanceDocument, document, findings)


def _exceptions(before: Alerting) -> list[object]:
    return [{**_scoped(each.scope), "rules": rules_shown(each.rules)} for each in before.exceptions]


def _route(entered: Mapping[str, str], scope: AlertScope, findings: Findings) -> Fields:
    document = {"remindEveryMs": None} | read_texts(entered, _ROUTE, findings) | _scoped(scope)
    return document | {"kinds": [kind.value for name, kind in _TICKED.items() if entered[name]]}


def _scoped(scope: AlertScope) -> Fields:
    return {"jobIds": list(scope.job_ids), "endpointIds": list(scope.endpoint_ids)}
