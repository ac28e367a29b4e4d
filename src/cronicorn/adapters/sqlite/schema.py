"""The tables, as the newest migration leaves them; those of tenants are in `tenant_schema`.

Rows refer to endpoints by `number`, which is never given twice: what is left of a deleted endpoint never turns up under
another. `schedule` is the hot table: narrow, one row an endpoint, with all that claiming, renewing and settling touch.
Columns in `_us` are microseconds, of an instant since 1970. Documents are JSON (`cronicorn.domain.document`).
"""

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
)
from sqlalchemy import UniqueConstraint as Unique

from cronicorn.adapters.sqlite.tenant_schema import metadata

REVISION = "0021"
"""The newest migration."""

workers = Table(
    "workers",
    metadata,
    Column("worker_id", Text, primary_key=True, nullable=False),
    Column("version", Text, nullable=False),
    Column("since_us", Integer, nullable=False),
    Column("seen_us", Integer, nullable=False),
    sqlite_strict=True,
)
"""Workers that said that they are there."""

keyed_requests = Table(
    "keyed_requests",
    metadata,
    Column("tenant_id", Text, primary_key=True, nullable=False),
    Column("key", Text, primary_key=True, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("claim_id", Text, nullable=False),
    Column("begun_us", Integer, nullable=False),
    Column("expires_us", Integer, nullable=False),
    Column("answer", Text),
    Index("keyed_requests_by_end", "expires_us"),
    sqlite_strict=True,
)
"""Requests that carry a key, and what they were answered. A row whose end has passed means nothing any more."""

keychains = Table(
    "keychains",
    metadata,
    Column("tenant_id", Text, primary_key=True, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("document", Text, nullable=False),
    Unique("revision", name="keychains_revision"),
    sqlite_strict=True,
)
"""What tenants keep secret, sealed. Each write of one gets a `revision` above all others."""

jobs = Table(
    "jobs",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("id", Text, nullable=False),
    Column("tenant_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("description", Text),
    Column("status", Text, nullable=False),
    Column("created_us", Integer, nullable=False),
    Column("updated_us", Integer, nullable=False),
    Column("archived_us", Integer),
    Unique("id", name="jobs_id"),
    Index("jobs_by_tenant", "tenant_id", "created_us"),
    sqlite_autoincrement=True,
    sqlite_strict=True,
)

endpoints = Table(
    "endpoints",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("id", Text, nullable=False),
    Column("tenant_id", Text, nullable=False),
    Column("job_number", Integer, ForeignKey("jobs.number"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("created_us", Integer, nullable=False),
    Column("archived_us", Integer),
    Column("document", Text, nullable=False),
    Column("reads", Integer, nullable=False, server_default="0"),
    Unique("id", name="endpoints_id"),
    Index("endpoints_by_job", "job_number", "created_us", "number", "archived_us"),
    sqlite_autoincrement=True,
    sqlite_strict=True,
)
Index("endpoints_reading", endpoints.c.job_number, endpoints.c.number, sqlite_where=endpoints.c.reads == 1)

schedule = Table(
    "schedule",
    metadata,
    Column(
        "endpoint_number",
        Integer,
        ForeignKey("endpoints.number", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("tenant_id", Text, nullable=False),
    Column("bucket", Integer, nullable=False),
    Column("due_us", Integer),
    Column("slot", Integer, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("manual_slot", Integer),
    Column("fence", Integer, nullable=False),
    Column("claim_id", Text),
    Column("worker_id", Text),
    Column("mechanism", Text),
    Column("claimed_us", Integer),
    Column("leased_slot", Integer),
    Column("leased_attempt", Integer),
    Column("leased_manual", Integer),
    Column("lease_until_us", Integer),
    Column("takeover_us", Integer),
    Column("cancelled", Integer, nullable=False),
    Column("lost_claims", Integer, nullable=False),
    Column("done_claim_id", Text),
    Column("done_fence", Integer),
    Column("done", Text),
    Column("state", Text, nullable=False),
    CheckConstraint("(claim_id IS NULL) = (lease_until_us IS NULL)", name="leased_until_some_instant"),
    CheckConstraint("takeover_us >= lease_until_us", name="taken_over_after_expiry"),
    sqlite_strict=True,
)
Index(
    "schedule_due",
    schedule.c.due_us,
    schedule.c.endpoint_number,
    schedule.c.bucket,
    sqlite_where=schedule.c.claim_id.is_(None) & schedule.c.due_us.is_not(None),
)
Index(
    "schedule_leased",
    schedule.c.takeover_us,
    schedule.c.due_us,
    schedule.c.lease_until_us,
    schedule.c.bucket,
    sqlite_where=schedule.c.claim_id.is_not(None),
)

runs = Table(
    "runs",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("endpoint_number", Integer, nullable=False),
    Column("slot", Integer, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("fence", Integer, nullable=False),
    Column("status", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("trace", Text, nullable=False),
    Column("due_us", Integer, nullable=False),
    Column("nominal_us", Integer),
    Column("started_us", Integer, nullable=False),
    Column("finished_us", Integer, nullable=False),
    Column("duration_us", Integer, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("body", LargeBinary),
    Column("steering", Text),
    Unique("endpoint_number", "slot", "attempt", name="runs_once"),
    Index("runs_by_start", "endpoint_number", "started_us", "status", "duration_us"),
    Index("runs_by_end", "finished_us"),
    sqlite_strict=True,
)
Index("runs_failed", runs.c.finished_us, runs.c.endpoint_number, sqlite_where=runs.c.status == "failed")

skips = Table(
    "skips",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("endpoint_number", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("first_us", Integer, nullable=False),
    Column("last_us", Integer, nullable=False),
    Column("instants", Integer, nullable=False),
    Column("exact", Integer, nullable=False),
    Index("skips_by_endpoint", "endpoint_number", "last_us", "number"),
    Index("skips_by_end", "last_us"),
    sqlite_strict=True,
)

tenant_provisions = Table(
    "tenant_provisions",
    metadata,
    Column("tenant_id", Text, ForeignKey("tenants.id", ondelete="CASCADE"), primary_key=True, nullable=False),
    Column("document", Text, nullable=False),
    sqlite_strict=True,
)
"""What the operator has set for a tenant."""

flows = Table(
    "flows",
    metadata,
    Column("tenant_id", Text, primary_key=True, nullable=False),
    Column("name", Text, primary_key=True, nullable=False),
    Column("kept_until_us", Integer, nullable=False),
    Column("slowed_us", Integer, nullable=False),
    Column("document", Text, nullable=False),
    Index("flows_by_end", "kept_until_us"),
    sqlite_strict=True,
)
"""What calls began lately and are in progress, by key (`FlowKey`)."""
Index("flows_slowed", flows.c.slowed_us, sqlite_where=flows.c.slowed_us > 0)

run_counts = Table(
    "run_counts",
    metadata,
    Column("tenant_id", Text, primary_key=True, nullable=False),
    Column("month_us", Integer, primary_key=True, nullable=False),
    Column("runs", Integer, nullable=False),
    CheckConstraint("runs >= 0", name="runs_counted"),
    sqlite_strict=True,
)
"""How many runs of a tenant with a limit began in the month that begins at `month_us`."""

job_hours = Table(
    "job_hours",
    metadata,
    Column("job_number", Integer, primary_key=True, nullable=False),
    Column("hour_us", Integer, primary_key=True, nullable=False),
    Column("source", Text, primary_key=True, nullable=False),
    Column("status", Text, primary_key=True, nullable=False),
    Column("runs", Integer, nullable=False),
    Column("duration_us", Integer, nullable=False),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
"""How many runs of a job began in an hour, those of its deleted endpoints too."""

endpoint_hours = Table(
    "endpoint_hours",
    metadata,
    Column("job_number", Integer, primary_key=True, nullable=False),
    Column("hour_us", Integer, primary_key=True, nullable=False),
    Column("endpoint_number", Integer, primary_key=True, nullable=False),
    Column("source", Text, primary_key=True, nullable=False),
    Column("status", Text, primary_key=True, nullable=False),
    Column("runs", Integer, nullable=False),
    Column("duration_us", Integer, nullable=False),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
"""How many runs of an endpoint began in an hour. Rows of one hour lie together: it is the one that is written."""

quota_books = Table(
    "quota_books",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("tenant_id", Text, nullable=False),
    Column("calendar", Text, nullable=False),
    Column("start_us", Integer, nullable=False),
    Column("end_us", Integer, nullable=False),
    Column("compile_used", Integer, nullable=False, server_default="0"),
    Column("compile_reserved", Integer, nullable=False, server_default="0"),
    Column("analysis_used", Integer, nullable=False, server_default="0"),
    Column("analysis_reserved", Integer, nullable=False, server_default="0"),
    Column("burst_us", Integer),
    Unique("tenant_id", "calendar", "start_us", name="quota_books_once"),
    CheckConstraint("compile_used >= 0 AND analysis_used >= 0", name="used_tokens_counted"),
    CheckConstraint("compile_reserved >= 0 AND analysis_reserved >= 0", name="reserved_tokens_counted"),
    sqlite_strict=True,
)
"""One row for each window of a tenant."""

quota_grants = Table(
    "quota_grants",
    metadata,
    Column("id", Text, primary_key=True, nullable=False),
    Column("tenant_id", Text, nullable=False),
    Column("book_number", Integer, ForeignKey("quota_books.number"), nullable=False),
    Column("budget", Text, nullable=False),
    Column("estimate", Integer, nullable=False),
    Column("expires_us", Integer, nullable=False),
    Column("charged", Integer, nullable=False),
    Column("settled", Integer, nullable=False),
    Index("quota_grants_by_book", "book_number", "expires_us"),
    sqlite_strict=True,
)
"""`charged`: the estimate counts as used, otherwise as reserved, until the grant is `settled`."""
_OPEN = (quota_grants.c.charged == 0) & (quota_grants.c.settled == 0)
Index("quota_grants_open", quota_grants.c.tenant_id, quota_grants.c.expires_us, sqlite_where=_OPEN)

policy_drafts = Table(
    "policy_drafts",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("id", Text, nullable=False),
    Column("tenant_id", Text, nullable=False),
    Column("endpoint_number", Integer, ForeignKey("endpoints.number", ondelete="CASCADE"), nullable=False),
    Column("status", Text, nullable=False),
    Column("hash", Text, nullable=False),
    Column("created_us", Integer, nullable=False),
    Column("document", Text, nullable=False),
    Unique("id", name="policy_drafts_id"),
    Index("policy_drafts_by_endpoint", "endpoint_number", "number"),
    sqlite_strict=True,
)
"""What a model made of descriptions."""
watches = Table(
    "watches",
    metadata,
    Column(
        "endpoint_number",
        Integer,
        ForeignKey("endpoints.number", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("look_us", Integer, nullable=False),
    Column("cursor_us", Integer, nullable=False),
    Column("memory", Text),
    Column("requested_by", Text),
    Column("claim_id", Text),
    Column("claimed_until_us", Integer, nullable=False, server_default="0"),
    Index("watches_by_look", "look_us"),
    sqlite_strict=True,
)
"""One row for each endpoint that a planner watches (`JobEndpoint.is_watched`)."""

analyses = Table(
    "analyses",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("endpoint_number", Integer, ForeignKey("endpoints.number", ondelete="CASCADE"), nullable=False),
    Column("id", Text, nullable=False),
    Column("tenant_id", Text, nullable=False),
    Column("endpoint_id", Text, nullable=False),
    Column("document", Text, nullable=False),
    Column("at_us", Integer, nullable=False, server_default="0"),
    Column("tokens", Integer, nullable=False, server_default="0"),
    Unique("id", name="analyses_id"),
    Index("analyses_by_endpoint", "endpoint_number", "number"),
    Index("analyses_by_time", "tenant_id", "at_us"),
    sqlite_strict=True,
)
