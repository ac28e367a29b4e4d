"""One job or endpoint of a file against what is stored: what is to be done, and what stands against it."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeVar

from cronicorn.control.difference import endpoint_difference, job_difference
from cronicorn.control.document import EndpointDocument, JobWithEndpoints
from cronicorn.control.drafting import blank, drafted
from cronicorn.control.execution_tiers import spaced
from cronicorn.control.field_ownership import (
    claimed,
    claimed_of_job,
    contested,
    endpoint_values,
    job_values,
    usual_values,
)
from cronicorn.control.file_plan import EndpointStep, JobStep
from cronicorn.control.findings import Findings
from cronicorn.control.validation import judge
from cronicorn.domain.endpoint import Job, JobEndpoint
from cronicorn.domain.execution.limits import ExecutionLimits
from cronicorn.domain.filing.file_set import EndpointName, FileSet, Managed
from cronicorn.domain.instant import EPOCH
from cronicorn.domain.ports import Cron

Named = TypeVar("Named", Job, JobEndpoint)


@dataclass(frozen=True, slots=True, kw_only=True)
class Background:
    """What files are compared with, beside what is stored."""

    mine: FileSet
    rivals: Mapping[str, Mapping[str, Managed]] = field(default_factory=dict)
    """What other sets say, by the ids of jobs and endpoints and by their own names."""
    limits: ExecutionLimits
    cron: Cron
    now: datetime


def background(
    name: str, sets: Mapping[str, FileSet], *, limits: ExecutionLimits, cron: Cron, now: datetime
) -> Background:
    """What files of the set *name* are compared with, among the *sets* of its tenant."""
    rivals: dict[str, dict[str, Managed]] = {}
    for other, managed in sets.items():
        if other != name:
            for each in (*managed.jobs.values(), *managed.endpoints.values()):
                rivals.setdefault(each.id, {})[other] = each
    return Background(mine=sets.get(name, FileSet()), rivals=rivals, limits=limits, cron=cron, now=now)


def known_as(
    stored: Sequence[Named], name: str, mine: Managed | None, listed: Collection[str | None], findings: Findings
) -> Named | None:
    """What a file means by *name*: what has it and is not archived, else what the set knows by it.

    The latter may have another name by now, but none of those *listed*: the file means something else by them.
    """
    found = [one for one in stored if one.name == name and one.archived_at is None]
    if len(found) > 1:
        findings.refuse("/name", f"{len(found)} have this name already, so it is unclear which one is meant.")
    if found:
        return found[0]
    known = next((one for one in stored if mine is not None and one.id == mine.id), None)
    return known if known is not None and (known.name == name or known.name not in listed) else None


def endpoint_step(
    name: EndpointName, document: EndpointDocument, before: JobEndpoint | None, known: Background, findings: Findings
) -> EndpointStep:
    """What becomes of one endpoint of the file, which is *before* now."""
    mine = _of(before, known.mine.endpoints.get(name))
    claim = claimed(document, before, mine)
    drawn_on = before or blank("", "", "new", known.now)
    after = spaced(drafted(drawn_on, claim.patch, known.now, findings), drawn_on, known.limits, findings)
    judge(after, drawn_on, known.now, known.cron, findings)
    difference = endpoint_difference(name.job, before, after, anchored=document.anchor_at is not None)
    if before is not None:
        values = (endpoint_values(before), endpoint_values(after))
        contest = contested(claim.named, *values, mine, others=known.rivals.get(before.id, {}), usual=usual_values())
        difference = replace(difference, conflicts=(*_archived_elsewhere(before, mine), *contest))
    for left in sorted(claim.left):
        findings.warn("", f"{left} is left as it was edited elsewhere: the file says nothing of it any more.")
    return EndpointStep(difference=difference, patch=claim.patch, named=claim.named, stored=before)


def job_step(
    document: JobWithEndpoints, before: Job | None, endpoints: Iterable[EndpointStep], known: Background
) -> JobStep:
    """What becomes of one job of the file."""
    name = document.name or ""
    mine = _of(before, known.mine.jobs.get(name))
    claim = claimed_of_job(document, before, mine)
    drawn_on = before or Job(id="", tenant_id="", name="", created_at=EPOCH, updated_at=EPOCH)
    given = "description" in claim.patch.model_fields_set
    after = replace(drawn_on, name=name, description=claim.patch.description if given else drawn_on.description)
    difference = job_difference(before, after)
    if before is not None:
        contest = contested(
            claim.named, job_values(before), job_values(after), mine, others=known.rivals.get(before.id, {}), usual={}
        )
        difference = replace(difference, conflicts=(*_archived_elsewhere(before, mine), *contest))
    return JobStep(
        difference=difference, patch=claim.patch, named=claim.named, stored=before, endpoints=tuple(endpoints)
    )


def _of(stored: Job | JobEndpoint | None, mine: Managed | None) -> Managed | None:
    """What the set says of what is *stored*: nothing, where it knew another one by the same name."""
    return mine if stored is not None and mine is not None and mine.id == stored.id else None


def _archived_elsewhere(stored: Job | JobEndpoint, mine: Managed | None) -> Iterator[str]:
    """That what is *stored* was archived, and not because the set's files did not list it."""
    if stored.archived_at is not None and not (mine is not None and mine.removed):
        yield "it was archived elsewhere"
