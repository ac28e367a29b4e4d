"""Verifying a store: its rows, read in portions from one snapshot, against what must hold. Nobody waits for it."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from cronicorn.control.sorted_rows import SortedRows, each
from cronicorn.domain.access.rows import audit_entry_of, key_of, member_of
from cronicorn.domain.alert.audit import AlertAudit
from cronicorn.domain.alert.rows import alerting_from
from cronicorn.domain.archive import Table
from cronicorn.domain.audit import AuditBounds, EndpointAudit, JobFacts
from cronicorn.domain.cells import UNREADABLE, Row, number_in
from cronicorn.domain.endpoint import JobEndpoint, JobStatus
from cronicorn.domain.filing.file_set import file_set_of
from cronicorn.domain.flow.record import flow_record_of
from cronicorn.domain.instant import ZERO, shifted
from cronicorn.domain.keychain.rows import keychain_of
from cronicorn.domain.planner_audit import PlannerAudit
from cronicorn.domain.ports import Archive, Clock, Cron, Snapshot
from cronicorn.domain.provision.provision import provision_of
from cronicorn.domain.rollup.audit import EndpointHours, RollupAudit
from cronicorn.domain.rows import job_of, tenant_of
from cronicorn.domain.run_count_audit import RunCountAudit
from cronicorn.domain.token_audit import TokenAudit
from cronicorn.domain.verification import Check, Findings

CLOCK_TOLERANCE = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verifier:
    """Verifies stores."""

    clock: Clock
    cron: Cron
    retention: timedelta
    """How long runs and skips are kept at least."""
    wait_max: timedelta
    """How long a slot may be due, or a lease expired, before somebody takes it."""
    stopped: bool = False
    """Whether no worker runs, so that slots may wait."""
    second_look_after: timedelta = ZERO
    """So long after slots were found waiting workers must have taken them, had only the store been away."""
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep

    async def verify(self, archive: Archive) -> Findings:
        """What is to be said of the store. Raises UnavailableError, and ConflictError for another version's store.

        If nothing is wrong but that slots wait, it looks once more: right after an outage of the store they all do.
        """
        findings = await self._look(archive)
        if findings.broken == {Check.TAKEN} and self.second_look_after:
            await self.pause(self.second_look_after.total_seconds())
            findings = await self._look(archive)
        return findings

    async def _look(self, archive: Archive) -> Findings:
        findings = Findings(stopped=self.stopped)
        before = self.clock.now()

        async def work(snapshot: Snapshot) -> None:
            self._look_at_clock(findings, before, snapshot.taken_at)
            await snapshot.examine(findings)
            await _Walk(self, snapshot, findings).walk()

        await archive.read(work)
        return findings

    def _look_at_clock(self, findings: Findings, before: datetime, taken_at: datetime) -> None:
        ahead = max(before - taken_at, taken_at - self.clock.now(), ZERO)
        findings.expect(Check.CLOCK, ahead <= CLOCK_TOLERANCE, "this machine", f"its clock is off by {ahead}")


class _Walk:
    """One way through all rows."""

    def __init__(self, verifier: Verifier, snapshot: Snapshot, findings: Findings) -> None:
        self._verifier = verifier
        self._snapshot = snapshot
        self._findings = findings
        self._kept = verifier.retention
        """How long everybody's history is kept at least."""

    async def walk(self) -> None:
        """Look at everything, endpoint by endpoint."""
        tenants = await self._look_at_access()
        await self._look_at_tokens(tenants)
        await self._look_at_alerts(tenants)
        jobs = await self._jobs()
        bounds = await self._bounds()
        schedules = self._sorted(Table.SCHEDULE, self._without_endpoint)
        runs, skips = self._sorted(Table.RUNS, self._left_over), self._sorted(Table.SKIPS, self._left_over)
        of_planners = _OfPlanners(self._snapshot, self._findings)
        counts = RunCountAudit(self._findings, tenants, bounds.taken_at)
        rollups = _OfRollups(self._snapshot, self._findings, bounds)
        async for row in each(self._snapshot.rows(Table.ENDPOINTS)):
            number = number_in(row["number"])
            own = [schedule async for schedule in schedules.of(number)]
            what = f"it has {len(own)} schedules"
            self._findings.expect(Check.ONE_SCHEDULE, len(own) == 1, f"endpoint {row['id']!s}", what)
            endpoint, counted = None, rollups.audit.endpoint(str(row["id"]))
            if own:
                with suppress(*UNREADABLE):  # The audit tells of that.
                    counts.schedule(own[0])
                audit = EndpointAudit(self._findings, bounds, self._verifier.cron, row, own[0])
                audit.begin(jobs.get(number_in(row["job_number"])))
                async for run in runs.of(number):
                    audit.run(run)
                    counted.run(run)
                async for skip in skips.of(number):
                    audit.skip(skip)
                audit.close()
                endpoint = audit.endpoint
                await rollups.look(number, counted)
            await of_planners.look(row, number, endpoint)
        await of_planners.pass_over()
        await rollups.pass_over()
        await self._look_at_counts(counts)
        for sorted_rows in (schedules, runs, skips):
            await sorted_rows.pass_over()

    async def _look_at_access(self) -> set[str]:
        """Also answers the ids of all tenants."""
        tenants = set()
        async for row in each(self._snapshot.rows(Table.TENANTS)):
            tenants.add(str(row["id"]))
            self._readable(row, f"tenant {row['id']!s}", tenant_of)
        async for row in each(self._snapshot.rows(Table.API_KEYS)):
            self._readable(row, f"API key {row['id']!s}", key_of)
        async for row in each(self._snapshot.rows(Table.MEMBERS)):
            self._readable(row, f"member {row['id']!s}", member_of)
        async for row in each(self._snapshot.rows(Table.AUDIT_LOG)):
            self._readable(row, f"audit entry {row['number']!s}", audit_entry_of)
        async for row in each(self._snapshot.rows(Table.TENANT_PROVISIONS)):
            where = f"what was set for tenant {row['tenant_id']!s}"
            if self._readable(row, where, lambda provided: provision_of(str(provided["document"]))):
                provision = provision_of(str(row["document"]))
                lengths = (self._kept, provision.runs_kept, provision.failures_kept)
                self._kept = min(length for length in lengths if length is not None)
        async for row in each(self._snapshot.rows(Table.KEYCHAINS)):
            where = f"the keychain of tenant {row['tenant_id']!s}"
            self._readable(row, where, keychain_of)
            self._findings.expect(Check.OWNERS, row["tenant_id"] in tenants, where, "there is no such tenant")
        async for row in each(self._snapshot.rows(Table.FILE_SETS)):
            where = f"the file set {row['name']!s} of tenant {row['tenant_id']!s}"
            self._readable(row, where, lambda kept: file_set_of(0, str(kept["document"])))
            self._findings.expect(Check.OWNERS, row["tenant_id"] in tenants, where, "there is no such tenant")
        return tenants

    async def _look_at_tokens(self, tenants: set[str]) -> None:
        audit = TokenAudit(self._findings, tenants)
        async for row in each(self._snapshot.rows(Table.QUOTA_GRANTS)):
            self._readable(row, f"grant {row['id']!s}", audit.grant)
        async for row in each(self._snapshot.rows(Table.QUOTA_BOOKS)):
            self._readable(row, f"book {row['number']!s}", audit.book)
        audit.close()

    async def _look_at_alerts(self, tenants: set[str]) -> None:
        audit = AlertAudit(self._findings, tenants)
        async for row in each(self._snapshot.rows(Table.ALERTINGS)):
            where = f"what tenant {row['tenant_id']!s} wants to be told"
            self._readable(row, where, lambda kept: alerting_from(str(kept["document"])))
        async for row in each(self._snapshot.rows(Table.INCIDENTS)):
            self._readable(row, f"incident {row['id']!s}", audit.incident)
        async for row in each(self._snapshot.rows(Table.ALERT_MESSAGES)):
            self._readable(row, f"message {row['id']!s}", audit.message)

    async def _look_at_counts(self, audit: RunCountAudit) -> None:
        async for row in each(self._snapshot.rows(Table.RUN_COUNTS)):
            self._readable(row, f"the runs of tenant {row['tenant_id']!s}", audit.count)
        audit.close()
        async for row in each(self._snapshot.rows(Table.FLOWS)):
            where = f"the calls of tenant {row['tenant_id']!s} under {row['name']!s}"
            self._readable(row, where, _flow_record_in)

    async def _jobs(self) -> dict[int, JobFacts]:
        found = {}
        async for row in each(self._snapshot.rows(Table.JOBS)):
            if self._readable(row, f"job {row['id']!s}", job_of):
                job = job_of(row)
                active = job.status is JobStatus.ACTIVE
                found[number_in(row["number"])] = JobFacts(id=job.id, tenant_id=job.tenant_id, active=active)
        return found

    async def _bounds(self) -> AuditBounds:
        taken_at = self._snapshot.taken_at
        kept = shifted(taken_at, -self._kept)
        oldest = await self._snapshot.kept_since()
        return AuditBounds(
            taken_at=taken_at,
            kept_since=kept if oldest is None else max(kept, oldest),
            wait_max=self._verifier.wait_max,
        )

    def _sorted(self, table: Table, left_over: Callable[[Row], None]) -> SortedRows:
        return SortedRows(self._snapshot.rows(table, by_endpoint=True), "endpoint_number", left_over)

    def _readable(self, row: Row, where: str, read: Callable[[Row], object]) -> bool:
        try:
            read(row)
            wrong = None
        except UNREADABLE as error:
            wrong = error
        return self._findings.expect(Check.READABLE, wrong is None, where, f"it can't be read ({wrong!r})")

    def _without_endpoint(self, schedule: Row) -> None:
        where = f"schedule {schedule['endpoint_number']!s}"
        self._findings.expect(Check.ONE_SCHEDULE, holds=False, where=where, what="its endpoint is not there")

    def _left_over(self, row: Row) -> None:
        """What is left of a deleted endpoint until it is pruned."""
        where = f"endpoint number {row['endpoint_number']!s}"
        self._findings.expect(Check.LEFT_OVERS, holds=False, where=where, what="a run or a skip is left of it")


