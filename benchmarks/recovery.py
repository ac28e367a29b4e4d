"""How long the slots of a worker that is killed in the middle of their calls wait for another worker.

Real `cronicorn scheduler` processes; a worker is killed with SIGKILL and replaced at once. Measured at the server that
is called: from the kill to the next request with the same `Idempotency-Key`.
"""

import asyncio
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import asyncpg
import uvloop

from benchmarks.postgres import new_database, postgres_server
from benchmarks.report import Report, Row
from cronicorn.cli.comparison.measures import quantile
from cronicorn.cli.comparison.target import Target, TargetCall, a_target
from cronicorn.cli.comparison.trial import Fault, FaultKind
from cronicorn.cli.comparison.worker_processes import WorkerProcesses, worker_processes
from cronicorn.cli.local import read_settings
from cronicorn.control.document import EndpointDocument, JobDocument
from cronicorn.domain.takeover import PROMPT_TAKEOVERS, recovery_bound
from cronicorn.wiring.local import local_control

_SEED = 1
_CUT_WITHIN_S = 1.0
"""So long after a kill its calls are seen to end."""
_SETTLE_IN_S = 4.0
_LOOK_EVERY_S = 0.2
"""Less than any lease lasts."""
_LEASES = """
SELECT endpoint_id || ':' || leased_slot, fence, lost_claims,
       extract(epoch FROM clock_timestamp())::float8 - claimed_us / 1e6::float8
  FROM cronicorn.schedule WHERE claim_id IS NOT NULL
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """So many workers, the calls it is making, and how often a worker is killed."""

    ttl_s: float
    renew_s: float
    allowed_s: float
    """What was promised of the worst."""
    kills: int
    every_s: float
    call_s: tuple[float, float]
    poll_s: float = 1.0
    workers: int = 6
    endpoints: int = 36

    @property
    def formula_s(self) -> float:
        """The lease, a look at the store, and until that look is one for expired leases."""
        return recovery_bound(timedelta(seconds=self.ttl_s), timedelta(seconds=self.poll_s)).total_seconds()


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A lease on a slot, as the store tells of it."""

    claimed_at: float
    """By the monotonic clock; a little early rather than late."""
    losses: int
    """How many leases in a row had been lost before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """What became of the calls of all workers that were killed."""

    kills_in_calls: int
    """Kills that cut off a call at least."""
    took_s: Sequence[float]
    """Of slots that lost the lease of that call and no other, and could be taken over at once."""
    longer_s: Sequence[float]
    """Of all others."""
    rested: int
    """Calls after which a slot had to rest, having lost more leases in a row than are taken over at once."""
    lost_again: int
    """Calls after which another worker claimed the slot, and was killed before it called."""
    never: int
    """Slots that nobody called again, and that did not have to rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _CutOff:
    """A call that a kill cut off."""

    kill: float
    """Its instant."""
    took_s: float | None
    """Until the slot was called again; None where nobody did."""
    rests: bool
    lost_again: bool

    @property
    def promptly(self) -> bool:
        """Whether the slot lost the lease of that call and no other, and could be taken over at once."""
        return not self.rests and not self.lost_again


# Each kill comes when the one before has healed: a slot that loses three leases in a row rests, another matter.
_SHORT = Trial(ttl_s=3.0, renew_s=1.0, allowed_s=5.5, kills=50, every_s=10.0, call_s=(2.0, 4.0), workers=8)
_DEFAULTS = Trial(ttl_s=30.0, renew_s=10.0, allowed_s=37.0, kills=3, every_s=3.0, call_s=(12.0, 20.0))
_QUICK = Trial(
    ttl_s=1.5, renew_s=0.5, allowed_s=5.5, kills=1, every_s=1.0, call_s=(1.0, 2.0), workers=2, endpoints=4, poll_s=0.25
)


def run(*, as_json: bool, quick: bool) -> None:
    """Measure and show."""
    rows: list[Row] = []
    with postgres_server() as server:
        for number, trial in enumerate((_QUICK,) if quick else (_SHORT, _DEFAULTS)):
            found = uvloop.run(_measured(trial, new_database(server, f"recovery{number}")))
            rows += _rows(trial, found)
    about = "from kill -9 of a worker in its calls to the next request for the same slot; by lease, renewal and poll"
    Report(name="recovery", about=about, rows=rows).show(as_json=as_json)


def _rows(trial: Trial, found: Recovered) -> list[Row]:
    settings = f"{trial.ttl_s:g} s, {trial.renew_s:g} s, {trial.poll_s:g} s"
    bound: Row = {
        "settings": settings, "what": "bound: lease + poll + sweep", "kills": None, "calls": None,
        "p50 s": None, "p90 s": None, "p99 s": None, "max s": trial.formula_s, "allowed s": trial.allowed_s,
        "rested": None, "lost again": None, "never": None,
    }  # fmt: skip
    prompt: Row = {
        "settings": settings, "what": "cronicorn", "kills": found.kills_in_calls, **_quantiles(found.took_s),
        "allowed s": trial.allowed_s, "rested": None, "lost again": None, "never": found.never,
    }  # fmt: skip
    longer: Row = {
        "settings": settings, "what": "rested or lost again", "kills": None, **_quantiles(found.longer_s),
        "allowed s": None, "rested": found.rested, "lost again": found.lost_again, "never": None,
    }  # fmt: skip
    return [bound, prompt, longer]


def _quantiles(took: Sequence[float]) -> Row:
    return {
        "calls": len(took), "p50 s": quantile(took, 0.5), "p90 s": quantile(took, 0.9), "p99 s": quantile(took, 0.99),
        "max s": quantile(took, 1.0),
    }  # fmt: skip


