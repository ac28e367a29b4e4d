"""Stores in PostgreSQL whose claims a lock service arbitrates."""

from dataclasses import replace

from cronicorn.adapters.postgres.external import ExternalJobStore
from cronicorn.adapters.postgres.stores import PostgresStores
from cronicorn.domain.mechanism import Mechanism
from cronicorn.testing.claim_service import ClockedClaimService


async def open_external(url, service, *, mechanism=Mechanism.REDIS, judge=None, options=None, **more):
    """The stores of one worker; the database's own clock counts without a *judge*."""
    stores = await PostgresStores.open(url, judge, options)
    return replace(stores, job_store=ExternalJobStore(stores.database, service, mechanism, **more))


async def open_judged(url, clock, options=None, **more):
    """The stores of one worker, all judged by *clock*: the database as well as the service."""
    return await open_external(url, ClockedClaimService(clock), judge=clock, options=options, **more)
