"""The ports of alerts. What holds of the others in `cronicorn.domain.ports` holds of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from cronicorn.domain.alert.alerting import Alerting
from cronicorn.domain.alert.incident import AlertMessage, Incident, Receipt
from cronicorn.domain.endpoint import JobEndpoint
from cronicorn.domain.ports import EndpointEdit
from cronicorn.domain.principal import Principal
from cronicorn.domain.run import RunStatus

SUSPECTS_MAX = 5_000
"""So many endpoints that fail, are late or are marked are looked at in one round, if there are more any of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspect:
    """An endpoint that may have something wrong with it, or had."""

    endpoint: JobEndpoint
    leased: bool
    """Whether a worker holds it now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRound:
    """The right to look at what has happened since `since`, and now by the store's clock."""

    claim_id: str
    since: datetime
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Email:
    """A mail in plain text."""

    id: str
    """Makes the `Message-ID`: the same mail sent twice has the same."""
    to: tuple[str, ...]
    subject: str
    text: str


class Mailer(Protocol):
    """Sends mail."""

    async def send(self, email: Email) -> Receipt:
        """Hand *email* to a mail server and say how that ended. Never raises for what a server or a network may do."""
        ...


class AlertingBook(Protocol):
    """What tenants want to be told."""

    async def all(self) -> Mapping[str, Alerting]:
        """What all tenants have said who have said something, by their ids."""
        ...

    async def get(self, tenant_id: str) -> Alerting:
        """What the tenant has said."""
        ...

    async def change(
        self, tenant_id: str, edit: Callable[[Alerting], Alerting], by: Principal | None = None
    ) -> Alerting:
        """Store what *edit* makes of it as it is now, and answer that. Raises NotFoundError where no such tenant is.

        Raises what *edit* raises, which may be called more than once; nothing is written then. With *by* the change is
        told in the audit log.
        """
        ...


class AlertWatch(Protocol):
    """What is looked at, round by round, by one process at a time."""

    async def begin(self, *, claim_id: str, every: timedelta, ttl: timedelta) -> AlertRound | None:
        """The right to the next round for *ttl*; None while another has it, or less than *every* after the last one.

        Of a clock that was set back nobody waits until it is as late again.
        """
        ...

    async def end(self, ended: AlertRound) -> None:
        """What happened before the round was looked at. Changes nothing when another round began meanwhile."""
        ...

    async def suspects(self, since: datetime, overdue_by: timedelta, *, marked: bool) -> Sequence[Suspect]:
        """Endpoints with a run that failed and ended *since* then, those overdue by more, and those of open incidents.

        With *marked* also those whose rules or governor remember something that may be an incident. Each once.
        """
        ...

    async def recent(self, tenant_id: str, endpoint_id: str, limit: int) -> Sequence[RunStatus]:
        """How the last *limit* runs ended that were not tests, newest first; none where no such endpoint is."""
        ...

    async def waiting(self) -> Mapping[str, int]:
        """How many messages wait, by the ids of routes."""
        ...


class IncidentBook(Protocol):
    """Incidents. Every call but `open` and `prune` is confined to one tenant."""

    async def open(self) -> Sequence[Incident]:
        """The incidents of all tenants that are open, oldest first."""
        ...

    async def write(
        self, incident: Incident, messages: Sequence[AlertMessage] = (), edit: EndpointEdit | None = None,
        by: Principal | None = None,
    ) -> bool:  # fmt: skip
        """Write *incident*, add *messages* and apply *by*'s *edit* to its endpoint, all or nothing; False when late.

        A new one (version 0) comes late when one of its kind and subject is open; another one when it was written
        meanwhile. Nothing is written then, nor when *edit* raises.
        """
        ...

    async def list(
        self, tenant_id: str, *, open_only: bool = False, limit: int = 100, offset: int = 0, after: str | None = None
    ) -> Sequence[Incident]:
        """The tenant's incidents, newest first; those that come after the one with the id *after*, if it is given.

        Raises InvalidInputError where that one is gone.
        """
        ...

    async def get(self, tenant_id: str, incident_id: str) -> Incident:
        """One incident. Raises NotFoundError."""
        ...

    async def prune(self, before: datetime, limit: int) -> int:
        """Remove at most *limit* incidents that ended before *before*, and as many messages settled before; how many.

        The number is that of both together.
        """
        ...


class Outbox(Protocol):
    """Messages to be delivered."""

    async def add(self, message: AlertMessage) -> None:
        """Keep *message*; it waits from now on."""
        ...

    async def claim_due(self, *, claim_id: str, limit: int, ttl: timedelta) -> Sequence[AlertMessage]:
        """Claim up to *limit* waiting messages that are due by the store's clock, for *ttl*: one of each route.

        Never one of a route that has a message under a live claim, never one whose incident has an earlier message for
        the same route waiting, and never one under a live claim. Where more are due, tenants take turns, and those that
        are being sent count as theirs. *claim_id* names the claim and no other one.
        """
        ...

    async def settle(self, message: AlertMessage) -> None:
        """Write what became of an attempt and end the claim. Raises LeaseLostError when another claim came after it."""
        ...

    async def list(
        self, tenant_id: str, *, route_id: str | None = None, incident_id: str | None = None, limit: int = 100
    ) -> Sequence[AlertMessage]:
        """The tenant's messages, newest first, of one incident, else of one route, else all."""
        ...
