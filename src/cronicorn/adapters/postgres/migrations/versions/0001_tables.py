"""The tables of the first version."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SCHEMA = "cronicorn"


def upgrade() -> None:
    """Make all tables."""
    _installation()
    _tenants()
    _api_keys()
    _jobs()
    _endpoints()
    _schedule()
    _runs()
    _skips()


def _installation() -> None:
    op.create_table(
        "installation",
        sa.Column("one", sa.SmallInteger(), server_default="1", autoincrement=False, nullable=False),
        sa.Column("shards", sa.SmallInteger(), nullable=False),
        sa.CheckConstraint("one = 1", name="installation_once"),
        sa.PrimaryKeyConstraint("one"),
        schema=SCHEMA,
    )


def _tenants() -> None:
    op.create_table(
        "tenants",
        sa.Column("number", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name", name="tenants_name"),
        schema=SCHEMA,
    )


def _api_keys() -> None:
    op.create_table(
        "api_keys",
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["cronicorn.tenants.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("hash"),
        schema=SCHEMA,
    )


def _jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("number", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("updated_us", sa.BigInteger(), nullable=False),
        sa.Column("archived_us", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("id", name="jobs_id"),
        schema=SCHEMA,
    )
    op.create_index("jobs_by_tenant", "jobs", ["tenant_id", "created_us"], schema=SCHEMA)


def _endpoints() -> None:
    op.create_table(
        "endpoints",
        sa.Column("number", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("job_number", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("archived_us", sa.BigInteger(), nullable=True),
        sa.Column("document", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["job_number"], ["cronicorn.jobs.number"]),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("id", name="endpoints_id"),
        schema=SCHEMA,
    )
    op.create_index("endpoints_by_job", "endpoints", ["job_number", "created_us", "archived_us"], schema=SCHEMA)


def _schedule() -> None:
    op.create_table(
        "schedule",
        sa.Column("shard", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("endpoint_id", sa.Text(), nullable=False),
        sa.Column("endpoint_number", sa.BigInteger(), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("due_us", sa.BigInteger(), nullable=True),
        sa.Column("slot", sa.BigInteger(), nullable=False),
        sa.Column("attempt", sa.BigInteger(), nullable=False),
        sa.Column("manual_slot", sa.BigInteger(), nullable=True),
        sa.Column("plan_version", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("fence", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("claim_id", sa.Text(), nullable=True),
        sa.Column("worker_id", sa.Text(), nullable=True),
        sa.Column("mechanism", sa.Text(), nullable=True),
        sa.Column("claimed_us", sa.BigInteger(), nullable=True),
        sa.Column("leased_slot", sa.BigInteger(), nullable=True),
        sa.Column("leased_attempt", sa.BigInteger(), nullable=True),
        sa.Column("leased_manual", sa.SmallInteger(), nullable=True),
        sa.Column("lease_until_us", sa.BigInteger(), nullable=True),
        sa.Column("takeover_us", sa.BigInteger(), nullable=True),
        sa.Column("cancelled", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("lost_claims", sa.Integer(), server_default="0", nullable=False),
        sa.Column("done_claim_id", sa.Text(), nullable=True),
        sa.Column("done_fence", sa.BigInteger(), nullable=True),
        sa.Column("done", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.CheckConstraint("(claim_id IS NULL) = (lease_until_us IS NULL)", name="leased_until_some_instant"),
        sa.CheckConstraint("takeover_us >= lease_until_us", name="taken_over_after_expiry"),
        sa.PrimaryKeyConstraint("shard", "endpoint_id"),
        schema=SCHEMA,
        postgresql_with={"fillfactor": 50, "autovacuum_vacuum_scale_factor": 0.02, "autovacuum_vacuum_cost_delay": 0},
    )
    free = sa.text("claim_id IS NULL AND due_us IS NOT NULL")
    leased = sa.text("claim_id IS NOT NULL")
    order = ["due_us", "endpoint_number"]
    op.create_index("schedule_due", "schedule", ["shard", *order], schema=SCHEMA, postgresql_where=free)
    op.create_index("schedule_fair", "schedule", ["shard", "tenant_id", *order], schema=SCHEMA, postgresql_where=free)
    op.create_index("schedule_leased", "schedule", ["shard", "claim_id"], schema=SCHEMA, postgresql_where=leased)


def _runs() -> None:
    op.execute("CREATE SEQUENCE cronicorn.runs_number")
    op.create_table(
        "runs",
        sa.Column(
            "number", sa.BigInteger(), server_default=sa.text("nextval('cronicorn.runs_number')"), nullable=False
        ),
        sa.Column("endpoint_number", sa.BigInteger(), nullable=False),
        sa.Column("slot", sa.BigInteger(), nullable=False),
        sa.Column("attempt", sa.BigInteger(), nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("trace", sa.Text(), nullable=False),
        sa.Column("due_us", sa.BigInteger(), nullable=False),
        sa.Column("nominal_us", sa.BigInteger(), nullable=True),
        sa.Column("started_us", sa.BigInteger(), nullable=False),
        sa.Column("finished_us", sa.BigInteger(), nullable=False),
        sa.Column("duration_us", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.UniqueConstraint("endpoint_number", "slot", "attempt", "finished_us", name="runs_once"),
        schema=SCHEMA,
        postgresql_partition_by="RANGE (finished_us)",
    )
    columns = ["endpoint_number", "started_us", "status", "duration_us"]
    op.create_index("runs_by_start", "runs", columns, schema=SCHEMA)
    op.create_index("runs_by_end", "runs", ["finished_us"], schema=SCHEMA, postgresql_using="brin")
    op.execute("CREATE TABLE cronicorn.runs_default PARTITION OF cronicorn.runs DEFAULT")


def _skips() -> None:
    op.create_table(
        "skips",
        sa.Column("number", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("endpoint_number", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("first_us", sa.BigInteger(), nullable=False),
        sa.Column("last_us", sa.BigInteger(), nullable=False),
        sa.Column("instants", sa.BigInteger(), nullable=False),
        sa.Column("exact", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
        schema=SCHEMA,
    )
    op.create_index("skips_by_endpoint", "skips", ["endpoint_number"], schema=SCHEMA)
    op.create_index("skips_by_end", "skips", ["last_us"], schema=SCHEMA)
