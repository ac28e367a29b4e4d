"""The tables of alerts, beside those of `schema`; `metadata` holds all of them."""

from sqlalchemy import Column, ForeignKey, Index, Integer, Table, Text
from sqlalchemy import UniqueConstraint as Unique

from cronicorn.adapters.sqlite.schema import jobs

metadata = jobs.metadata
"""All tables: those of `schema`, which it brings along, and these."""

alertings = Table(
    "alertings",
    metadata,
    Column("tenant_id", Text, ForeignKey("tenants.id", ondelete="CASCADE"), primary_key=True, nullable=False),
    Column("document", Text, nullable=False),
    sqlite_strict=True,
)
"""What tenants want to be told."""

incidents = Table(
    "incidents",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("id", Text, nullable=False),
    Column("tenant_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("opened_us", Integer, nullable=False),
    Column("closed_us", Integer),
    Column("version", Integer, nullable=False),
    Column("document", Text, nullable=False),
    Unique("id", name="incidents_id"),
    Index("incidents_by_tenant", "tenant_id", "number"),
    Index("incidents_by_end", "closed_us"),
    sqlite_strict=True,
)
Index(
    "incidents_open",
    incidents.c.tenant_id, incidents.c.kind, incidents.c.subject,
    unique=True,
    sqlite_where=incidents.c.closed_us.is_(None),
)  # fmt: skip
Index(
    "incidents_going_on",
    incidents.c.tenant_id, incidents.c.number,
    sqlite_where=incidents.c.closed_us.is_(None),
)  # fmt: skip

alert_messages = Table(
    "alert_messages",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("id", Text, nullable=False),
    Column("tenant_id", Text, nullable=False),
    Column("incident_id", Text),
    Column("route_id", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("due_us", Integer, nullable=False),
    Column("settled_us", Integer),
    Column("claim_id", Text),
    Column("claimed_until_us", Integer, nullable=False, server_default="0"),
    Column("document", Text, nullable=False),
    Unique("id", name="alert_messages_id"),
    Index("alert_messages_by_tenant", "tenant_id", "number"),
    Index("alert_messages_by_route", "tenant_id", "route_id", "number"),
    Index("alert_messages_by_incident", "tenant_id", "incident_id", "number"),
    Index("alert_messages_by_end", "settled_us"),
    sqlite_strict=True,
)
"""`settled_us` is NULL while a message waits."""
Index(
    "alert_messages_waiting",
    alert_messages.c.route_id, alert_messages.c.number,
    sqlite_where=alert_messages.c.settled_us.is_(None),
)  # fmt: skip

alert_rounds = Table(
    "alert_rounds",
    metadata,
    Column("name", Text, primary_key=True, nullable=False),
    Column("look_us", Integer, nullable=False),
    Column("claim_id", Text),
    Column("claimed_until_us", Integer, nullable=False, server_default="0"),
    sqlite_strict=True,
)
"""One row: up to when was looked for incidents, and who looks now."""
