"""Rows of incidents, of messages and of what tenants want to be told, and what they mean."""

from collections.abc import Mapping
from functools import lru_cache

from cronicorn.domain.alert.alerting import Alerting, IncidentKind
from cronicorn.domain.alert.alerting_document import alerting_document, alerting_of
from cronicorn.domain.alert.incident import AlertEvent, AlertMessage, Incident, MessageState
from cronicorn.domain.cells import Cell, Row, instant_in, instant_or_none, number_in, text_in, text_or_none
from cronicorn.domain.fields import Fields, document_in, json_text, lean, us

_REMEMBERED = 1_024


def alerting_text(alerting: Alerting) -> str:
    """The column `document` of `alertings`."""
    return json_text(alerting_document(alerting))


@lru_cache(_REMEMBERED)
def alerting_from(text: str) -> Alerting:
    """What that column says. Raises one of UNREADABLE."""
    return alerting_of(document_in(text))


def tenants_alerting_of(row: Mapping[str, Cell]) -> tuple[str, Alerting]:
    """Whose row of `alertings` it is, and what that tenant has said. Raises one of UNREADABLE."""
    return text_in(row["tenant_id"]), alerting_from(text_in(row["document"]))


def incident_row(incident: Incident) -> Row:
    """The row of `incidents` as it is to be written, but for its number: with the next version."""
    return {
        "id": incident.id,
        "tenant_id": incident.tenant_id,
        "kind": incident.kind.value,
        "subject": incident.subject,
        "opened_us": us(incident.opened_at),
        "closed_us": us(incident.closed_at),
        "version": incident.version + 1,
        "document": json_text(lean({
            "job": incident.job_id,
            "summary": incident.summary,
            "ending": incident.ending,
            "acknowledged_us": us(incident.acknowledged_at),
            "acknowledged_by": incident.acknowledged_by,
            "relapses": incident.relapses or None,
            "quiet_until_us": us(incident.quiet_until),
            "told_us": {route_id: us(told_at) for route_id, told_at in incident.told.items()} or None,
        })),
    }  # fmt: skip


def incident_of(row: Mapping[str, Cell]) -> Incident:
    """The incident in a row. Raises one of UNREADABLE."""
    fields = Fields(document_in(text_in(row["document"])))
    told = Fields(fields.part("told_us"))
    return Incident(
        id=text_in(row["id"]),
        tenant_id=text_in(row["tenant_id"]),
        kind=IncidentKind(text_in(row["kind"])),
        subject=text_in(row["subject"]),
        opened_at=instant_in(row["opened_us"]),
        closed_at=instant_or_none(row["closed_us"]),
        version=number_in(row["version"]),
        job_id=fields.text_or_none("job"),
        summary=fields.text("summary", ""),
        ending=fields.text_or_none("ending"),
        acknowledged_at=fields.instant_or_none("acknowledged_us"),
        acknowledged_by=fields.text_or_none("acknowledged_by"),
        relapses=fields.number("relapses", 0),
        quiet_until=fields.instant_or_none("quiet_until_us"),
        told={route_id: told.instant(route_id) for route_id in told.document},
    )


def message_row(message: AlertMessage) -> Row:
    """The row of `alert_messages`, but for its number and its claim."""
    return {
        "id": message.id,
        "tenant_id": message.tenant_id,
        "incident_id": message.incident_id,
        "route_id": message.route_id,
        "state": message.state.value,
        "due_us": us(message.due_at),
        "settled_us": us(message.settled_at),
        "document": json_text(lean({
            "event": message.event.value,
            "created_us": us(message.created_at),
            "attempts": message.attempts or None,
            "error": message.error,
            "body": message.body,
        })),
    }  # fmt: skip


def message_of(row: Mapping[str, Cell]) -> AlertMessage:
    """The message in a row. Raises one of UNREADABLE."""
    fields = Fields(document_in(text_in(row["document"])))
    return AlertMessage(
        id=text_in(row["id"]),
        tenant_id=text_in(row["tenant_id"]),
        incident_id=text_or_none(row["incident_id"]),
        route_id=text_in(row["route_id"]),
        state=MessageState(text_in(row["state"])),
        due_at=instant_in(row["due_us"]),
        settled_at=instant_or_none(row["settled_us"]),
        event=AlertEvent(fields.text("event")),
        created_at=fields.instant("created_us"),
        attempts=fields.number("attempts", 0),
        error=fields.text_or_none("error"),
        body=dict(fields.part("body")),
        claim_id=text_or_none(row.get("claim_id")),
    )
