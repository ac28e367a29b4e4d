"""What applying a file would do, before anything of it is done."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from cronicorn.control.alert_files import AlertPlan
from cronicorn.control.difference import Applied, Deed, Difference
from cronicorn.control.document import EndpointPatch, JobPatch
from cronicorn.domain.endpoint import Job, JobEndpoint
from cronicorn.domain.errors import FieldError
from cronicorn.domain.filing.file_set import EndpointName, FileSet, Managed


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointStep:
    """One endpoint of the file, and what it is to be made of."""

    difference: Difference
    patch: EndpointPatch
    named: frozenset[str]
    """The fields that the file speaks for."""
    stored: JobEndpoint | None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobStep:
    """One job of the file, and what it is to be made of."""

    difference: Difference
    patch: JobPatch
    named: frozenset[str]
    stored: Job | None
    endpoints: tuple[EndpointStep, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unlisted:
    """What the set manages and its files list no longer."""

    endpoints: Mapping[EndpointName, JobEndpoint] = field(default_factory=dict)
    """Those that it made and that are still there."""
    jobs: Mapping[str, Job] = field(default_factory=dict)
    """The same of jobs, of which nothing would be left but what it made itself."""
    gone: frozenset[EndpointName | str] = frozenset()
    """What is not there any more, or not the set's alone: it is not its business from now on."""

    def differences(self) -> Iterable[Difference]:
        """What archiving all of it comes to."""
        for name in self.endpoints:
            yield Difference(deed=Deed.ARCHIVED, job=name.job, endpoint=name.endpoint)
        for job in self.jobs:
            yield Difference(deed=Deed.ARCHIVED, job=job)


@dataclass(frozen=True, slots=True, kw_only=True)
class FilePlan:
    """What applying a file would do."""

    name: str
    """The name of the file set."""
    before: FileSet
    steps: tuple[JobStep, ...]
    unlisted: Unlisted
    prune: bool
    """Whether what is unlisted is archived, or taken back."""
    alerts: AlertPlan | None
    warnings: tuple[FieldError, ...]

    def applied(self) -> Applied:
        """What is told of it."""
        ended = (*self.unlisted.differences(), *(self.alerts.unlisted.differences if self.alerts is not None else ()))
        differences = [
            difference
            for step in self.steps
            for difference in (step.difference, *(endpoint.difference for endpoint in step.endpoints))
        ]
        if self.alerts is not None:
            differences += self.alerts.differences
        return Applied(
            file_set=self.name,
            differences=(*differences, *(ended if self.prune else ())),
            unlisted=() if self.prune else tuple(each.name for each in ended),
            warnings=self.warnings,
        )


def unlisted(
    jobs: Mapping[str, Managed],
    endpoints: Mapping[EndpointName, Managed],
    stored: Mapping[str, Job],
    there: Iterable[JobEndpoint],
    *,
    shared: Collection[str],
) -> Unlisted:
    """Of *jobs* and *endpoints* that files list no longer what can be archived, given what is *stored* and *there*.

    What is *shared*, by its id, other sets speak for, too: it stays.
    """
    present = {endpoint.id: endpoint for endpoint in there}
    gone: set[EndpointName | str] = {name for name, managed in jobs.items() if _let_go(managed, stored, shared)}
    gone |= {name for name, managed in endpoints.items() if _let_go(managed, present, shared)}
    removable = {
        name: present[managed.id]
        for name, managed in sorted(endpoints.items())
        if name not in gone and present[managed.id].archived_at is None
    }
    leaving = {endpoint.id for endpoint in removable.values()}
    kept = {each.job_id for each in present.values() if each.archived_at is None and each.id not in leaving}
    ending = {
        name: stored[managed.id]
        for name, managed in sorted(jobs.items())
        if name not in gone and managed.id not in kept and stored[managed.id].archived_at is None
    }
    return Unlisted(endpoints=removable, jobs=ending, gone=frozenset(gone))


def _let_go(managed: Managed, there: Mapping[str, Job] | Mapping[str, JobEndpoint], shared: Collection[str]) -> bool:
    """Whether what is *managed* is not the set's alone to remove: somebody may have brought back what it removed."""
    stored = there.get(managed.id)
    if stored is None or not managed.made or managed.id in shared:
        return True
    return managed.removed and stored.archived_at is None


def made(before: Managed | None, stored: Job | JobEndpoint | None) -> bool:
    """Whether what is *stored*, and of which the set has said *before*, was made by it, or will be."""
    return stored is None or (before is not None and before.id == stored.id and before.made)
