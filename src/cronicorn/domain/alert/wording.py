"""What messages say: the body that a webhook receives, and the same in words for people. Pure."""

from datetime import datetime

from cronicorn.domain.alert.incident import AlertEvent, AlertMessage, Incident
from cronicorn.domain.fields import Document, Fields, lean
from cronicorn.domain.instant import instant_text

_SUBJECTS = {
    "failing": "is failing",
    "late": "is late",
    "paused": "was paused",
    "drifted": "no longer fits its policy",
    "frozen": "is frozen at its baseline",
    "tokens_near": "has nearly used its tokens",
    "tokens_out": "has used its tokens",
    "runs_near": "has nearly used its runs of the month",
    "runs_out": "has used its runs of the month",
}


def body_of(incident: Incident | None, event: AlertEvent, name: str | None, now: datetime) -> Document:
    """The body of a message, as a webhook gets it; without an *incident* that of a test of the route *name*."""
    if incident is None:
        return {"type": "alert.test", "timestamp": instant_text(now), "data": {"route": name, "summary": _TESTED}}
    return {
        "type": f"incident.{event}",
        "timestamp": instant_text(now),
        "data": lean({
            "incidentId": incident.id,
            "kind": incident.kind.value,
            "endpointId": incident.subject or None,
            "endpointName": name if incident.subject else None,
            "jobId": incident.job_id,
            "summary": incident.summary,
            "openedAt": instant_text(incident.opened_at),
            "closedAt": instant_text(incident.closed_at) if incident.closed_at is not None else None,
            "ending": incident.ending,
        }),
    }  # fmt: skip


_TESTED = "This is a test: messages arrive here."


def headline(message: AlertMessage) -> str:
    """A line that says what *message* is about."""
    data = Fields(Fields(message.body).part("data"))
    if message.event is AlertEvent.TEST:
        return "Cronicorn: a test message"
    what = _SUBJECTS.get(data.text("kind", ""), "has an incident")
    name = data.text_or_none("endpointName") or data.text_or_none("endpointId") or "the tenant"
    mark = {AlertEvent.RECOVERED: "Over: ", AlertEvent.REMINDER: "Still: "}.get(message.event, "")
    return one_line(f"Cronicorn: {mark}{name} {what}")


def in_words(message: AlertMessage) -> str:
    """What *message* says, for a person: a few lines of plain text."""
    data = Fields(Fields(message.body).part("data"))
    lines = [data.text_or_none("ending") or data.text("summary", "")]
    for label, key in (
        ("Endpoint", "endpointId"), ("Job", "jobId"), ("Since", "openedAt"), ("Until", "closedAt"),
        ("Incident", "incidentId"),
    ):  # fmt: skip
        if (value := data.text_or_none(key)) is not None:
            lines.append(f"{label}: {one_line(value)}")
    return "\n".join(lines)


def one_line(text: str) -> str:
    """*text* without line breaks and other controls: a name may hold what would begin a header of its own."""
    return "".join(each if each.isprintable() else " " for each in text)
