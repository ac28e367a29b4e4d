"""The tables of alerts, beside those of `schema`; `metadata` holds all of them."""

from sqlalchemy import BigInteger, Column, ForeignKey, Identity, Index, Table, Text
from sqlalchemy import UniqueConstraint as Unique

from cronicorn.adapters.postgres.schema import jobs

metadata = jobs.metadata
"""All tables: those of `schema`, which it brings along, and these."""

alertings = Table(
    "alertings",
    metadata,
    Column("tenant_id", Text, ForeignKey("cronicorn.tenants.id", ondelete="CASCADE"), primary_key=True),
    Column("document", Text, nullable=False),
)
"""What tenants want to be told."""

incidents = Table(
    "incidents",
    metadata,
    Column("number", BigInteger, Identity(), primary_key=True),
    Column("id", Text, nullable=False),
    Column("tenant_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("opened_us", BigInteger, nullable=False),
    Column("closed_us", BigInteger),
    Column("version", BigInteger, nullable=False),
    Column("document", Text, nullable=False),
    Unique("id", name="incidents_id"),
    Index("incidents_by_tenant", "tenant_id", "number"),
    Index("incidents_by_end", "closed_us"),
)
Index(
    "incidents_open",
    incidents.c.tenant_id, incidents.c.kind, incidents.c.subject,
    unique=True,
    postgresql_where=incidents.c.closed_us.is_(None),
)  # fmt: skip
Index(
    "incidents_going_on",
    incidents.c.tenant_id, incidents.c.number,
    postgresql_where=incidents.c.closed_us.is_(None),
)  # fmt: skip

alert_messages = Table(
    "alert_messages",
    metadata,
    Column("number", BigInteger, Identity(), primary_key=True),
    Column("id", Text, nullable=False),
    Column("tenant_id", Text, nullable=False),
    Column("incident_id", Text),
    Column("route_id", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("due_us", BigInteger, nullable=False),
    Column("settled_us", BigInteger),
    Column("claim_id", Text),
    Column("claimed_until_us", BigInteger, nullable=False, server_default="0"),
    Column("document", Text, nullable=False),
    Unique("id", name="alert_messages_id"),
    Index("alert_messages_by_tenant", "tenant_id", "number"),
    Index("alert_messages_by_route", "tenant_id", "route_id", "number"),
    Index("alert_messages_by_incident", "tenant_id", "incident_id", "number"),
    Index("alert_messages_by_end", "settled_us"),
)
"""`settled_us` is NULL while a message waits."""
Index(
    "alert_messages_waiting",
    alert_messages.c.route_id, alert_messages.c.number,
    postgresql_where=alert_messages.c.settled_us.is_(None),
)  # fmt: skip

alert_rounds = Table(
    "alert_rounds",
    metadata,
    Column("name", Text, primary_key=True),
    Column("look_us", BigInteger, nullable=False),
    Column("claim_id", Text),
    Column("claimed_until_us", BigInteger, nullable=False, server_default="0"),
)
"""One row: up to when was looked for incidents, and who looks now."""
