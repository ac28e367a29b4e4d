"""Incidents: seeing them, and saying that somebody sees to one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from cronicorn.control.permissions import operation
from cronicorn.domain.alert.incident import AlertMessage, Incident
from cronicorn.domain.alert.ports import IncidentBook, Outbox
from cronicorn.domain.errors import ConflictError
from cronicorn.domain.permission import Operation
from cronicorn.domain.ports import Clock
from cronicorn.domain.principal import Principal

MESSAGES_SHOWN = 100
_TRIES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentView:
    """An incident, and the newest messages about it."""

    incident: Incident
    messages: Sequence[AlertMessage]


class Incidents:
    """What can be asked about incidents."""

    def __init__(self, book: IncidentBook, outbox: Outbox, clock: Clock) -> None:
        self._book = book
        self._outbox = outbox
        self._clock = clock

    @operation(Operation.INCIDENT_LIST)
    async def list(
        self, principal: Principal, *, open_only: bool = False, limit: int = 100, offset: int = 0,
        after: str | None = None,
    ) -> Sequence[Incident]:  # fmt: skip
        """The tenant's incidents, newest first; those after the one with the id *after*, if it is given.

        Raises InvalidInputError where that one is gone.
        """
        tenant_id = principal.tenant_id
        return await self._book.list(tenant_id, open_only=open_only, limit=limit, offset=offset, after=after)

    @operation(Operation.INCIDENT_GET)
    async def get(self, principal: Principal, incident_id: str) -> IncidentView:
        """One incident and what was sent about it. Raises NotFoundError."""
        incident = await self._book.get(principal.tenant_id, incident_id)
        messages = await self._outbox.list(principal.tenant_id, incident_id=incident_id, limit=MESSAGES_SHOWN)
        return IncidentView(incident=incident, messages=messages)

    @operation(Operation.INCIDENT_ACKNOWLEDGE)
    async def acknowledge(self, principal: Principal, incident_id: str) -> Incident:
        """Say that somebody sees to it: nobody is reminded of it any more. Doing so again changes nothing.

        Raises NotFoundError, ConflictError when it is over.
        """
        for _ in range(_TRIES):
            incident = await self._book.get(principal.tenant_id, incident_id)
            if incident.acknowledged_at is not None:
                return incident
            if not incident.open:
                raise ConflictError(f"Incident {incident_id} is over; nobody is reminded of it.")
            seen = replace(incident, acknowledged_at=self._clock.now(), acknowledged_by=principal.actor)
            if await self._book.write(seen):
                return seen
        raise ConflictError(f"Incident {incident_id} changes all the time; try again.")