def _flow_record_in(row: Row) -> object:
    kept_until_us, slowed_us = number_in(row["kept_until_us"]), number_in(row["slowed_us"])
    return flow_record_of(str(row["document"]), kept_until_us=kept_until_us, slowed_us=slowed_us)


class _OfPlanners:
    """What planners keep, endpoint by endpoint."""

    def __init__(self, snapshot: Snapshot, findings: Findings) -> None:
        self._findings = findings
        self._taken_at = snapshot.taken_at
        self._watches = self._sorted(snapshot, Table.WATCHES, Check.WATCHES)
        self._drafts = self._sorted(snapshot, Table.POLICY_DRAFTS, Check.DRAFTS)
        self._analyses = self._sorted(snapshot, Table.ANALYSES, Check.ANALYSES)

    async def look(self, row: Row, number: int, endpoint: JobEndpoint | None) -> None:
        """Look at what is kept of the endpoint of this *number* and *row*, which comes after those before it."""
        audit = PlannerAudit(self._findings, row, endpoint, self._taken_at)
        async for watch in self._watches.of(number):
            audit.watch(watch)
        async for draft in self._drafts.of(number):
            audit.draft(draft)
        async for analysis in self._analyses.of(number):
            audit.analysis(analysis)
        audit.close()

    async def pass_over(self) -> None:
        """Tell of what is left: it goes with its endpoint, unlike runs."""
        for sorted_rows in (self._watches, self._drafts, self._analyses):
            await sorted_rows.pass_over()

    def _sorted(self, snapshot: Snapshot, table: Table, check: Check) -> SortedRows:
        def left_over(row: Row) -> None:
            where = f"endpoint number {row['endpoint_number']!s}"
            self._findings.expect(
                check, holds=False, where=where, what=f"it is not there, and a row of {table} is of it"
            )

        return SortedRows(snapshot.rows(table, by_endpoint=True), "endpoint_number", left_over)


