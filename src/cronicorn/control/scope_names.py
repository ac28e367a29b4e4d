"""The jobs and endpoints of a tenant, by the names that a file knows them by: JOB and JOB/ENDPOINT."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from cronicorn.control.endpoints import Endpoints
from cronicorn.control.findings import Findings
from cronicorn.control.jobs import Jobs
from cronicorn.domain.alert.alerting import EVERYWHERE, AlertScope
from cronicorn.domain.endpoint import JobStatus
from cronicorn.domain.principal import Principal


@dataclass(frozen=True, slots=True)
class ScopeNames:
    """Names by ids; archived ones are among them only where they were asked for."""

    jobs: Mapping[str, str] = field(default_factory=dict)
    endpoints: Mapping[str, str] = field(default_factory=dict)

    def named(self, scope: AlertScope) -> AlertScope:
        """*scope* with names in the place of ids, in their order, without what is gone.

        Where all of it is gone the ids stay: it must not come to mean everything.
        """
        found = AlertScope(
            job_ids=tuple(sorted(self.jobs[each] for each in scope.job_ids if each in self.jobs)),
            endpoint_ids=tuple(sorted(self.endpoints[each] for each in scope.endpoint_ids if each in self.endpoints)),
        )
        return scope if found == EVERYWHERE else found

    def resolved(self, scope: AlertScope) -> AlertScope:
        """*scope* with ids in the place of names. Raises KeyError for a name that nothing has."""
        jobs = {name: job_id for job_id, name in self.jobs.items()}
        endpoints = {name: endpoint_id for endpoint_id, name in self.endpoints.items()}
        return AlertScope(
            job_ids=tuple(jobs[name] for name in scope.job_ids),
            endpoint_ids=tuple(endpoints[name] for name in scope.endpoint_ids),
        )

    def with_job(self, name: str, endpoints: Iterable[str]) -> "ScopeNames":
        """These, and a job with *endpoints* that are yet to be made, as far as they are not there."""
        full = [f"{name}/{endpoint}" for endpoint in endpoints]
        known_jobs, known = set(self.jobs.values()), set(self.endpoints.values())
        return ScopeNames(
            {**self.jobs, **({f"new {name}": name} if name not in known_jobs else {})},
            {**self.endpoints, **{f"new {each}": each for each in full if each not in known}},
        )

    def judge(self, jobs: Iterable[str], endpoints: Iterable[str], findings: Findings) -> None:
        """Report names that nothing has, and those that several have."""
        for pointer, names, known in (("/jobs", jobs, self.jobs), ("/endpoints", endpoints, self.endpoints)):
            counts = Counter(known.values())
            for place, name in enumerate(names):
                if counts[name] != 1:
                    what = "Nothing has this name" if not counts[name] else f"{counts[name]} have this name"
                    findings.refuse(f"{pointer}/{place}", f"{what}: give that of a job, or JOB/ENDPOINT.")


async def scope_names(jobs: Jobs, endpoints: Endpoints, principal: Principal, *, archived: bool = False) -> ScopeNames:
    """What the tenant has; what is *archived* only where that is asked for."""
    named, full = {}, {}
    listed = [*await jobs.list(principal), *(await jobs.list(principal, JobStatus.ARCHIVED) if archived else ())]
    for job, _ in listed:
        named[job.id] = job.name
        for view in await endpoints.list(principal, job.id):
            if archived or view.endpoint.archived_at is None:
                full[view.endpoint.id] = f"{job.name}/{view.endpoint.name}"
    return ScopeNames(named, full)
