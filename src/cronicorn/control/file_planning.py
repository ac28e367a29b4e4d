"""Planning what a file does: what it lists is found by name, and compared with what is stored."""

from collections.abc import Sequence
from dataclasses import dataclass

from cronicorn.control.alert_files import AlertFiles, AlertPlan
from cronicorn.control.document import JobWithEndpoints
from cronicorn.control.endpoints import Endpoints
from cronicorn.control.file_document import AlertsInFile, FileDocument
from cronicorn.control.file_plan import FilePlan, JobStep, Unlisted, unlisted
from cronicorn.control.file_steps import Background, background, endpoint_step, job_step, known_as
from cronicorn.control.findings import Findings
from cronicorn.control.jobs import Jobs, judge_job
from cronicorn.control.limits import check_limits
from cronicorn.control.scope_names import scope_names
from cronicorn.domain.endpoint import Job, JobEndpoint, JobStatus
from cronicorn.domain.filing.file_set import SETS_MAX, USUAL, EndpointName, FileSet
from cronicorn.domain.filing.ports import FileSetBook
from cronicorn.domain.ports import Clock, Cron
from cronicorn.domain.principal import Principal

JOBS_MAX = 1_000
ENDPOINTS_MAX = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class FileNouns:
    """What files are applied to, all over the same stores."""

    jobs: Jobs
    endpoints: Endpoints
    alerts: AlertFiles
    sets: FileSetBook


class FilePlanner:
    """Makes plans. It only reads, on behalf of whoever applies the file."""

    def __init__(self, nouns: FileNouns, clock: Clock, cron: Cron) -> None:
        self._nouns = nouns
        self._clock = clock
        self._cron = cron

    async def planned(self, asker: Principal, file: FileDocument, findings: Findings, *, prune: bool) -> FilePlan:
        """What applying *file* would do. *findings* are told what keeps it from being applied."""
        check_limits(file, findings)
        name = file.set or USUAL
        sets = await self._nouns.sets.all(asker.tenant_id)
        if name not in sets and len(sets) >= SETS_MAX:
            findings.refuse("/set", f"There are {SETS_MAX} file sets already: use one of them.")
        limits = await self._nouns.endpoints.limits(asker)
        known = background(name, sets, limits=limits, cron=self._cron, now=self._clock.now())
        stored = await self._jobs(asker, known.mine)
        steps: list[JobStep] = []
        if len(file.jobs) > JOBS_MAX or sum(len(job.endpoints) for job in file.jobs) > ENDPOINTS_MAX:
            findings.refuse("/jobs", f"At most {JOBS_MAX} jobs and {ENDPOINTS_MAX} endpoints; split the file.")
        else:
            names = [job.name for job in file.jobs]
            _refuse_repeated(names, findings.inside("/jobs"))
            for place, document in enumerate(file.jobs):
                inside = findings.inside(f"/jobs/{place}")
                job = known_as(stored, document.name or "", known.mine.jobs.get(document.name or ""), names, inside)
                steps.append(await self._planned(asker, document, job, known, inside))
        others = frozenset(part for other, said in sets.items() if other != name for part in said.alerts)
        alerts = await self._planned_alerts(asker, file, known.mine, findings, others=others, prune=prune)
        unlisted = await self._unlisted(asker, stored, known, steps)
        return FilePlan(
            name=name, before=known.mine, steps=tuple(steps), unlisted=unlisted, prune=prune, alerts=alerts,
            warnings=findings.warnings,
        )  # fmt: skip

    async def _jobs(self, asker: Principal, mine: FileSet) -> list[Job]:
        """The tenant's jobs; those that are archived only where the set has some that are."""
        jobs = [job for job, _ in await self._nouns.jobs.list(asker)]
        if {managed.id for managed in mine.jobs.values()} - {job.id for job in jobs}:
            jobs += [job for job, _ in await self._nouns.jobs.list(asker, JobStatus.ARCHIVED)]
        return jobs

    async def _planned(
        self, asker: Principal, document: JobWithEndpoints, job: Job | None, known: Background, findings: Findings
    ) -> JobStep:
        judge_job(document, findings)
        names = [endpoint.name for endpoint in document.endpoints]
        _refuse_repeated(names, findings.inside("/endpoints"))
        there = await self._endpoints_of(asker, job)
        steps = []
        for place, endpoint in enumerate(document.endpoints):
            inside = findings.inside(f"/endpoints/{place}")
            name = EndpointName(document.name or "", endpoint.name or "")
            inside.adopt(await self._nouns.endpoints.secret_names.unknown(asker.tenant_id, endpoint))
            before = known_as(there, name.endpoint, known.mine.endpoints.get(name), names, inside)
            steps.append(endpoint_step(name, endpoint, before, known, inside))
        return job_step(document, job, steps, known)

    async def _endpoints_of(self, asker: Principal, job: Job | None) -> list[JobEndpoint]:
        if job is None:
            return []
        return [view.endpoint for view in await self._nouns.endpoints.list(asker, job.id)]

    async def _planned_alerts(
        self, asker: Principal, file: FileDocument, mine: FileSet, findings: Findings, *, others: frozenset[str],
        prune: bool,
    ) -> AlertPlan | None:  # fmt: skip
        """What the file says about alerts, where all is there that the file names, and what it says no longer.

        *others* are the parts that other sets speak for, too.
        """
        if file.alerts is None and not mine.alerts:
            return None
        alerts, document = self._nouns.alerts, file.alerts or AlertsInFile()
        names = await scope_names(self._nouns.jobs, self._nouns.endpoints, asker)
        every = (
            await scope_names(self._nouns.jobs, self._nouns.endpoints, asker, archived=True) if mine.alerts else names
        )
        unlisted = await alerts.unlisted(asker, document, every, mine.alerts, others)
        for job in file.jobs:
            names = names.with_job(job.name or "", [endpoint.name or "" for endpoint in job.endpoints])
        inside = findings.inside("/alerts")
        return await alerts.planned(asker, document, names, inside, mine.alerts, unlisted=unlisted, prune=prune)

    async def _unlisted(
        self, asker: Principal, stored: Sequence[Job], known: Background, steps: Sequence[JobStep]
    ) -> Unlisted:
        """What the set manages and none of the *steps* is about."""
        mine = known.mine
        listed = {step.difference.job for step in steps}
        jobs = {name: managed for name, managed in mine.jobs.items() if name not in listed}
        also = {
            EndpointName(each.difference.job or "", each.difference.endpoint or "")
            for step in steps
            for each in step.endpoints
        }
        endpoints = {name: managed for name, managed in mine.endpoints.items() if name not in also}
        by_id = {job.id: job for job in stored}
        there: list[JobEndpoint] = []
        for name in sorted(jobs.keys() | {name.job for name in endpoints}):
            managed = mine.jobs.get(name)
            there += await self._endpoints_of(asker, by_id.get(managed.id) if managed is not None else None)
        return unlisted(jobs, endpoints, by_id, there, shared=known.rivals.keys())


def _refuse_repeated(names: Sequence[str | None], findings: Findings) -> None:
    first: dict[str | None, int] = {}
    for place, name in enumerate(names):
        if first.setdefault(name, place) != place:
            findings.refuse(f"/{place}/name", f"The same name as number {first[name]} of the list has.")
