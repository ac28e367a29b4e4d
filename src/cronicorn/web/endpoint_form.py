"""The form of an endpoint: what a document says as texts in fields, and back again.

The name of a field is the JSON Pointer of what it sets, without its first slash. Only what was changed in the form is
sent on, so that an edit by somebody else stays.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

from cronicorn.control.document import EndpointPatch
from cronicorn.control.findings import Findings
from cronicorn.control.misfits import read_document
from cronicorn.control.rendering import Fields
from cronicorn.domain.auth import AuthKind
from cronicorn.domain.signals.signal import Signal
from cronicorn.web.form_fields import (
    member_of,
    read_text,
    read_wall_clock,
    texts_of,
    tidied,
    tidied_text,
    wall_clock,
    zone_named,
)
from cronicorn.web.form_values import JSON, LENGTH, LINES, NUMBER, OBJECT, PAIRS, SWITCH, TEXT, Notation

FIELDS: Final[Mapping[str, Notation]] = {
    "name": TEXT,
    "description": TEXT,
    "url": TEXT,
    "method": TEXT,
    "headersJson": PAIRS,
    "bodyJson": JSON,
    "timeoutMs": LENGTH,
    "timezone": TEXT,
    "dstGap": TEXT,
    "dstOverlap": TEXT,
    "windowMs": LENGTH,
    "minIntervalMs": LENGTH,
    "maxIntervalMs": LENGTH,
    "catchUp/mode": TEXT,
    "catchUp/windowMs": LENGTH,
    "catchUp/maxRuns": NUMBER,
    "overlap": TEXT,
    "retries/retryCount": NUMBER,
    "retries/minBackoffMs": LENGTH,
    "retries/maxBackoffMs": LENGTH,
    "retries/maxDoublings": NUMBER,
    "successStatuses": LINES,
    "criteria": OBJECT,
    "auth/type": TEXT,
    "auth/token": TEXT,
    "auth/username": TEXT,
    "auth/password": TEXT,
    "auth/tokenUrl": TEXT,
    "auth/clientId": TEXT,
    "auth/clientSecret": TEXT,
    "auth/clientAuth": TEXT,
    "auth/scope": TEXT,
    "auth/parameters": PAIRS,
    "maxExecutionTimeMs": LENGTH,
    "maxResponseSizeKb": NUMBER,
    "redirectsMax": NUMBER,
    "policy": OBJECT,
    "compile": TEXT,
    "adapt": TEXT,
    **{f"signals/{signal}": SWITCH for signal in Signal},
    "flow/key": TEXT,
    "flow/rate": NUMBER,
    "flow/periodMs": LENGTH,
    "flow/parallelism": NUMBER,
    "keepBodies": TEXT,
    "redact/body": LINES,
    "redact/headers": LINES,
    "analysis": SWITCH,
    "analysisCooldownMs": LENGTH,
}
"""All but the baseline, whose parts depend on one another."""
BASELINES: Final[Mapping[str, Notation]] = {"baselineCron": TEXT, "baselineIntervalMs": LENGTH}
_NOTATIONS: Final = {**BASELINES, **FIELDS}
KIND: Final = "kind"
KINDS: Final = ("interval", "cron", "once", "dormant")
INSTANTS: Final = ("onceAt", "anchorAt")
"""Written as the wall clock of the endpoint's zone shows them."""
NAMES: Final = (KIND, *BASELINES, *INSTANTS, *FIELDS)
WHOLE: Final = {"auth", "flow", "redact", "signals"}
"""Of these objects nothing stays: all members are sent when one has changed."""
AUTH_FIELDS: Final[Mapping[str, Sequence[str]]] = {
    AuthKind.BEARER: ("token",),
    AuthKind.BASIC: ("username", "password"),
    AuthKind.OAUTH2: ("tokenUrl", "clientId", "clientSecret", "clientAuth", "scope", "parameters"),
}
"""Those of another kind are not sent, whatever they still say."""
_SAID_BY_KIND: Final = {"interval": "baselineIntervalMs", "cron": "baselineCron", "once": "onceAt"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadForm:
    """What was entered: a document where it has the shape of one, and what can't be read."""

    document: EndpointPatch | None
    findings: Findings

    @classmethod
    def of_nothing(cls) -> "ReadForm":
        """A form in which nothing was changed."""
        return cls(document=EndpointPatch(), findings=Findings())


def entered_of(fields: Fields) -> dict[str, str]:
    """What a form shows of an endpoint with these *fields* of a document."""
    zone = zone_named(fields.get("timezone"))
    walls = {name: wall_clock(fields.get(name), zone) for name in INSTANTS}
    return texts_of(fields, _NOTATIONS) | walls | {KIND: _kind_of(fields)}


def marks_of(entered: Mapping[str, str]) -> str:
    """By what a form knows again what it began with, field by field."""
    return json.dumps({name: _mark(text) for name, text in entered.items()}, separators=(",", ":"))


def changed_since(marks: str, entered: Mapping[str, str]) -> frozenset[str]:
    """The names of those of *entered* that are not as when *marks* were made; of marks that can't be read none."""
    try:
        before = json.loads(marks)
    except (ValueError, RecursionError):
        return frozenset()
    if not isinstance(before, dict):
        return frozenset()
    return frozenset(
        name for name in NAMES if name in entered and name in before and before[name] != _mark(entered[name])
    )


def tidy(form: Mapping[str, str]) -> dict[str, str]:
    """The fields of an endpoint that *form* has, with lines as we end them."""
    return tidied(form, NAMES)


def read_endpoint(entered: Mapping[str, str], changed: frozenset[str]) -> ReadForm:
    """The document that says what was *changed*. What can't be read is among the findings, and left out."""
    findings = Findings()
    document: Fields = {}
    for name in sorted(changed & set(FIELDS), key=NAMES.index):
        head, _, member = name.partition("/")
        if head in WHOLE:
            document[head] = _whole(head, entered, findings)
        elif member:
            member_of(document, head)[member] = read_text(name, entered, _NOTATIONS, findings)
        else:
            document[head] = read_text(name, entered, _NOTATIONS, findings)
    document |= _baseline(entered, changed, findings)
    unread = {place.split("/")[1] for place in findings.places}
    readable = {name: value for name, value in document.items() if name not in unread}
    return ReadForm(document=read_document(EndpointPatch, readable, findings), findings=findings)


def _mark(text: str) -> str:
    """The same for what a browser makes of *text* in a field."""
    return blake2b(tidied_text(text).encode(), digest_size=6).hexdigest()


def _kind_of(fields: Fields) -> str:
    if fields.get("dormant"):
        return "dormant"
    return next((kind for kind in ("once", "cron") if fields.get(_SAID_BY_KIND[kind])), "interval")


def _whole(head: str, entered: Mapping[str, str], findings: Findings) -> Fields | None:
    members = [name.partition("/")[2] for name in FIELDS if name.startswith(f"{head}/")]
    if head == "auth":
        kind = entered.get("auth/type", "")
        if not kind:
            return None
        members = ["type", *AUTH_FIELDS.get(kind, ())]
    read = {member: read_text(f"{head}/{member}", entered, _NOTATIONS, findings) for member in members}
    return {member: value for member, value in read.items() if value is not None} or None


def _baseline(entered: Mapping[str, str], changed: frozenset[str], findings: Findings) -> Fields:
    kind = entered.get(KIND, "")
    if KIND in changed and kind not in KINDS:
        findings.refuse(f"/{KIND}", f"Say which: {', '.join(KINDS)}.")
        return {}
    fields: Fields = {}
    zone = zone_named(entered.get("timezone"))
    name = _SAID_BY_KIND.get(kind)
    of_zone = {"timezone"} if kind == "once" else set[str]()
    if kind == "dormant" and KIND in changed:
        fields["dormant"] = True
    if name is not None and changed & {KIND, name, *of_zone}:
        value = (
            read_wall_clock(name, entered, zone, findings)
            if name in INSTANTS
            else read_text(name, entered, _NOTATIONS, findings)
        )
        if value is None and not findings.found(f"/{name}"):
            findings.refuse(f"/{name}", "Say when: this field is required.")
        fields[name] = value
    if "anchorAt" in changed and kind == "interval":
        fields["anchorAt"] = read_wall_clock("anchorAt", entered, zone, findings)
    return fields