async def _measured(trial: Trial, database: str) -> Recovered:
    with tempfile.TemporaryDirectory(prefix="cronicorn-recovery-", ignore_cleanup_errors=True) as folder:
        async with a_target(_SEED, trial.call_s) as target:
            await _add_endpoints(trial, database, target)
            leases: defaultdict[str, dict[int, Held]] = defaultdict(dict)
            watching = asyncio.create_task(_watch_leases(database, leases))
            async with worker_processes(Path(folder), _settings(trial, database), trial.workers) as workers:
                await asyncio.sleep(_SETTLE_IN_S)
                killed_at = await _kill_one_after_another(trial, workers)
                await asyncio.sleep(trial.allowed_s + 1.0)
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching
        return recovered(killed_at, target.calls, {key: list(held.values()) for key, held in leases.items()})


async def _kill_one_after_another(trial: Trial, workers: WorkerProcesses) -> list[float]:
    """The instants of the kills, by the monotonic clock."""
    killed_at = []
    for number in range(trial.kills):
        fault = Fault(at_s=0.0, kind=FaultKind.KILL, worker=number % trial.workers)
        async with _paced(trial.every_s):
            asked = time.monotonic()
            await workers.suffer(fault)
            killed_at.append(asked)
    return killed_at


async def _watch_leases(database: str, leases: defaultdict[str, dict[int, Held]]) -> None:
    """Write down all leases on each slot, by its `Idempotency-Key` and their fences, until cancelled."""
    connection = await asyncpg.connect(database)
    try:
        while True:
            asked = time.monotonic()
            for key, fence, losses, held_s in await connection.fetch(_LEASES):
                leases[key].setdefault(fence, Held(claimed_at=asked - held_s, losses=losses))
            await asyncio.sleep(_LOOK_EVERY_S)
    finally:
        connection.terminate()


@asynccontextmanager
async def _paced(seconds: float) -> AsyncIterator[None]:
    """The block, and then rest until *seconds* have passed since it began."""
    until = time.monotonic() + seconds
    yield
    await asyncio.sleep(max(0.0, until - time.monotonic()))


async def _add_endpoints(trial: Trial, database: str, target: Target) -> None:
    async with local_control(read_settings(database_url=database)) as local:
        principal = local.principal("default")
        job = await local.control.jobs.create(principal, JobDocument(name="recovery"))
        for number in range(trial.endpoints):
            document = {
                "name": f"endpoint {number}", "url": target.url, "baselineIntervalMs": 1_000, "timeoutMs": 60_000,
            }  # fmt: skip
            await local.control.endpoints.create(principal, job.id, EndpointDocument.model_validate(document))


def _settings(trial: Trial, database: str) -> Mapping[str, str]:
    return {
        "CRONICORN_DATABASE_URL": database,
        "CRONICORN_LEASE_TTL": f"{trial.ttl_s:g}s",
        "CRONICORN_RENEW_INTERVAL": f"{trial.renew_s:g}s",
        "CRONICORN_CALLS_MAX": str(trial.endpoints // trial.workers + 1),  # or one worker would make all calls
        "CRONICORN_POLL_INTERVAL": f"{trial.poll_s * 1_000:g}ms",
        "CRONICORN_EGRESS_ALLOW": "127.0.0.0/8",
        "CRONICORN_DRAIN_GRACE": "2s",
    }


def recovered(
    killed_at: Sequence[float], calls: Sequence[TargetCall], leases: Mapping[str, Sequence[Held]]
) -> Recovered:
    """What became of *calls*, in the order in which they began, after kills at these instants. Pure.

    *leases* are those on each slot, in the order in which they were claimed: the target sees nothing of one whose
    worker was killed before it called.
    """
    cut = list(_cut_off(killed_at, calls, leases))
    return Recovered(
        kills_in_calls=len({each.kill for each in cut}),
        took_s=[each.took_s for each in cut if each.took_s is not None and each.promptly],
        longer_s=[each.took_s for each in cut if each.took_s is not None and not each.promptly],
        rested=sum(each.rests for each in cut),
        lost_again=sum(each.lost_again for each in cut),
        never=sum(each.took_s is None and not each.rests for each in cut),
    )


def _cut_off(
    killed_at: Sequence[float], calls: Sequence[TargetCall], leases: Mapping[str, Sequence[Held]]
) -> Iterator[_CutOff]:
    by_key: defaultdict[str, list[TargetCall]] = defaultdict(list)
    for call in calls:
        by_key[call.key].append(call)
    for key, attempts in by_key.items():
        for call, after in zip(attempts, [*attempts[1:], None], strict=True):
            kill = _kill_of(call, killed_at)
            if kill is not None:
                lost = _lost(leases.get(key, ()), call, after)
                yield _CutOff(
                    kill=kill,
                    took_s=after.began_at - kill if after is not None else None,
                    rests=any(lease.losses >= PROMPT_TAKEOVERS for lease in lost),
                    lost_again=len(lost) > 1,
                )


def _lost(leases: Sequence[Held], call: TargetCall, after: TargetCall | None) -> list[Held]:
    """The lease under which *call* was made, and those that were claimed then but *after* was not made under."""
    own = [lease for lease in leases if lease.claimed_at <= call.began_at][-1:]
    later = [lease for lease in leases if lease.claimed_at > call.began_at]
    if after is None:
        return own + later
    return own + [lease for lease in later if lease.claimed_at <= after.began_at][:-1]


def _kill_of(call: TargetCall, killed_at: Sequence[float]) -> float | None:
    """The kill that cut *call* off."""
    if call.cut_at is None:
        return None
    return max((at for at in killed_at if at <= call.cut_at < at + _CUT_WITHIN_S), default=None)
