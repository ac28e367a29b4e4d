"""What tenants want to be told, incidents and messages about them, in memory."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from cronicorn.adapters.memory.audit_log import record
from cronicorn.adapters.memory.database import MemoryDatabase
from cronicorn.adapters.memory.row import Row
from cronicorn.domain.access.audit_views import endpoint_entry
from cronicorn.domain.alert.alerting import NO_ALERTING, Alerting
from cronicorn.domain.alert.audited import alerting_entry
from cronicorn.domain.alert.incident import AlertMessage, Incident, MessageState
from cronicorn.domain.alert.ports import AlertingBook, AlertRound, AlertWatch, IncidentBook, Outbox, Suspect
from cronicorn.domain.endpoint import EndpointState
from cronicorn.domain.errors import NotFoundError
from cronicorn.domain.history import place_gone
from cronicorn.domain.instant import EPOCH, FIRST_INSTANT, shifted
from cronicorn.domain.plan import Source
from cronicorn.domain.ports import EndpointEdit
from cronicorn.domain.principal import Principal
from cronicorn.domain.run import RunStatus


@dataclass(slots=True, kw_only=True)
class MemoryAlerts:
    """What the stores of alerts share. Whoever reads or writes it holds the lock of the database."""

    database: MemoryDatabase
    alertings: dict[str, Alerting] = field(default_factory=dict)
    incidents: dict[str, Incident] = field(default_factory=dict)
    """By id, oldest first; and so are messages."""
    messages: dict[str, AlertMessage] = field(default_factory=dict)
    claimed_until: dict[str, datetime] = field(default_factory=dict)
    """When the claims on messages end, by the ids of messages."""
    looked_at: datetime = EPOCH
    looking: str | None = None
    looking_until: datetime = FIRST_INSTANT

    def waiting(self) -> Iterable[AlertMessage]:
        """The messages that were not settled."""
        return (message for message in self.messages.values() if message.state is MessageState.WAITING)


class MemoryAlertingBook(AlertingBook):
    """Keeps one value for each tenant."""

    def __init__(self, alerts: MemoryAlerts) -> None:
        self._alerts = alerts

    async def all(self) -> Mapping[str, Alerting]:
        with self._alerts.database.lock:
            return dict(self._alerts.alertings)

    async def get(self, tenant_id: str) -> Alerting:
        with self._alerts.database.lock:
            return self._alerts.alertings.get(tenant_id, NO_ALERTING)

    async def change(
        self, tenant_id: str, edit: Callable[[Alerting], Alerting], by: Principal | None = None
    ) -> Alerting:
        database = self._alerts.database
        with database.lock:
            database.tenant(tenant_id)
            before = self._alerts.alertings.get(tenant_id, NO_ALERTING)
            after = edit(before)
            self._alerts.alertings[tenant_id] = after
            record(database, alerting_entry(by, database.clock.now(), tenant_id, before, after))
            return after


class MemoryAlertWatch(AlertWatch):
    """Looks at endpoints that failed, are late, are marked or have incidents."""

    def __init__(self, alerts: MemoryAlerts) -> None:
        self._alerts = alerts

    async def begin(self, *, claim_id: str, every: timedelta, ttl: timedelta) -> AlertRound | None:
        alerts = self._alerts
        with alerts.database.lock:
            now = alerts.database.clock.now()
            if shifted(now, -every) < alerts.looked_at <= now or now < alerts.looking_until <= shifted(now, ttl):
                return None
            alerts.looking, alerts.looking_until = claim_id, shifted(now, ttl)
            return AlertRound(claim_id=claim_id, since=alerts.looked_at, now=now)

    async def end(self, ended: AlertRound) -> None:
        alerts = self._alerts
        with alerts.database.lock:
            if alerts.looking == ended.claim_id:
                alerts.looked_at, alerts.looking, alerts.looking_until = ended.now, None, FIRST_INSTANT

    async def suspects(self, since: datetime, overdue_by: timedelta, *, marked: bool) -> Sequence[Suspect]:
        alerts = self._alerts
        with alerts.database.lock:
            now = alerts.database.clock.now()
            subjects = {each.subject for each in alerts.incidents.values() if each.open}
            latest = shifted(now, -overdue_by)
            return [
                Suspect(endpoint=row.endpoint, leased=row.leased(now))
                for row in sorted(alerts.database.rows.values(), key=lambda row: row.number)
                if row.endpoint.id in subjects
                or _failed(row, since)
                or (_due_before(row, latest) and not row.leased(now))
                or (marked and _marked(row.endpoint.state))
            ]

    async def recent(self, tenant_id: str, endpoint_id: str, limit: int) -> Sequence[RunStatus]:
        with self._alerts.database.lock:
            row = self._alerts.database.rows.get(endpoint_id)
            if row is None or row.endpoint.tenant_id != tenant_id:
                return []
            told = [(run.started_at, number, run) for number, run in row.runs.values() if run.source is not Source.TEST]
            return [run.status for _, _, run in sorted(told, key=lambda each: each[:2], reverse=True)[:limit]]

    async def waiting(self) -> Mapping[str, int]:
        with self._alerts.database.lock:
            return Counter(message.route_id for message in self._alerts.waiting())


class MemoryIncidentBook(IncidentBook):
    """Keeps incidents, and writes the messages about them with them."""

    def __init__(self, alerts: MemoryAlerts) -> None:
        self._alerts = alerts

    async def open(self) -> Sequence[Incident]:
        with self._alerts.database.lock:
            return [incident for incident in self._alerts.incidents.values() if incident.open]

    async def write(
        self, incident: Incident, messages: Sequence[AlertMessage] = (), edit: EndpointEdit | None = None,
        by: Principal | None = None,
    ) -> bool:  # fmt: skip
        alerts = self._alerts
        with alerts.database.lock:
            if not self._fits(incident):
                return False
            if edit is not None:
                self._edit(incident, edit, by)
            alerts.incidents[incident.id] = replace(incident, version=incident.version + 1)
            alerts.messages |= {message.id: message for message in messages}
            return True

    async def list(
        self, tenant_id: str, *, open_only: bool = False, limit: int = 100, offset: int = 0, after: str | None = None
    ) -> Sequence[Incident]:
        with self._alerts.database.lock:
            newest = [each for each in reversed(self._alerts.incidents.values()) if each.tenant_id == tenant_id]
        ids = [incident.id for incident in newest]
        if after is not None and after not in ids:
            raise place_gone(f"incident {after}")
        first = ids.index(after) + 1 if after is not None else 0
        found = [incident for incident in newest[first:] if incident.open or not open_only]
        return found[offset : offset + limit]

    async def get(self, tenant_id: str, incident_id: str) -> Incident:
        with self._alerts.database.lock:
            incident = self._alerts.incidents.get(incident_id)
            if incident is None or incident.tenant_id != tenant_id:
                raise NotFoundError(f"There is no incident {incident_id}.")
            return incident

    async def prune(self, before: datetime, limit: int) -> int:
        alerts = self._alerts
        with alerts.database.lock:
            ended = [each.id for each in alerts.incidents.values() if each.closed_at and each.closed_at < before]
            settled = [each.id for each in alerts.messages.values() if each.settled_at and each.settled_at < before]
            for incident_id in ended[:limit]:
                del alerts.incidents[incident_id]
            for message_id in settled[:limit]:
                del alerts.messages[message_id]
            return len(ended[:limit]) + len(settled[:limit])

    def _fits(self, incident: Incident) -> bool:
        known = self._alerts.incidents.get(incident.id)
        if incident.version:
            return known is not None and known.version == incident.version
        place = (incident.tenant_id, incident.kind, incident.subject)
        others = self._alerts.incidents.values()
        return known is None and not any(
            each.open and (each.tenant_id, each.kind, each.subject) == place for each in others
        )

    def _edit(self, incident: Incident, edit: EndpointEdit, by: Principal | None) -> None:
        database = self._alerts.database
        row = database.row(incident.tenant_id, incident.subject)
        before, stored = row.endpoint, database.stored(row, database.clock.now())
        change = edit(before, database.jobs[before.job_id], stored)
        database.apply(row, change)
        record(database, endpoint_entry(by, stored.now, before, change.endpoint))


class MemoryOutbox(Outbox):
    """Keeps messages and the claims on them."""

    def __init__(self, alerts: MemoryAlerts) -> None:
        self._alerts = alerts

    async def add(self, message: AlertMessage) -> None:
        with self._alerts.database.lock:
            self._alerts.messages[message.id] = message

    async def claim_due(self, *, claim_id: str, limit: int, ttl: timedelta) -> Sequence[AlertMessage]:
        alerts = self._alerts
        with alerts.database.lock:
            now = alerts.database.clock.now()
            waiting = list(alerts.waiting())
            busy = {message.route_id for message in waiting if self._claimed(message, now)}
            earlier: set[tuple[str, str]] = set()
            first: dict[str, AlertMessage] = {}
            for message in waiting:
                place = (message.route_id, message.incident_id or message.id)
                if message.due_at <= now and message.route_id not in busy and place not in earlier:
                    first.setdefault(message.route_id, message)
                earlier.add(place)
            sent = Counter(message.tenant_id for message in waiting if self._claimed(message, now))
            turns = list[tuple[int, datetime, int, AlertMessage]]()
            for message in sorted(first.values(), key=lambda message: message.due_at):
                sent[message.tenant_id] += 1
                turns.append((sent[message.tenant_id], message.due_at, len(turns), message))
            due = [message for *_, message in sorted(turns)[:limit]]
            for message in due:
                alerts.messages[message.id] = replace(message, claim_id=claim_id)
                alerts.claimed_until[message.id] = shifted(now, ttl)
            return [alerts.messages[message.id] for message in sorted(due, key=lambda message: message.due_at)]

    async def settle(self, message: AlertMessage) -> None:
        with self._alerts.database.lock:
            known = self._alerts.messages.get(message.id)
            if known is None or known.claim_id is None or known.claim_id != message.claim_id:
                raise message.lost()
            self._alerts.messages[message.id] = replace(message, claim_id=None)
            del self._alerts.claimed_until[message.id]

    async def list(
        self, tenant_id: str, *, route_id: str | None = None, incident_id: str | None = None, limit: int = 100
    ) -> Sequence[AlertMessage]:
        with self._alerts.database.lock:
            found = [each for each in reversed(self._alerts.messages.values()) if each.tenant_id == tenant_id]
        if incident_id is not None:
            return [each for each in found if each.incident_id == incident_id][:limit]
        return [each for each in found if route_id in {None, each.route_id}][:limit]

    def _claimed(self, message: AlertMessage, now: datetime) -> bool:
        return self._alerts.claimed_until.get(message.id, now) > now


def _failed(row: Row, since: datetime) -> bool:
    return any(run.status is RunStatus.FAILED and run.finished_at >= since for _, run in row.runs.values())


def _due_before(row: Row, latest: datetime) -> bool:
    due_at = row.endpoint.state.due_at
    return due_at is not None and due_at < latest


def _marked(state: EndpointState) -> bool:
    rules = state.memory.rules.rules.values()
    return state.memory.governor.frozen_until is not None or any(memory.unknowns for memory in rules)
