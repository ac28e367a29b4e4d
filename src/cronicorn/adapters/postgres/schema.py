"""The tables, as the newest migration leaves them; those of tenants are in `tenant_schema`.

They mean what SQLite's mean. What differs serves many workers: `schedule` is found by `shard` and endpoint alone, so
that a claim, a renewal and a settlement touch no other table, and its `plan_version` counts edits, so that a settlement
notices one. Columns in `_us` are microseconds, of an instant since 1970. Documents are JSON kept as text, byte by byte.
"""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Sequence,
    SmallInteger,
    Table,
    Text,
)
from sqlalchemy import UniqueConstraint as Unique

from cronicorn.adapters.postgres.tenant_schema import metadata, tenants

REVISION = "0021"
"""The newest migration."""

installation = Table(
    "installation",
    metadata,
    Column("one", SmallInteger, primary_key=True, server_default="1", autoincrement=False),
    Column("shards", SmallInteger, nullable=False),
    CheckConstraint("one = 1", name="installation_once"),
)
"""One row: what was chosen when the database was made. Claims of tenants with a cap wait for one another here."""

workers = Table(
    "workers",
    metadata,
    Column("worker_id", Text, primary_key=True),
    Column("version", Text, nullable=False),
    Column("since_us", BigInteger, nullable=False),
    Column("seen_us", BigInteger, nullable=False),
)
"""Workers that said that they are there."""

keyed_requests = Table(
    "keyed_requests",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("fingerprint", Text, nullable=False),
    Column("claim_id", Text, nullable=False),
    Column("begun_us", BigInteger, nullable=False),
    Column("expires_us", BigInteger, nullable=False),
    Column("answer", Text),
    Index("keyed_requests_by_end", "expires_us"),
)
"""Requests that carry a key, and what they were answered. A row whose end has passed means nothing any more."""

