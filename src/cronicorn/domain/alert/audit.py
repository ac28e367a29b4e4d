"""What must hold of the rows of incidents and of messages about them."""

from cronicorn.domain.alert.alerting import IncidentKind
from cronicorn.domain.alert.incident import MessageState
from cronicorn.domain.alert.rows import incident_of, message_of
from cronicorn.domain.cells import Row
from cronicorn.domain.verification import Check, Findings


class AlertAudit:
    """Looks at one row after the other, incidents first. Raises one of UNREADABLE for a row that can't be read."""

    def __init__(self, findings: Findings, tenant_ids: set[str]) -> None:
        self._findings = findings
        self._tenant_ids = tenant_ids
        self._open: set[tuple[str, IncidentKind, str]] = set()

    def incident(self, row: Row) -> None:
        """One incident."""
        incident = incident_of(row)
        where = f"incident {incident.id}"
        there = incident.tenant_id in self._tenant_ids
        self._findings.expect(Check.INCIDENTS, there, where, f"its tenant {incident.tenant_id} is not there")
        self._findings.expect(Check.INCIDENTS, incident.version > 0, where, "it was never written")
        if incident.closed_at is not None:
            ended = incident.closed_at >= incident.opened_at and incident.ending is not None
            self._findings.expect(Check.INCIDENTS, ended, where, "it is over and does not say how, or was so too early")
            return
        place = (incident.tenant_id, incident.kind, incident.subject)
        self._findings.expect(Check.INCIDENTS, place not in self._open, where, "another one of its kind is open there")
        self._open.add(place)

    def message(self, row: Row) -> None:
        """One message. Its incident may have been pruned before it."""
        message = message_of(row)
        where = f"message {message.id}"
        settled = (message.settled_at is None) == (message.state is MessageState.WAITING)
        self._findings.expect(Check.INCIDENTS, settled, where, f"it is {message.state} and its end says otherwise")
