"""Incidents in a SQLite file."""

import builtins
import logging
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import bindparam, select, update
from sqlalchemy.dialects.sqlite import insert

from cronicorn.adapters.sqlite.alert_schema import incidents
from cronicorn.adapters.sqlite.audit_log import record
from cronicorn.adapters.sqlite.database import SqliteDatabase
from cronicorn.adapters.sqlite.endpoint_rows import apply, find
from cronicorn.adapters.sqlite.job_catalog import find_job
from cronicorn.adapters.sqlite.outbox import add_message
from cronicorn.adapters.sqlite.queries import query
from cronicorn.adapters.sqlite.writer import Transaction
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
from cronicorn.domain.rows import job_of

log = logging.getLogger(__name__)

_CHANGED = ("closed_us", "version", "document")
_OPEN = query(select(incidents).where(incidents.c.closed_us.is_(None)).order_by(incidents.c.number))
_ADD = query(
    insert(incidents)
    .values({column.name: bindparam(column.name) for column in incidents.c[1:]})
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
DELETE FROM incidents WHERE number IN (
       SELECT number FROM incidents WHERE closed_us < :before_us ORDER BY closed_us LIMIT :most)
"""
_PRUNE_MESSAGES = """
DELETE FROM alert_messages WHERE number IN (
       SELECT number FROM alert_messages WHERE settled_us < :before_us ORDER BY settled_us LIMIT :most)
"""


class SqliteIncidentBook(IncidentBook):
    """Keeps incidents, and writes the messages about them with them."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database

    async def open(self) -> Sequence[Incident]:
        def work(transaction: Transaction) -> builtins.list[Incident]:
            return readable(_OPEN.rows(transaction.connection), incident_of, _unreadable)

        return await self._database.read(work)

    async def write(
        self, incident: Incident, messages: Sequence[AlertMessage] = (), edit: EndpointEdit | None = None,
        by: Principal | None = None,
    ) -> bool:  # fmt: skip
        def work(transaction: Transaction) -> bool:
            if not _written(transaction, incident):
                return False
            for message in messages:
                add_message(transaction.connection, message)
            if edit is not None:
                _edit(transaction, incident, edit, by)
            return True

        return await self._database.write(work)

    async def list(
        self, tenant_id: str, *, open_only: bool = False, limit: int = 100, offset: int = 0, after: str | None = None
    ) -> Sequence[Incident]:
        def work(transaction: Transaction) -> builtins.list[Incident]:
            listed = LIST_OPEN if open_only else LIST
            which = {"tenant_id": tenant_id, "after_number": _place_of(transaction, tenant_id, after)}
            rows = listed.rows(transaction.connection, most=limit, skipped=offset, **which)
            return [incident_of(row) for row in rows]

        return await self._database.read(work)

    async def get(self, tenant_id: str, incident_id: str) -> Incident:
        def work(transaction: Transaction) -> Incident:
            row = _GET.row(transaction.connection, tenant_id=tenant_id, incident_id=incident_id)
            if row is None:
                raise NotFoundError(f"There is no incident {incident_id}.")
            return incident_of(row)

        return await self._database.read(work)

    async def prune(self, before: datetime, limit: int) -> int:
        def work(transaction: Transaction) -> int:
            which = {"before_us": us(before), "most": limit}
            both = (_PRUNE, _PRUNE_MESSAGES)
            return sum(transaction.connection.execute(statement, which).rowcount for statement in both)

        return await self._database.write(work)


def _place_of(transaction: Transaction, tenant_id: str, after: str | None) -> Cell:
    place: Mapping[str, Cell] | None = _BEGINNING
    if after is not None:
        place = _GET.row(transaction.connection, tenant_id=tenant_id, incident_id=after)
    if place is None:
        raise place_gone(f"incident {after}")
    return place["number"]


def _written(transaction: Transaction, incident: Incident) -> bool:
    row = incident_row(incident)
    if not incident.version:
        return bool(_ADD.change(transaction.connection, **row))
    changed = {f"new_{name}": row[name] for name in _CHANGED}
    return bool(_WRITE.change(transaction.connection, incident_id=incident.id, before=incident.version, **changed))


def _edit(transaction: Transaction, incident: Incident, edit: EndpointEdit, by: Principal | None) -> None:
    before = find(transaction, incident.tenant_id, incident.subject)
    job = job_of(find_job(transaction, incident.tenant_id, before.endpoint.job_id))
    change = edit(before.endpoint, job, before.stored(transaction))
    apply(transaction, before, change)
    record(transaction, endpoint_entry(by, transaction.now, before.endpoint, change.endpoint))


def _unreadable(row: Row, error: Exception) -> None:
    log.error("incident_unreadable", exc_info=error, extra={"incident": row["id"]})
