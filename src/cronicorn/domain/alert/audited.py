"""What the audit log tells of rules, routes and maintenance windows. Pure."""

from datetime import datetime

from cronicorn.domain.access.audit_entry import AuditEntry, audited
from cronicorn.domain.alert.alerting import Alerting
from cronicorn.domain.alert.alerting_document import alerting_document
from cronicorn.domain.fields import Document, Value
from cronicorn.domain.principal import Principal


def alerting_entry(
    by: Principal | None, at: datetime, tenant_id: str, before: Alerting, after: Alerting
) -> AuditEntry | None:
    """The entry for what *by* made of what the tenant wants to be told."""
    told = alerting_document(before), alerting_document(after)
    return audited(by, at, ("alerting", tenant_id), *told, mask=_without_targets)


def _without_targets(document: Document) -> Document:
    """Whoever knows the URL of a webhook may post there."""
    routes = document.get("routes")
    if not isinstance(routes, list):
        return document
    masked: list[Value] = [_without_target(route) for route in routes]
    return document | {"routes": masked}


def _without_target(route: Value) -> Value:
    assert isinstance(route, dict)
    return {name: value for name, value in route.items() if name not in {"target", "sealed"}}
