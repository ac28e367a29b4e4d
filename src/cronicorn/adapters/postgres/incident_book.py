"""Incidents in PostgreSQL."""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import bindparam, select, update
from sqlalchemy.dialects.postgresql import insert

from cronicorn.adapters.postgres.alert_schema import incidents
from cronicorn.adapters.postgres.audit_log import record
from cronicorn.adapters.postgres.database import PostgresDatabase, Transaction
from cronicorn.adapters.postgres.endpoint_rows import apply, decided, lock
from cronicorn.adapters.postgres.job_catalog import job_of_endpoint
from cronicorn.adapters.postgres.outbox import add_message
from cronicorn.adapters.postgres.queries import Connection, query
from cronicorn.domain.access.audit_views import endpoint_entry
from cronicorn.domain.alert.incident import AlertMessage, Incident
from cronicorn.domain.alert.ports import IncidentBook
from cronicorn.domain.alert.rows import incident_of, incident_row
from cronicorn.domain.cells import Cell, Row, readable
from cronicorn.domain.errors import NotFoundError
from cronicorn.domain.fields import us
from cronicorn.domain.history import place_gone
from cronicorn.domain.ports import EndpointEdit
from cronicorn.domain.principal import Principal

log = logging.getLogger(__name__)

_CHANGED = ("closed_us", "version", "document")
_OPEN = query(select(incidents).where(incidents.c.closed_us.is_(None)).order_by(incidents.c.number))
_ADD = query(
    insert(incidents)
    .values({column.name: bindparam(column.name) for column in incidents.c if column.name != "number"})
    .on_conflict_do_nothing()
)
_WRITE = query(
    update(incidents)
    .values({name: bindparam(f"new_{name}") for name in _CHANGED})
    .where(incidents.c.id == bindparam("incident_id"), incidents.c.version == bindparam("before"))
)
_OF_TENANT = select(incidents).where(incidents.c.tenant_id == bindparam("tenant_id"))
_PAGE = (
    _OF_TENANT.where(incidents.c.number < bindparam("after_number"))
    .order_by(incidents.c.number.desc())
    .limit(bindparam("most"))
    .offset(bindparam("skipped"))
)
LIST = query(_PAGE)
LIST_OPEN = query(_PAGE.where(incidents.c.closed_us.is_(None)))
_BEGINNING: Mapping[str, Cell] = {"number": (1 << 63) - 1}
_GET = query(_OF_TENANT.where(incidents.c.id == bindparam("incident_id")))
_PRUNE = """
WITH ended AS (
    DELETE FROM cronicorn.incidents WHERE number IN (
        SELECT number FROM cronicorn.incidents WHERE closed_us < $1 ORDER BY closed_us LIMIT $2)
    RETURNING 1
), settled AS (
    DELETE FROM cronicorn.alert_messages WHERE number IN (
        SELECT number FROM cronicorn.alert_messages WHERE settled_us < $1 ORDER BY settled_us LIMIT $2)
    RETURNING 1
)
SELECT (SELECT count(*) FROM ended) + (SELECT count(*) FROM settled)
"""


class PostgresIncidentBook(IncidentBook):
    """Keeps incidents, and writes the messages about them with them."""

    def __init__(self, database: PostgresDatabase) -> None:
        self._database = database

    async def open(self) -> Sequence[Incident]:
        async def work(transaction: Transaction) -> Sequence[Incident]:
            return readable(await _OPEN.rows(transaction.connection), incident_of, _unreadable)

        return await self._database.read(work)

    async def write(
        self, incident: Incident, messages: Sequence[AlertMessage] = (), edit: EndpointEdit | None = None,
        by: Principal | None = None,
    ) -> bool:  # fmt: skip
        async def work(transaction: Transaction) -> bool:
            if edit is not None:  # The endpoint first, as whoever else writes it.
                await _edit(transaction, incident, edit, by)
            if not await _written(transaction.connection, incident):
                raise _LateError
            for message in messages:
                await add_message(transaction.connection, message)
            return True

        try:
            return await self._database.write(work)
        except _LateError:
            return False

    async def list(
        self, tenant_id: str, *, open_only: bool = False, limit: int = 100, offset: int = 0, after: str | None = None
    ) -> Sequence[Incident]:
        listed = LIST_OPEN if open_only else LIST

        async def work(transaction: Transaction) -> Sequence[Incident]:
            which = {"tenant_id": tenant_id, "after_number": await _place_of(transaction, tenant_id, after)}
            rows = await listed.rows(transaction.connection, most=limit, skipped=offset, **which)
            return [incident_of(row) for row in rows]

        return await self._database.read(work)

    async def get(self, tenant_id: str, incident_id: str) -> Incident:
        async def work(transaction: Transaction) -> Incident:
            row = await _GET.row(transaction.connection, tenant_id=tenant_id, incident_id=incident_id)
            if row is None:
                raise NotFoundError(f"There is no incident {incident_id}.")
            return incident_of(row)

        return await self._database.read(work)

    async def prune(self, before: datetime, limit: int) -> int:
        async def work(connection: Connection) -> int:
            removed: int = await connection.fetchval(_PRUNE, us(before), limit)
            return removed

        return await self._database.alone(work)


class _LateError(Exception):
    """Another write came first: all that was done in the transaction is taken back."""


async def _place_of(transaction: Transaction, tenant_id: str, after: str | None) -> Cell:
    place: Mapping[str, Cell] | None = _BEGINNING
    if after is not None:
        place = await _GET.row(transaction.connection, tenant_id=tenant_id, incident_id=after)
    if place is None:
        raise place_gone(f"incident {after}")
    return place["number"]


async def _written(connection: Connection, incident: Incident) -> bool:
    row = incident_row(incident)
    if not incident.version:
        return bool(await _ADD.change(connection, **row))
    changed = {f"new_{name}": row[name] for name in _CHANGED}
    return bool(await _WRITE.change(connection, incident_id=incident.id, before=incident.version, **changed))


async def _edit(transaction: Transaction, incident: Incident, edit: EndpointEdit, by: Principal | None) -> None:
    before = await lock(transaction, incident.tenant_id, incident.subject)
    job = await job_of_endpoint(transaction, incident.tenant_id, incident.subject)
    change = await decided(transaction, before, lambda stored: edit(before.endpoint, job, stored))
    await apply(transaction, before, change)
    await record(transaction, endpoint_entry(by, before.now, before.endpoint, change.endpoint))


def _unreadable(row: Row, error: Exception) -> None:
    log.error("incident_unreadable", exc_info=error, extra={"incident": row["id"]})
