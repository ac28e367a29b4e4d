"""Which fields a file speaks for, what follows from that for an endpoint, and where somebody else has a say.

A field is known by its name on the wire. Of objects whose members have little to do with one another each member is a
field of its own (`headersJson/accept`); the four ways to say when are one field together, `baseline`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Generic, TypeVar

from cronicorn.control.document import (
    CatchUpPatch,
    Document,
    EndpointDocument,
    EndpointPatch,
    JobDocument,
    JobPatch,
    RetriesPatch,
)
from cronicorn.control.drafting import blank
from cronicorn.control.rendering import Fields, shown
from cronicorn.domain.endpoint import Job, JobEndpoint
from cronicorn.domain.filing.file_set import Managed, fingerprint
from cronicorn.domain.instant import EPOCH
from cronicorn.domain.signals.signal import Signal

Patch = TypeVar("Patch", EndpointPatch, JobPatch)

_BASELINE = ("baselineCron", "baselineIntervalMs", "onceAt", "dormant")
_BY_MEMBER = ("retries", "catchUp", "headersJson", "signals")
_STAYS = frozenset({"name", "url", "anchorAt"})
"""What is never given back: without the first two there is no endpoint, and a phase stays as long as its interval."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim(Generic[Patch]):
    """What a file asks of a job or an endpoint."""

    named: frozenset[str]
    """The fields that the file names."""
    given_back: frozenset[str]
    """Those that it named earlier and that are still as it set them: they get their defaults."""
    left: frozenset[str]
    """Those that it named earlier and that somebody has edited since: they stay as they are."""
    patch: Patch


def values(fields: Fields) -> dict[str, object]:
    """What `shown` tells, by the fields that sets speak for."""
    found: dict[str, object] = {"baseline": {name: fields[name] for name in _BASELINE if name in fields}}
    for name, value in fields.items():
        if name in _BY_MEMBER and isinstance(value, dict):
            found |= {_member(name, member): each for member, each in value.items()}
        elif name not in _BASELINE:
            found[name] = value
    return found


def endpoint_values(endpoint: JobEndpoint) -> dict[str, object]:
    """The same of an endpoint, with its credentials: for comparing, never for showing."""
    return values(shown(endpoint, reveal=True))


def fingerprints(named: frozenset[str], current: Mapping[str, object]) -> dict[str, str]:
    """What a set remembers of the fields that its files have *named* and that are now as *current* says."""
    return {name: fingerprint(current.get(name)) for name in sorted(named)}


def job_values(job: Job) -> dict[str, object]:
    """The fields of a job that sets speak for."""
    return {"name": job.name, "description": job.description}


def claimed(document: EndpointDocument, before: JobEndpoint | None, mine: Managed | None) -> Claim[EndpointPatch]:
    """What *document* asks of the endpoint *before*, of which the set has said *mine* until now."""
    named = frozenset(_named(document))
    back, left = _not_named(named, endpoint_values(before) if before is not None else {}, mine)
    return Claim(named=named, given_back=back, left=left, patch=_patch(document, before, back))


def claimed_of_job(document: JobDocument, before: Job | None, mine: Managed | None) -> Claim[JobPatch]:
    """The same of a job."""
    named = frozenset(document.model_fields_set & {"name", "description"})
    back, left = _not_named(named, job_values(before) if before is not None else {}, mine)
    fields = {name: getattr(document, name) for name in named} | dict.fromkeys(back)
    return Claim(named=named, given_back=back, left=left, patch=JobPatch.model_validate(fields))


def contested(
    named: frozenset[str],
    before: Mapping[str, object],
    after: Mapping[str, object],
    mine: Managed | None,
    *,
    others: Mapping[str, Managed],
    usual: Mapping[str, object],
) -> Iterator[str]:  # fmt: skip
    """What to tell of each *named* field that would change although somebody has set it: not this set's files.

    *others* are what other sets say of it, by their names; where a field is as *usual*, nobody has.
    """
    owned = mine.fields if mine is not None else {}
    for name in sorted(named):
        now = fingerprint(before.get(name))
        if now == fingerprint(after.get(name)):
            continue
        rival = next((other for other, managed in others.items() if managed.fields.get(name) == now), None)
        if rival is not None:
            yield f"{name} is as the file set {rival} says"
        elif name in owned and owned[name] != now:
            yield f"{name} was edited elsewhere since this set was applied"
        elif name not in owned and name != "anchorAt" and now != fingerprint(usual.get(name)):
            yield f"{name} was set elsewhere"


