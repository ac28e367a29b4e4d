"""A file set: what the files that are applied under one name have made, and the fields they speak for.

Of each field only a fingerprint is kept, of the value that it had when the set was last applied: where it is another
one now, the field was edited elsewhere. So nobody who edits has to tell the set. That a field belongs to whoever set it
is the idea of server-side apply in Kubernetes.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import NamedTuple

from cronicorn.domain.errors import PreconditionFailedError
from cronicorn.domain.fields import Document, Fields, Value, document_in, json_string, json_text

SETS_MAX = 100
"""So many file sets a tenant may have."""
USUAL = "default"
"""The name of the set of files that name none."""


class EndpointName(NamedTuple):
    """How files call an endpoint."""

    job: str
    endpoint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Managed:
    """A job or an endpoint that a set manages."""

    id: str
    made: bool
    """Whether the set made it; one that was there before is never removed by it."""
    removed: bool = False
    """Whether the set archived it, because its files list it no longer."""
    fields: Mapping[str, str] = field(default_factory=dict)
    """The fingerprints of the fields that the set speaks for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagedPart:
    """A part of what a set says about alerts: the rules as a whole, a route, or a maintenance window."""

    fingerprint: str
    made: str | None = None
    """The id of the route or window, where the set made it; one that was there before is never removed by it."""


RULES_PART = "alert rules"


def route_part(name: str) -> str:
    """How a set calls the alert route *name*."""
    return f"alert route {name}"


def window_part(name: str) -> str:
    """The same of a maintenance window."""
    return f"maintenance window {name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSet:
    """What a set manages, by the names that its files use."""

    revision: int = 0
    """Grows with each write; 0 of one that was never written."""
    jobs: Mapping[str, Managed] = field(default_factory=dict)
    endpoints: Mapping[EndpointName, Managed] = field(default_factory=dict)
    alerts: Mapping[str, ManagedPart] = field(default_factory=dict)
    """What it says of alerts, by the names of parts."""


def stale(name: str) -> PreconditionFailedError:
    """The error for a set that was written since it was read."""
    return PreconditionFailedError(f"The file set {name} was applied by somebody else meanwhile: apply it again.")


def fingerprint(value: object) -> str:
    """What stands for *value*, which is what JSON can say: values that differ have others, also of another type."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


def file_set_text(managed: FileSet) -> str:
    """The column `document` of `file_sets`."""
    jobs: list[Value] = [{"job": job, **_document(each)} for job, each in sorted(managed.jobs.items())]
    endpoints: list[Value] = [
        {"job": job, "endpoint": endpoint, **_document(each)}
        for (job, endpoint), each in sorted(managed.endpoints.items())
    ]
    alerts: Document = {name: part.fingerprint for name, part in managed.alerts.items()}
    made: Document = {name: part.made for name, part in managed.alerts.items() if part.made is not None}
    return json_text({"jobs": jobs, "endpoints": endpoints, "alerts": alerts, "alerts_made": made})


def file_set_of(revision: int, text: str) -> FileSet:
    """What a row of `file_sets` says. Raises one of UNREADABLE."""
    document = Fields(document_in(text))
    jobs, endpoints = map(Fields, document.parts("jobs")), map(Fields, document.parts("endpoints"))
    alerts, made = Fields(document.part("alerts")), Fields(document.part("alerts_made"))
    return FileSet(
        revision=revision,
        jobs={each.text("job"): _managed(each) for each in jobs},
        endpoints={EndpointName(each.text("job"), each.text("endpoint")): _managed(each) for each in endpoints},
        alerts={
            name: ManagedPart(fingerprint=alerts.text(name), made=made.text_or_none(name)) for name in alerts.document
        },
    )


def mark_of(thing_id: str) -> str:
    """What stands in a `document` that says something of the job or endpoint *thing_id*, and in no other."""
    return f'"id":{json_string(thing_id)}'


def said_of(text: str, thing_id: str) -> Managed | None:
    """What a row of `file_sets` says of one job or endpoint; None for nothing. Raises one of UNREADABLE.

    It is read alone, as a document may have megabytes. In one that `file_set_text` has written nothing but the
    beginning of an element looks like one: quotes in names are escaped.
    """
    place = text.find(mark_of(thing_id))
    if place < 0:
        return None
    element, _ = json.JSONDecoder().raw_decode(text, text.rindex('{"job":', 0, place))
    return _managed(Fields(element))


def _document(managed: Managed) -> Document:
    fields: Document = dict(managed.fields)
    return {"id": managed.id, "made": managed.made, "removed": managed.removed, "fields": fields}


def _managed(document: Fields) -> Managed:
    fields = Fields(document.part("fields"))
    return Managed(
        id=document.text("id"),
        made=document.flag("made"),
        removed=document.flag("removed"),
        fields={name: fields.text(name) for name in fields.document},
    )