class _OfRollups:
    """Counted runs, endpoint by endpoint and then job by job."""

    def __init__(self, snapshot: Snapshot, findings: Findings, bounds: AuditBounds) -> None:
        self.audit = RollupAudit(findings, bounds.kept_since, bounds.taken_at)
        self._findings = findings
        self._snapshot = snapshot
        self._hours = SortedRows(
            snapshot.rows(Table.ENDPOINT_HOURS, by_endpoint=True), "endpoint_number",
            lambda row: self._read(row, self.audit.left_over),
        )  # fmt: skip

    async def look(self, number: int, counted: EndpointHours) -> None:
        """Look at the counts of the endpoint of this *number*, which comes after those before it."""
        async for row in self._hours.of(number):
            self._read(row, counted.hour)
        counted.close()

    async def pass_over(self) -> None:
        """Look at what is left of deleted endpoints, and at all jobs."""
        await self._hours.pass_over()
        async for row in each(self._snapshot.rows(Table.JOB_HOURS)):
            self._read(row, self.audit.job)
        self.audit.close()

    def _read(self, row: Row, take: Callable[[Row], None]) -> None:
        try:
            take(row)
        except UNREADABLE as error:
            where = f"the counted runs of job number {row['job_number']!s}"
            self._findings.expect(Check.READABLE, holds=False, where=where, what=f"they can't be read ({error!r})")
