"""Incidents, and the messages about them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from cronicorn.domain.alert.alerting import IncidentKind
from cronicorn.domain.errors import LeaseLostError
from cronicorn.domain.fields import Document

OPEN_MAX = 1_000
"""So many incidents of one tenant are open at once; further ones are opened when others end."""
SUMMARY_MAX = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """Something that is, or was, wrong: one id from when it was noticed until it is over."""

    id: str
    tenant_id: str
    kind: IncidentKind
    subject: str
    """The id of the endpoint; empty where it concerns the tenant. Of one kind and subject one incident is open."""
    opened_at: datetime
    job_id: str | None = None
    summary: str = ""
    """What is wrong, as a sentence."""
    closed_at: datetime | None = None
    ending: str | None = None
    """How it ended, as a sentence."""
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    told: Mapping[str, datetime] = field(default_factory=dict)
    """When each route was last sent a message about it, by the ids of routes."""
    relapses: int = 0
    """So many of its kind and subject came before it, each soon after the one before was over."""
    quiet_until: datetime | None = None
    """Nobody is told of it earlier: people have just been told that the one before is over."""
    version: int = 0
    """Grows with every write; 0 of one that was never written."""

    @property
    def open(self) -> bool:
        return self.closed_at is None

    def facts(self) -> dict[str, object]:
        """What logs say about it."""
        subject = {"endpoint": self.subject} if self.subject else {}
        return {"tenant": self.tenant_id, "incident": self.id, "kind": self.kind.value, **subject}


class AlertEvent(StrEnum):
    """What a message tells."""

    OPENED = "opened"
    REMINDER = "reminder"
    """It goes on."""
    RECOVERED = "recovered"
    TEST = "test"
    """Somebody tries a route."""


class MessageState(StrEnum):
    """What became of a message."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    """It was given up."""


class Receipt(NamedTuple):
    """How an attempt to deliver a message ended."""

    error: str | None = None
    """Why it failed, as a sentence; None when the receiver has taken the message."""
    for_good: bool = False
    """Whether no further attempt is of use."""


RETRY_FIRST = timedelta(seconds=5)
RETRY_MOST = timedelta(minutes=30)
GIVEN_UP_AFTER = timedelta(hours=24)
WAITING_MAX = 100
"""While so many messages of one route wait, no further incident is told to it: a dead receiver fills nothing."""
_DOUBLINGS_MAX = 20
_ERROR_MAX = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertMessage:
    """One message to one route. It is delivered at least once, and has the same id and body each time."""

    id: str
    tenant_id: str
    route_id: str
    event: AlertEvent
    created_at: datetime
    due_at: datetime
    body: Document
    incident_id: str | None = None
    """None of a test."""
    attempts: int = 0
    state: MessageState = MessageState.WAITING
    settled_at: datetime | None = None
    error: str | None = None
    """Why the last attempt failed, as a sentence."""
    claim_id: str | None = None
    """Of whoever is sending it."""

    def after(self, receipt: Receipt, now: datetime) -> "AlertMessage":
        """It after an attempt: one that failed is made again, later each time, until the message is given up."""
        attempts = self.attempts + 1
        if receipt.error is None:
            return replace(self, attempts=attempts, state=MessageState.DELIVERED, settled_at=now, error=None)
        error = receipt.error[:_ERROR_MAX]
        if receipt.for_good or now - self.created_at >= GIVEN_UP_AFTER:
            return replace(self, attempts=attempts, state=MessageState.UNDELIVERED, settled_at=now, error=error)
        wait = min(RETRY_FIRST * 2 ** min(self.attempts, _DOUBLINGS_MAX), RETRY_MOST)
        return replace(self, attempts=attempts, due_at=now + wait, error=error)

    def lost(self) -> LeaseLostError:
        """The error of an attempt that was recorded too late."""
        return LeaseLostError(f"The message {self.id} is being sent by another process, or was settled by one.")

    def facts(self) -> dict[str, object]:
        """What logs say about it: no address and no body."""
        return {
            "tenant": self.tenant_id, "message_id": self.id, "route": self.route_id, "event": self.event.value,
            "incident": self.incident_id, "attempts": self.attempts,
        }  # fmt: skip