@cache
def usual_values() -> Mapping[str, object]:
    """The fields of an endpoint of which nobody has said anything."""
    return endpoint_values(blank("", "", "usual", EPOCH))


def _not_named(
    named: frozenset[str], current: Mapping[str, object], mine: Managed | None
) -> tuple[frozenset[str], frozenset[str]]:
    """The fields that the set has named, and its file does not: those that are as it set them, and the others."""
    earlier = (mine.fields.keys() if mine is not None and current else set[str]()) - named - _STAYS
    same = frozenset(
        name for name in earlier if mine is not None and fingerprint(current.get(name)) == mine.fields[name]
    )
    return same, frozenset(earlier - same)


def _named(document: EndpointDocument) -> Iterator[str]:
    for name in document.model_fields_set:
        wire, value = EndpointDocument.model_fields[name].alias or name, getattr(document, name)
        if wire in _BASELINE:
            if value is not None and value is not False:
                yield "baseline"
        elif wire in _BY_MEMBER:
            yield from (_member(wire, member) for member in _members(value))
        elif wire != "anchorAt" or value is not None:
            yield wire


def _members(value: object) -> list[str]:
    if isinstance(value, Document):
        return [type(value).model_fields[name].alias or name for name in value.model_fields_set]
    return [str(member) for member in value] if isinstance(value, dict) else []


def _member(name: str, member: str) -> str:
    """A member as a field; names of headers mean the same however they are written."""
    return f"{name}/{member.lower() if name == 'headersJson' else member}"


def _patch(document: EndpointDocument, before: JobEndpoint | None, given_back: frozenset[str]) -> EndpointPatch:
    """*document* as a patch: what it names as it says, what is *given_back* as null, nothing else."""
    named = frozenset(_named(document))
    stored = shown(before, reveal=True) if before is not None else {}
    changes: dict[str, object] = {}
    for name, field in EndpointPatch.model_fields.items():
        wire, value = field.alias or name, getattr(document, name)
        owner = "baseline" if wire in _BASELINE else wire
        if wire in _BY_MEMBER:
            if _touched(wire, named | given_back):
                changes[name] = _joined(wire, value, stored.get(wire), given_back)
        elif owner in named:
            changes[name] = value
        elif owner in given_back:
            changes[name] = None
    return EndpointPatch.model_construct(_fields_set=set(changes), **changes)


def _touched(wire: str, fields: frozenset[str]) -> bool:
    return any(field.startswith(f"{wire}/") for field in fields)


def _joined(wire: str, value: object, stored: object, given_back: frozenset[str]) -> object:
    """The object *wire* as a patch of it wants it: what of it is *stored* stays, unless it is named or given back."""
    if wire in {"retries", "catchUp"}:
        model = RetriesPatch if wire == "retries" else CatchUpPatch
        given = dict(value) if isinstance(value, Document) else {}
        keys = value.model_fields_set if isinstance(value, Document) else set[str]()
        back = {name for name, field in model.model_fields.items() if _member(wire, field.alias or name) in given_back}
        parts = {name: given[name] for name in keys} | dict.fromkeys(back)
        return model.model_construct(_fields_set=set(parts), **parts)
    given = value if isinstance(value, dict) else {}
    named = {_member(wire, str(member)) for member in given}
    kept = stored if isinstance(stored, dict) else {}
    stays = {each: told for each, told in kept.items() if _member(wire, each) not in named | given_back}
    joined = {**stays, **given}
    return {Signal(each): told for each, told in joined.items()} if wire == "signals" else joined