keychains = Table(
    "keychains",
    metadata,
    Column("tenant_id", Text, primary_key=True, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("document", Text, nullable=False),
    Unique("revision", name="keychains_revision"),
)
"""What tenants keep secret, sealed. Each write of one gets a `revision` above all others."""

jobs = Table(
    "jobs",
    metadata,
    Column("number", BigInteger, Identity(), primary_key=True),
    Column("id", Text, nullable=False),
    Column("tenant_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("description", Text),
    Column("status", Text, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("updated_us", BigInteger, nullable=False),
    Column("archived_us", BigInteger),
    Unique("id", name="jobs_id"),
    Index("jobs_by_tenant", "tenant_id", "created_us"),
)

endpoints = Table(
    "endpoints",
    metadata,
    Column("number", BigInteger, Identity(), primary_key=True),
    Column("id", Text, nullable=False),
    Column("tenant_id", Text, nullable=False),
    Column("job_number", BigInteger, ForeignKey("cronicorn.jobs.number"), nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("archived_us", BigInteger),
    Column("document", Text, nullable=False),
    Column("reads", SmallInteger, nullable=False, server_default="0"),
    Unique("id", name="endpoints_id"),
    Index("endpoints_by_job", "job_number", "created_us", "number", "archived_us"),
)
Index("endpoints_reading", endpoints.c.job_number, endpoints.c.number, postgresql_where=endpoints.c.reads == 1)

schedule = Table(
    "schedule",
    metadata,
    Column("shard", SmallInteger, primary_key=True, autoincrement=False),
    Column("endpoint_id", Text, primary_key=True),
    Column("endpoint_number", BigInteger, nullable=False),
    Column("tenant_id", Text, nullable=False),
    Column("bucket", SmallInteger, nullable=False),
    Column("host", Text, nullable=False),
    Column("due_us", BigInteger),
    Column("slot", BigInteger, nullable=False),
    Column("attempt", BigInteger, nullable=False),
    Column("manual_slot", BigInteger),
    Column("plan_version", BigInteger, nullable=False, server_default="0"),
    Column("fence", BigInteger, nullable=False, server_default="0"),
    Column("claim_id", Text),
    Column("worker_id", Text),
    Column("mechanism", Text),
    Column("claimed_us", BigInteger),
    Column("leased_slot", BigInteger),
    Column("leased_attempt", BigInteger),
    Column("leased_manual", SmallInteger),
    Column("lease_until_us", BigInteger),
    Column("takeover_us", BigInteger),
    Column("cancelled", SmallInteger, nullable=False, server_default="0"),
    Column("lost_claims", Integer, nullable=False, server_default="0"),
    Column("done_claim_id", Text),
    Column("done_fence", BigInteger),
    Column("done", Text),
    Column("state", Text, nullable=False),
    CheckConstraint("(claim_id IS NULL) = (lease_until_us IS NULL)", name="leased_until_some_instant"),
    CheckConstraint("takeover_us >= lease_until_us", name="taken_over_after_expiry"),
    # Room beside each row, so that a renewal touches no index, and the dead rows of claims and settlements go soon.
    postgresql_with={"fillfactor": 50, "autovacuum_vacuum_scale_factor": 0.02, "autovacuum_vacuum_cost_delay": 0},
)
_FREE = schedule.c.claim_id.is_(None) & schedule.c.due_us.is_not(None)
_IN_ORDER = (schedule.c.due_us, schedule.c.endpoint_number)
Index("schedule_due", schedule.c.shard, *_IN_ORDER, postgresql_where=_FREE)
Index("schedule_fair", schedule.c.shard, schedule.c.tenant_id, *_IN_ORDER, postgresql_where=_FREE)
Index("schedule_leased", schedule.c.shard, schedule.c.claim_id, postgresql_where=schedule.c.claim_id.is_not(None))

_run_number = Sequence("runs_number", metadata=metadata)
runs = Table(
    "runs",
    metadata,
    Column("number", BigInteger, nullable=False, server_default=_run_number.next_value()),
    Column("endpoint_number", BigInteger, nullable=False),
    Column("slot", BigInteger, nullable=False),
    Column("attempt", BigInteger, nullable=False),
    Column("fence", BigInteger, nullable=False),
    Column("status", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("trace", Text, nullable=False),
    Column("due_us", BigInteger, nullable=False),
    Column("nominal_us", BigInteger),
    Column("started_us", BigInteger, nullable=False),
    Column("finished_us", BigInteger, nullable=False),
    Column("duration_us", BigInteger, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("body", LargeBinary),
    Column("steering", Text),
    Unique("endpoint_number", "slot", "attempt", "finished_us", name="runs_once"),
    Index("runs_by_start", "endpoint_number", "started_us", "status", "duration_us"),
    Index("runs_by_end", "finished_us", postgresql_using="brin"),
    postgresql_partition_by="RANGE (finished_us)",
)
Index("runs_failed", runs.c.finished_us, runs.c.endpoint_number, postgresql_where=runs.c.status == "failed")
"""Partitioned by the day in which they ended (`partitions`); old days are dropped whole."""

skips = Table(
    "skips",
    metadata,
    Column("number", BigInteger, Identity(), primary_key=True),
    Column("endpoint_number", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("first_us", BigInteger, nullable=False),
    Column("last_us", BigInteger, nullable=False),
    Column("instants", BigInteger, nullable=False),
    Column("exact", SmallInteger, nullable=False),
    Index("skips_by_endpoint", "endpoint_number", "last_us", "number"),
    Index("skips_by_end", "last_us"),
)

tenant_provisions = Table(
    "tenant_provisions",
    metadata,
    Column("tenant_id", Text, ForeignKey(tenants.c.id, ondelete="CASCADE"), primary_key=True, nullable=False),
    Column("document", Text, nullable=False),
)
"""What the operator has set for a tenant."""

flows = Table(
    "flows",
    metadata,
    Column("tenant_id", Text, primary_key=True, nullable=False),
    Column("name", Text, primary_key=True, nullable=False),
    Column("kept_until_us", BigInteger, nullable=False),
    Column("slowed_us", BigInteger, nullable=False),
    Column("document", Text, nullable=False),
    Index("flows_by_end", "kept_until_us"),
    # As in the books of tokens.
    postgresql_with={"fillfactor": 50, "autovacuum_vacuum_scale_factor": 0.02, "autovacuum_vacuum_cost_delay": 0},
)
"""What calls began lately and are in progress, by key (`FlowKey`)."""
Index("flows_slowed", flows.c.slowed_us, postgresql_where=flows.c.slowed_us > 0)

run_counts = Table(
    "run_counts",
    metadata,
    Column("tenant_id", Text, primary_key=True, nullable=False),
    Column("month_us", BigInteger, primary_key=True, nullable=False),
    Column("runs", BigInteger, nullable=False),
    CheckConstraint("runs >= 0", name="runs_counted"),
    # As in the books of tokens.
    postgresql_with={"fillfactor": 50, "autovacuum_vacuum_scale_factor": 0.02, "autovacuum_vacuum_cost_delay": 0},
)
"""How many runs of a tenant with a limit began in the month that begins at `month_us`."""

_ROOM = {"fillfactor": 50, "autovacuum_vacuum_scale_factor": 0.02, "autovacuum_vacuum_cost_delay": 0}
"""Room beside each row, as in `schedule`: rows of the present hour are written again and again."""
job_hours = Table(
    "job_hours",
    metadata,
    Column("job_number", BigInteger, primary_key=True, autoincrement=False),
    Column("hour_us", BigInteger, primary_key=True, autoincrement=False),
    Column("source", Text, primary_key=True),
    Column("status", Text, primary_key=True),
    Column("part", SmallInteger, primary_key=True, autoincrement=False, server_default="0"),
    Column("runs", BigInteger, nullable=False),
    Column("duration_us", BigInteger, nullable=False),
    postgresql_with=_ROOM,
)
"""How many runs of a job began in an hour, those of its deleted endpoints too: the sum of all parts."""

endpoint_hours = Table(
    "endpoint_hours",
    metadata,
    Column("job_number", BigInteger, primary_key=True, autoincrement=False),
    Column("hour_us", BigInteger, primary_key=True, autoincrement=False),
    Column("endpoint_number", BigInteger, primary_key=True, autoincrement=False),
    Column("source", Text, primary_key=True),
    Column("status", Text, primary_key=True),
    Column("runs", BigInteger, nullable=False),
    Column("duration_us", BigInteger, nullable=False),
    postgresql_with=_ROOM,
)
"""How many runs of an endpoint began in an hour. Keys of one hour lie together: it is the one that is written."""

quota_books = Table(
    "quota_books",
    metadata,
    Column("number", BigInteger, Identity(), primary_key=True),
    Column("tenant_id", Text, nullable=False),
    Column("calendar", Text, nullable=False),
    Column("start_us", BigInteger, nullable=False),
    Column("end_us", BigInteger, nullable=False),
    Column("compile_used", BigInteger, nullable=False, server_default="0"),
    Column("compile_reserved", BigInteger, nullable=False, server_default="0"),
    Column("analysis_used", BigInteger, nullable=False, server_default="0"),
    Column("analysis_reserved", BigInteger, nullable=False, server_default="0"),
    Column("burst_us", BigInteger),
    Unique("tenant_id", "calendar", "start_us", name="quota_books_once"),
    CheckConstraint("compile_used >= 0 AND analysis_used >= 0", name="used_tokens_counted"),
    CheckConstraint("compile_reserved >= 0 AND analysis_reserved >= 0", name="reserved_tokens_counted"),
    # A busy tenant's row is written with every call: room beside it, so that no index is touched.
    postgresql_with={"fillfactor": 50, "autovacuum_vacuum_scale_factor": 0.02, "autovacuum_vacuum_cost_delay": 0},
)
"""One row for each window of a tenant."""

quota_grants = Table(
    "quota_grants",
    metadata,
    Column("id", Text, primary_key=True),
    Column("tenant_id", Text, nullable=False),
    Column("book_number", BigInteger, ForeignKey("cronicorn.quota_books.number"), nullable=False),
    Column("budget", Text, nullable=False),
    Column("estimate", BigInteger, nullable=False),
    Column("expires_us", BigInteger, nullable=False),
    Column("charged", SmallInteger, nullable=False),
    Column("settled", SmallInteger, nullable=False),
    Index("quota_grants_by_book", "book_number", "expires_us"),
)
"""`charged`: the estimate counts as used, otherwise as reserved, until the grant is `settled`."""
_OPEN = (quota_grants.c.charged == 0) & (quota_grants.c.settled == 0)
Index("quota_grants_open", quota_grants.c.tenant_id, quota_grants.c.expires_us, postgresql_where=_OPEN)

policy_drafts = Table(
    "policy_drafts",
    metadata,
    Column("number", BigInteger, Identity(), primary_key=True),
    Column("id", Text, nullable=False),
    Column("tenant_id", Text, nullable=False),
    Column("endpoint_number", BigInteger, ForeignKey("cronicorn.endpoints.number", ondelete="CASCADE"), nullable=False),
    Column("status", Text, nullable=False),
    Column("hash", Text, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("document", Text, nullable=False),
    Unique("id", name="policy_drafts_id"),
    Index("policy_drafts_by_endpoint", "endpoint_number", "number"),
)
"""What a model made of descriptions."""
watches = Table(
    "watches",
    metadata,
    Column(
        "endpoint_number",
        BigInteger,
        ForeignKey("cronicorn.endpoints.number", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("look_us", BigInteger, nullable=False),
    Column("cursor_us", BigInteger, nullable=False),
    Column("memory", Text),
    Column("requested_by", Text),
    Column("claim_id", Text),
    Column("claimed_until_us", BigInteger, nullable=False, server_default="0"),
    Index("watches_by_look", "look_us"),
)
"""One row for each endpoint that a planner watches (`JobEndpoint.is_watched`)."""

analyses = Table(
    "analyses",
    metadata,
    Column("number", BigInteger, Identity(), primary_key=True),
    Column("endpoint_number", BigInteger, ForeignKey("cronicorn.endpoints.number", ondelete="CASCADE"), nullable=False),
    Column("id", Text, nullable=False),
    Column("tenant_id", Text, nullable=False),
    Column("endpoint_id", Text, nullable=False),
    Column("document", Text, nullable=False),
    Column("at_us", BigInteger, nullable=False, server_default="0"),
    Column("tokens", BigInteger, nullable=False, server_default="0"),
    Unique("id", name="analyses_id"),
    Index("analyses_by_endpoint", "endpoint_number", "number"),
    Index("analyses_by_time", "tenant_id", "at_us"),
)
