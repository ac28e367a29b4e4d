"""One mechanism after another through the same trial."""

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from cronicorn.cli.comparison import measures, scrape
from cronicorn.cli.comparison.measures import Row
from cronicorn.cli.comparison.target import Target, a_target
from cronicorn.cli.comparison.trial import Trial
from cronicorn.cli.comparison.worker_processes import WorkerProcesses, worker_processes
from cronicorn.cli.local import read_settings
from cronicorn.control.document import EndpointDocument, JobDocument
from cronicorn.domain.endpoint import JobStatus
from cronicorn.domain.errors import InvalidInputError, UnavailableError
from cronicorn.domain.mechanism import Mechanism
from cronicorn.wiring.local import LocalControl, local_control
from cronicorn.wiring.verification import violations

JOB_NAME = "leases compare"
CALL_TIMEOUT_MS = 5_000


async def compare(trial: Trial, database: str | None, told: Callable[[Mechanism], None]) -> list[Row]:
    """The rows of the table. Without *database* each mechanism gets a SQLite file of its own, which goes afterwards.

    A database that is named must hold no jobs. Raises InvalidInputError and UnavailableError.
    """
    rows = []
    with tempfile.TemporaryDirectory(prefix="cronicorn-compare-", ignore_cleanup_errors=True) as folder:
        for mechanism in trial.mechanisms:
            told(mechanism)
            own = _folder(folder, mechanism)
            rows.append(await _row(trial, mechanism, database or f"sqlite:///{own}/cronicorn.db", own))
    return rows


def _folder(parent: str, mechanism: Mechanism) -> Path:
    folder = Path(parent, mechanism)
    folder.mkdir()
    return folder


async def _row(trial: Trial, mechanism: Mechanism, database: str, folder: Path) -> Row:
    async with a_target(trial.seed) as target, _load(trial, database, target):
        async with worker_processes(folder, _settings(trial, mechanism, database), trial.workers) as workers:
            looking = asyncio.create_task(workers.look())
            await _suffer(trial, workers)
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)
        found = await violations(read_settings(database_url=database))
    return _measured(mechanism, target, workers.samples(), found)


async def _suffer(trial: Trial, workers: WorkerProcesses) -> None:
    """Let the faults happen when they are due, side by side if they overlap."""
    loop = asyncio.get_running_loop()
    began_at = loop.time()
    async with asyncio.TaskGroup() as group:
        for fault in trial.faults():
            await asyncio.sleep(max(0.0, began_at + fault.at_s - loop.time()))
            group.create_task(workers.suffer(fault))
        await asyncio.sleep(max(0.0, began_at + trial.seconds - loop.time()))


@asynccontextmanager
async def _load(trial: Trial, database: str, target: Target) -> AsyncIterator[None]:
    """The endpoints of the trial, for as long as the block lasts."""
    async with local_control(read_settings(database_url=database)) as local:
        principal = local.principal("default")
        if await local.control.jobs.list(principal):
            raise InvalidInputError(
                "The database holds jobs, which would be called during the comparison: name an empty one."
            )
        job = await local.control.jobs.create(principal, JobDocument(name=JOB_NAME))
        try:
            for number in range(trial.endpoints):
                document = EndpointDocument.model_validate(
                    {
                        "name": f"endpoint {number}",
                        "url": target.url,
                        "baselineIntervalMs": 1_000,
                        "timeoutMs": CALL_TIMEOUT_MS,
                    }
                )
                await local.control.endpoints.create(principal, job.id, document)
            yield
        finally:
            with contextlib.suppress(OSError, UnavailableError):
                await _clear(local, job.id)


async def _clear(local: LocalControl, job_id: str) -> None:
    principal = local.principal("default")
    for view in await local.control.endpoints.list(principal, job_id):
        await local.control.endpoints.delete(principal, view.endpoint.id)
    await local.control.jobs.move(principal, job_id, JobStatus.ARCHIVED)


def _settings(trial: Trial, mechanism: Mechanism, database: str) -> Mapping[str, str]:
    return {
        "CRONICORN_DATABASE_URL": database,
        "CRONICORN_LEASE_MECHANISM": mechanism.value,
        "CRONICORN_LEASE_TTL": f"{trial.lease_ttl_s:g}s",
        "CRONICORN_RENEW_INTERVAL": f"{trial.renew_interval_s:g}s",
        "CRONICORN_POLL_INTERVAL": f"{trial.poll_interval_s * 1000:g}ms",
        "CRONICORN_LEGACY_LOCK": f"{trial.legacy_lock_s:g}s",
        "CRONICORN_EGRESS_ALLOW": "127.0.0.0/8",
        "CRONICORN_DRAIN_GRACE": "2s",
    }


def _measured(mechanism: Mechanism, target: Target, samples: Sequence[scrape.Sample], found: int) -> Row:
    recovered = measures.recoveries(target.calls)
    claim = scrape.buckets(samples, "cronicorn_store_seconds", method="claim_due")
    return Row(
        mechanism=mechanism,
        runs=scrape.total(samples, "cronicorn_runs_total"),
        calls_doubled=measures.doubled(target.calls),
        claims=scrape.total(samples, "cronicorn_claims_total"),
        claims_empty=scrape.total(samples, "cronicorn_claims_empty_total"),
        claims_contended=scrape.total(samples, "cronicorn_claims_contended_total"),
        claim_p50_s=measures.histogram_quantile(claim, 0.5),
        claim_p99_s=measures.histogram_quantile(claim, 0.99),
        leases_lost=scrape.total(samples, "cronicorn_leases_lost_total"),
        stale_refused=scrape.total(samples, "cronicorn_completions_refused_total"),
        recoveries=len(recovered),
        recovery_p50_s=measures.quantile(recovered, 0.5),
        recovery_max_s=measures.quantile(recovered, 1.0),
        delay_p99_s=measures.histogram_quantile(scrape.buckets(samples, "cronicorn_start_delay_seconds"), 0.99),
        violations=found,
    )
