"""Due endpoints and leases in a PostgreSQL database."""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta

from cronicorn.adapters.postgres.caps import Caps
from cronicorn.adapters.postgres.claiming import Claimer
from cronicorn.adapters.postgres.database import PostgresDatabase
from cronicorn.adapters.postgres.fleet_clock import FleetClock
from cronicorn.adapters.postgres.lease_memory import LeaseMemory
from cronicorn.adapters.postgres.lease_statements import LeaseStatements
from cronicorn.adapters.postgres.options import Feature
from cronicorn.adapters.postgres.renewing import Renewer, proofs_of
from cronicorn.adapters.postgres.settling import Settler
from cronicorn.adapters.postgres.watermark import SWEEP_INTERVAL_S
from cronicorn.domain.errors import UnavailableError
from cronicorn.domain.lease import Lease, NextDue, Renewal
from cronicorn.domain.mechanism import Share
from cronicorn.domain.ports import Decide, JobStore
from cronicorn.domain.run import Run
from cronicorn.domain.settlement import Settlement

log = logging.getLogger(__name__)


class PostgresJobStore(JobStore):
    """Leases endpoints to any number of processes that share the database; *share* is what this one serves.

    Leases are judged by the database's clock alone. Expired ones and what lies below a watermark are looked for every
    *sweep_interval*; at every claim where another clock judges, since it stands still between two.
    """

    def __init__(
        self,
        database: PostgresDatabase,
        *,
        share: Share | None = None,
        caps: Caps | None = None,
        statements: LeaseStatements | None = None,
        sweep_interval: timedelta | None = None,
    ) -> None:
        self._database = database
        statements = statements if statements is not None else LeaseStatements()
        skips = database.options.has(Feature.SKIP_LOCKED)
        self._statements = statements if skips else statements.without_skip_locked()
        self._memory = LeaseMemory()
        self._clock = clock = FleetClock(database.judge)
        default_s = SWEEP_INTERVAL_S if database.judge is None else 0.0
        self._claimer = Claimer(
            database,
            clock,
            self._memory,
            statements=self._statements,
            share=share if share is not None else Share(),
            caps=caps if caps is not None else Caps(),
            sweep_interval_s=default_s if sweep_interval is None else sweep_interval.total_seconds(),
        )
        self._settler = Settler(database, clock, self._memory, self._statements)
        self._renewer = Renewer(database, self._memory, self._statements)
        self._left_behind: set[asyncio.Task[None]] = set()

    async def claim_due(
        self, *, worker_id: str, limit: int, ttl: timedelta, endpoint_id: str | None = None
    ) -> Sequence[Lease]:
        claim = asyncio.create_task(self._claimer.claim(worker_id, limit, ttl, endpoint_id))
        try:
            return await asyncio.shield(claim)
        except asyncio.CancelledError:
            # A caller that is cancelled meanwhile would leave its leases to expire.
            task = asyncio.create_task(self._give_back(claim))
            self._left_behind.add(task)
            task.add_done_callback(self._left_behind.discard)
            raise

    def renew(self, leases: Sequence[Lease], *, ttl: timedelta) -> Renewal:
        return self._renewer.renew(leases, ttl)

    async def settle(self, lease: Lease, run: Run | None, decide: Decide) -> Settlement:
        assert run is None or run.id == lease.run_id
        return await self._settler.settle(lease, run, decide)

    async def abandon(self, leases: Sequence[Lease]) -> None:
        if not leases:
            return
        proofs = proofs_of(leases, self._database.shards)
        await self._database.alone(lambda connection: connection.fetch(self._statements.abandon, *proofs))
        for lease in leases:
            self._memory.forget(lease.claim_id)
        self._claimer.given_back(proofs[0])

    async def next_due(self) -> NextDue | None:
        return await self._claimer.next_due()

    async def connect(self) -> None:
        """Open the connection for renewals and keep it, while there is room for one. Raises UnavailableError."""
        await asyncio.to_thread(self._renewer.connect)

    async def aclose(self) -> None:
        """Finish what was begun for callers that have gone, and renew no more. Closing again does nothing.

        It takes no longer than a statement may.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(self._database.options.statement_timeout.total_seconds()):
                await asyncio.gather(*self._left_behind)
        self._renewer.close()

    async def _give_back(self, claim: asyncio.Task[list[Lease]]) -> None:
        try:
            await self.abandon(await claim)
        except asyncio.CancelledError:
            log.warning("claim_left_to_expire", extra={"reason": "The store was closed before it answered."})
            raise
        except UnavailableError as error:
            log.warning("claim_left_to_expire", extra={"reason": str(error)})
        except Exception:  # Nobody waits for it any more.
            log.exception("claim_crashed")
