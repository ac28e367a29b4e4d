"""Documents as texts in the fields of forms, and back again.

The name of a field is the JSON Pointer of what it sets, without its first slash; `form_values` says how it is written.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from cronicorn.control.findings import Findings
from cronicorn.control.rendering import Fields
from cronicorn.web.form_values import Notation

Notations = Mapping[str, Notation]
"""How each field is written, by its name."""
ZONES = (
    "UTC", "Africa/Cairo", "Africa/Johannesburg", "Africa/Lagos", "America/Chicago", "America/Denver",
    "America/Los_Angeles", "America/Mexico_City", "America/New_York", "America/Sao_Paulo", "America/Toronto",
    "Asia/Dubai", "Asia/Hong_Kong", "Asia/Jakarta", "Asia/Kolkata", "Asia/Seoul", "Asia/Shanghai", "Asia/Singapore",
    "Asia/Tokyo", "Australia/Sydney", "Europe/Amsterdam", "Europe/Berlin", "Europe/Istanbul", "Europe/London",
    "Europe/Madrid", "Europe/Paris", "Europe/Rome", "Europe/Warsaw", "Europe/Zurich", "Pacific/Auckland",
)  # fmt: skip
"""Offered while one types; any other is taken, too."""


def texts_of(fields: Fields, notations: Notations) -> dict[str, str]:
    """What a form shows of *fields* of a document; nothing of those that are not there."""
    return {name: _shown(notation, _at(fields, name)) for name, notation in notations.items()}


def tidied(form: Mapping[str, str], names: Iterable[str]) -> dict[str, str]:
    """Those of the fields *names* that *form* has, tidied."""
    return {name: tidied_text(form[name]) for name in names if name in form}


def tidied_text(text: str) -> str:
    """*text* without blanks around it, with lines as we end them."""
    return lines_of(text).strip()


def lines_of(text: str) -> str:
    """*text* with lines as we end them."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read_text(name: str, entered: Mapping[str, str], notations: Notations, findings: Findings) -> object:
    """The value of the field *name*; None where it is empty, or can't be read, which *findings* tell then."""
    text = entered.get(name, "")
    try:
        return notations[name].read(text) if text else None
    except ValueError as error:
        findings.refuse(f"/{name}", str(error))
        return None


def read_texts(entered: Mapping[str, str], notations: Notations, findings: Findings) -> Fields:
    """The document that *entered* says: what is empty, or can't be read, is left out."""
    document: Fields = {}
    for name in notations:
        value = read_text(name, entered, notations, findings)
        head, _, member = name.partition("/")
        if value is not None and member:
            member_of(document, head)[member] = value
        elif value is not None:
            document[head] = value
    return document


def member_of(document: Fields, head: str) -> Fields:
    """The object that *document* has as *head*, made where it is not there yet."""
    part = document.setdefault(head, {})
    assert isinstance(part, dict)
    return part


def zone_named(name: object) -> ZoneInfo:
    """The zone called so; UTC for what is none, of which the field of the zone tells."""
    try:
        return ZoneInfo(str(name or "UTC"))
    except (KeyError, ValueError, OSError):
        return ZoneInfo("UTC")


def wall_clock(value: object, zone: ZoneInfo) -> str:
    """What the clock of *zone* shows at an instant; nothing for what is none."""
    if not isinstance(value, datetime):
        return ""
    return value.astimezone(zone).replace(tzinfo=None, microsecond=0).isoformat()


def read_wall_clock(name: str, entered: Mapping[str, str], zone: ZoneInfo, findings: Findings) -> datetime | None:
    """The instant at which the clock of *zone* shows what the field *name* says, in UTC; None as of `read_text`."""
    text = entered.get(name, "")
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
        at = at if at.tzinfo is not None else at.replace(tzinfo=zone)
        back = at.astimezone(UTC).astimezone(at.tzinfo)
    except (ValueError, OverflowError):
        findings.refuse(f"/{name}", "Write a day and a time, such as 2026-01-31T09:30.")
        return None
    if back.replace(tzinfo=None) != at.replace(tzinfo=None):
        findings.refuse(f"/{name}", f"The clock skips this time: it goes on with {back.isoformat(' ', 'minutes')}.")
        return None
    return at.astimezone(UTC)


def _shown(notation: Notation, value: object) -> str:
    return "" if value is None else notation.show(value)


def _at(fields: Fields, name: str) -> object:
    head, _, member = name.partition("/")
    value = fields.get(head)
    if not member:
        return value
    return value.get(member) if isinstance(value, dict) else None
