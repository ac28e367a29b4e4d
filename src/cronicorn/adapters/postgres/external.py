"""Due endpoints in a PostgreSQL database, claimed in a lock service beside it: the mechanisms redis and etcd."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from hashlib import blake2b

from cronicorn.adapters.postgres.database import PostgresDatabase
from cronicorn.adapters.postgres.external_claiming import ExternalClaimer
from cronicorn.adapters.postgres.external_statements import ExternalStatements
from cronicorn.adapters.postgres.job_store import PostgresJobStore
from cronicorn.adapters.postgres.lease_statements import LeaseStatements
from cronicorn.adapters.postgres.releasing import Releaser
from cronicorn.domain.claims import Claim
from cronicorn.domain.errors import LeaseLostError, UnavailableError
from cronicorn.domain.lease import Lease, Renewal
from cronicorn.domain.mechanism import Mechanism, Share
from cronicorn.domain.ports import ClaimService, Decide
from cronicorn.domain.run import Run
from cronicorn.domain.settlement import Settlement

log = logging.getLogger(__name__)

_TOLD_WITHIN = 6
"""The database gets this part of a lease's length to hear of a renewal; the holder hears of it however that ends."""


class ExternalJobStore(PostgresJobStore):
    """Claims in *service*; plans, runs and what fences them are in the database.

    The service says who goes first, and the row is stamped with what it granted, so that workers of other mechanisms
    keep away. Without the service nothing is claimed or renewed; what runs meanwhile is settled in the database as long
    as its own deadline holds. Without the database nothing is claimed either, but renewed it is.
    """

    def __init__(
        self,
        database: PostgresDatabase,
        service: ClaimService,
        mechanism: Mechanism,
        *,
        share: Share | None = None,
        statements: ExternalStatements | None = None,
    ) -> None:
        own = statements if statements is not None else ExternalStatements()
        super().__init__(database, share=share, statements=replace(LeaseStatements(), renew=own.renew))
        self._service = service
        self._releaser = Releaser(service)
        self._claimer = ExternalClaimer(
            database,
            service,
            mechanism,
            releaser=self._releaser,
            clock=self._clock,
            memory=self._memory,
            share=share if share is not None else Share(),
            statements=own,
        )

    def renew(self, leases: Sequence[Lease], *, ttl: timedelta) -> Renewal:
        """Extend *leases* in the service, and then tell the database, which has a sixth of *ttl* to answer."""
        claims = _claims(leases)
        asked = frozenset(claim.claim_id for claim in claims)
        granted = self._service.renew(claims, ttl=ttl)
        try:
            told = self._renewer.renew(leases, ttl, within=ttl / _TOLD_WITHIN)
        except UnavailableError as error:
            # The service holds them all the same; a cancellation is heard of next time.
            log.warning("renewal_not_stored", extra={"leases": len(granted), "reason": str(error)})
            return Renewal(lost=asked - granted)
        # What only the service lost, say because it was started anew, goes on: nobody has come between.
        lost = asked - granted - told.lost - told.unextended
        unknown = frozenset[str]()
        try:
            granted |= self._service.revive([claim for claim in claims if claim.claim_id in lost], ttl=ttl)
        except UnavailableError as error:
            unknown = lost
            log.warning("claims_not_revived", extra={"leases": len(lost), "reason": str(error)})
        return Renewal(
            lost=told.lost | (lost - granted - unknown),
            cancelled=told.cancelled,
            unextended=(told.unextended - granted) | unknown,
        )

    async def settle(self, lease: Lease, run: Run | None, decide: Decide) -> Settlement:
        try:
            settlement = await super().settle(lease, run, decide)
        except LeaseLostError:
            self._releaser.release_soon(_claims([lease]))
            raise
        self._releaser.release_soon(_claims([lease]))
        return settlement

    async def abandon(self, leases: Sequence[Lease]) -> None:
        await super().abandon(leases)
        await self._releaser.release(_claims(leases))

    async def aclose(self) -> None:
        """Finish what was begun for callers that have gone, and close the service. Closing again does nothing."""
        await super().aclose()
        await self._releaser.done()
        await self._service.aclose()


def _claims(leases: Sequence[Lease]) -> list[Claim]:
    return [Claim(key=lease.endpoint.id, claim_id=lease.claim_id) for lease in leases]


async def installation_of(database: PostgresDatabase) -> str:
    """A name for all claims on *database* that no other database has: several may share one lock service.

    Where the server doesn't say who it is, the database's own name has to do.
    """
    name = await database.alone(lambda connection: connection.fetchval("SELECT current_database()::text"))
    server = (database.server.identity or "").partition(":")[0]
    return f"cronicorn:{blake2b(f'{server}/{name}'.encode(), digest_size=8).hexdigest()}"
