"""Alerts and incidents on the wire."""

from collections.abc import Sequence
from typing import Any

from cronicorn.api.wire_values import Answer, Instant, Omittable, whole_milliseconds
from cronicorn.control.alert_rendering import rules_shown
from cronicorn.control.incidents import IncidentView
from cronicorn.domain.alert.alerting import (
    AlertChannel,
    Alerting,
    AlertRoute,
    IncidentKind,
    MaintenanceWindow,
)
from cronicorn.domain.alert.incident import AlertEvent, AlertMessage, Incident, MessageState
from cronicorn.domain.alert.targets import shown_target


class ShareAnswer(Answer):
    """So many failures among the last runs."""

    failures: int
    runs: int


class AlertRulesAnswer(Answer):
    """When something is noticed, and when it is over."""

    failures: int
    share: Omittable[ShareAnswer] = None
    successes: int
    late_after_ms: int
    pause_after: Omittable[int] = None
    near_percent: int


class RulesExceptionAnswer(Answer):
    """Rules for some jobs and endpoints alone."""

    job_ids: list[str]
    endpoint_ids: list[str]
    rules: AlertRulesAnswer


class AllRulesAnswer(AlertRulesAnswer):
    """The rules of a tenant."""

    exceptions: list[RulesExceptionAnswer]


class AlertRouteAnswer(Answer):
    """Where messages go, and which. Of a URL, which is a secret, only the host is shown."""

    id: str
    name: str
    channel: AlertChannel
    target: str
    kinds: list[IncidentKind]
    job_ids: list[str]
    endpoint_ids: list[str]
    remind_every_ms: Omittable[int] = None
    enabled: bool


class AlertRoutesAnswer(Answer):
    """Routes, in the order in which they were last changed."""

    routes: list[AlertRouteAnswer]


class MaintenanceAnswer(Answer):
    """A maintenance window."""

    id: str
    name: str
    start_at: Omittable[Instant] = None
    cron: Omittable[str] = None
    timezone: Omittable[str] = None
    duration_ms: int
    job_ids: list[str]
    endpoint_ids: list[str]


class MaintenancesAnswer(Answer):
    """Maintenance windows that are not over."""

    windows: list[MaintenanceAnswer]


class AlertMessageAnswer(Answer):
    """A message to a route."""

    id: str
    route_id: str
    incident_id: Omittable[str] = None
    event: AlertEvent
    state: MessageState
    attempts: int
    created_at: Instant
    next_attempt_at: Omittable[Instant] = None
    settled_at: Omittable[Instant] = None
    error: Omittable[str] = None


class AlertMessagesAnswer(Answer):
    """Messages, newest first."""

    messages: list[AlertMessageAnswer]


class IncidentAnswer(Answer):
    """Something that is, or was, wrong."""

    id: str
    kind: IncidentKind
    endpoint_id: Omittable[str] = None
    job_id: Omittable[str] = None
    summary: str
    opened_at: Instant
    closed_at: Omittable[Instant] = None
    ending: Omittable[str] = None
    acknowledged_at: Omittable[Instant] = None
    acknowledged_by: Omittable[str] = None


class IncidentsAnswer(Answer):
    """Incidents, newest first."""

    incidents: list[IncidentAnswer]
    next_cursor: Omittable[str] = None
    """What to ask with as `cursor` for the next ones; left out at the end."""


class IncidentDetailAnswer(IncidentAnswer):
    """An incident, and the newest messages about it."""

    messages: list[AlertMessageAnswer]


def all_rules_answer(alerting: Alerting) -> AllRulesAnswer:
    """The rules of *alerting* on the wire."""
    exceptions = [
        RulesExceptionAnswer(
            job_ids=list(each.scope.job_ids), endpoint_ids=list(each.scope.endpoint_ids),
            rules=AlertRulesAnswer.model_validate(rules_shown(each.rules)),
        )
        for each in alerting.exceptions
    ]  # fmt: skip
    return AllRulesAnswer.model_validate(rules_shown(alerting.rules) | {"exceptions": exceptions})


def route_answer(route: AlertRoute) -> AlertRouteAnswer:
    """*route* on the wire."""
    return AlertRouteAnswer(
        id=route.id, name=route.name, channel=route.channel, target=shown_target(route), kinds=list(route.kinds),
        job_ids=list(route.scope.job_ids), endpoint_ids=list(route.scope.endpoint_ids),
        remind_every_ms=whole_milliseconds(route.remind_every), enabled=route.enabled,
    )  # fmt: skip


def routes_answer(alerting: Alerting) -> AlertRoutesAnswer:
    """The routes of *alerting* on the wire."""
    return AlertRoutesAnswer(routes=[route_answer(route) for route in alerting.routes])


def window_answer(window: MaintenanceWindow) -> MaintenanceAnswer:
    """*window* on the wire."""
    return MaintenanceAnswer(
        id=window.id, name=window.name, start_at=window.start_at,
        cron=window.cron.expression if window.cron is not None else None,
        timezone=window.cron.zone if window.cron is not None else None,
        duration_ms=whole_milliseconds(window.duration) or 0,
        job_ids=list(window.scope.job_ids), endpoint_ids=list(window.scope.endpoint_ids),
    )  # fmt: skip


def windows_answer(alerting: Alerting) -> MaintenancesAnswer:
    """The maintenance windows of *alerting* on the wire."""
    return MaintenancesAnswer(windows=[window_answer(window) for window in alerting.windows])


def message_answer(message: AlertMessage) -> AlertMessageAnswer:
    """*message* on the wire."""
    return AlertMessageAnswer(
        id=message.id, route_id=message.route_id, incident_id=message.incident_id, event=message.event,
        state=message.state, attempts=message.attempts, created_at=message.created_at,
        next_attempt_at=message.due_at if message.state is MessageState.WAITING else None,
        settled_at=message.settled_at, error=message.error,
    )  # fmt: skip


def messages_answer(messages: Sequence[AlertMessage]) -> AlertMessagesAnswer:
    """*messages* on the wire."""
    return AlertMessagesAnswer(messages=[message_answer(message) for message in messages])


def incident_answer(incident: Incident) -> IncidentAnswer:
    """*incident* on the wire."""
    return IncidentAnswer(**_incident(incident))


def incidents_answer(incidents: Sequence[Incident], next_cursor: str | None = None) -> IncidentsAnswer:
    """*incidents* on the wire."""
    return IncidentsAnswer(incidents=[incident_answer(incident) for incident in incidents], next_cursor=next_cursor)


def incident_detail_answer(view: IncidentView) -> IncidentDetailAnswer:
    """An incident with its messages on the wire."""
    return IncidentDetailAnswer(**_incident(view.incident), messages=[message_answer(each) for each in view.messages])


def _incident(incident: Incident) -> dict[str, Any]:
    return {
        "id": incident.id,
        "kind": incident.kind,
        "endpoint_id": incident.subject or None,
        "job_id": incident.job_id,
        "summary": incident.summary,
        "opened_at": incident.opened_at,
        "closed_at": incident.closed_at,
        "ending": incident.ending,
        "acknowledged_at": incident.acknowledged_at,
        "acknowledged_by": incident.acknowledged_by,
    }
