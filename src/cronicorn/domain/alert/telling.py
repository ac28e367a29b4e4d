"""Which routes are told what of an incident, and when. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple

from cronicorn.domain.alert.alerting import Alerting, AlertRoute, IncidentKind, MaintenanceWindow
from cronicorn.domain.alert.incident import SUMMARY_MAX, WAITING_MAX, AlertEvent, AlertMessage, Incident
from cronicorn.domain.alert.wording import body_of

SOON = timedelta(minutes=10)
"""What comes back within so long has not really been over."""
QUIET_FIRST = timedelta(minutes=2)
QUIET_MAX = timedelta(minutes=15)
"""So long nobody is told of what comes back at once, twice as long each time: it may be over before."""
_DOUBLINGS_MAX = 10


class Told(NamedTuple):
    """An incident, and the messages about it that are to be written with it."""

    incident: Incident
    messages: tuple[AlertMessage, ...] = ()


class Audience(NamedTuple):
    """Who of a tenant may be told at an instant."""

    alerting: Alerting
    windows: Sequence[MaintenanceWindow]
    """Those that hold then."""
    waiting: Mapping[str, int]
    """How many messages wait, by the ids of routes."""
    now: datetime
    new_id: Callable[[], str]
    """Makes ids of messages."""


def relapsed(incident: Incident, before: Incident | None) -> Incident:
    """*incident*, which is new, as one that follows *before*, the last of its kind and subject.

    A pause is none that comes and goes: a person ends it.
    """
    if before is None or before.closed_at is None or incident.kind is IncidentKind.PAUSED:
        return incident
    if not before.closed_at <= incident.opened_at < before.closed_at + SOON:
        return incident
    quiet_until = before.quiet_until
    if before.told:
        quiet_until = before.closed_at + min(QUIET_FIRST * 2 ** min(before.relapses, _DOUBLINGS_MAX), QUIET_MAX)
    return replace(incident, relapses=before.relapses + 1, quiet_until=quiet_until)


def told(incident: Incident, name: str | None, audience: Audience) -> Told:
    """*incident*, which goes on, with a message for each route that has to be told of it now.

    A route is told once, and then again as often as it wants until somebody acknowledges. One that is new, or that was
    kept from it by a maintenance window or by messages that wait, is told later, as all are of what has only just been
    over. *name* is that of the endpoint.
    """
    # What lies further away was written before the clock was set back.
    quiet_until = incident.quiet_until
    if quiet_until is not None and audience.now < quiet_until <= audience.now + QUIET_MAX:
        return Told(incident)
    if any(window.scope.covers(incident.job_id, incident.subject) for window in audience.windows):
        return Told(incident)
    messages = []
    for route in audience.alerting.routes:
        event = _event(incident, route, audience.now)
        full = audience.waiting.get(route.id, 0) >= WAITING_MAX
        if event is not None and not full and route.wants(incident.kind, incident.job_id, incident.subject):
            messages.append(_message(incident, route.id, event, name, audience))
    told_at = {**incident.told, **{message.route_id: audience.now for message in messages}}
    return Told(replace(incident, told=told_at) if messages else incident, tuple(messages))


def closed(incident: Incident, ending: str, name: str | None, audience: Audience) -> Told:
    """*incident*, which is over, with a message for each route that was told of it and is still there."""
    closed_at = max(audience.now, incident.opened_at)
    over = replace(incident, closed_at=closed_at, ending=ending[:SUMMARY_MAX])
    routes = (route for route in audience.alerting.routes if route.enabled and route.id in incident.told)
    return Told(over, tuple(_message(over, route.id, AlertEvent.RECOVERED, name, audience) for route in routes))


def trial(tenant_id: str, route: AlertRoute, now: datetime, message_id: str) -> AlertMessage:
    """A message that tries *route*."""
    return AlertMessage(
        id=message_id, tenant_id=tenant_id, route_id=route.id, event=AlertEvent.TEST, created_at=now, due_at=now,
        body=body_of(None, AlertEvent.TEST, route.name, now),
    )  # fmt: skip


def _event(incident: Incident, route: AlertRoute, now: datetime) -> AlertEvent | None:
    told_at = incident.told.get(route.id)
    if told_at is None:
        return AlertEvent.OPENED
    if route.remind_every is None or incident.acknowledged_at is not None or now - told_at < route.remind_every:
        return None
    return AlertEvent.REMINDER


def _message(
    incident: Incident, route_id: str, event: AlertEvent, name: str | None, audience: Audience
) -> AlertMessage:
    now = audience.now
    return AlertMessage(
        id=audience.new_id(), tenant_id=incident.tenant_id, incident_id=incident.id, route_id=route_id, event=event,
        created_at=now, due_at=now, body=body_of(incident, event, name, now),
    )  # fmt: skip
