"""The tables of the first version."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make all tables."""
    _jobs()
    _runs()
    _skips()
    _tenants()
    _api_keys()
    _endpoints()
    _schedule()


def _jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("created_us", sa.Integer(), nullable=False),
        sa.Column("updated_us", sa.Integer(), nullable=False),
        sa.Column("archived_us", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("id", name="jobs_id"),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_index("jobs_by_tenant", "jobs", ["tenant_id", "created_us"], unique=False)


def _runs() -> None:
    op.create_table(
        "runs",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("endpoint_number", sa.Integer(), nullable=False),
        sa.Column("slot", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("trace", sa.Text(), nullable=False),
        sa.Column("due_us", sa.Integer(), nullable=False),
        sa.Column("nominal_us", sa.Integer(), nullable=True),
        sa.Column("started_us", sa.Integer(), nullable=False),
        sa.Column("finished_us", sa.Integer(), nullable=False),
        sa.Column("duration_us", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("endpoint_number", "slot", "attempt", name="runs_once"),
        sqlite_strict=True,
    )
    op.create_index("runs_by_end", "runs", ["finished_us"], unique=False)
    op.create_index("runs_by_start", "runs", ["endpoint_number", "started_us", "status", "duration_us"], unique=False)


def _skips() -> None:
    op.create_table(
        "skips",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("endpoint_number", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("first_us", sa.Integer(), nullable=False),
        sa.Column("last_us", sa.Integer(), nullable=False),
        sa.Column("instants", sa.Integer(), nullable=False),
        sa.Column("exact", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
        sqlite_strict=True,
    )
    op.create_index("skips_by_end", "skips", ["last_us"], unique=False)
    op.create_index("skips_by_endpoint", "skips", ["endpoint_number"], unique=False)


def _tenants() -> None:
    op.create_table(
        "tenants",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_us", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name", name="tenants_name"),
        sqlite_strict=True,
    )


def _api_keys() -> None:
    op.create_table(
        "api_keys",
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("created_us", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("hash"),
        sqlite_strict=True,
    )


def _endpoints() -> None:
    op.create_table(
        "endpoints",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("job_number", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_us", sa.Integer(), nullable=False),
        sa.Column("archived_us", sa.Integer(), nullable=True),
        sa.Column("document", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["job_number"],
            ["jobs.number"],
        ),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("id", name="endpoints_id"),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_index("endpoints_by_job", "endpoints", ["job_number", "created_us", "archived_us"], unique=False)


def _schedule() -> None:
    op.create_table(
        "schedule",
        sa.Column("endpoint_number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("bucket", sa.Integer(), nullable=False),
        sa.Column("due_us", sa.Integer(), nullable=True),
        sa.Column("slot", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("manual_slot", sa.Integer(), nullable=True),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("claim_id", sa.Text(), nullable=True),
        sa.Column("worker_id", sa.Text(), nullable=True),
        sa.Column("mechanism", sa.Text(), nullable=True),
        sa.Column("claimed_us", sa.Integer(), nullable=True),
        sa.Column("leased_slot", sa.Integer(), nullable=True),
        sa.Column("leased_attempt", sa.Integer(), nullable=True),
        sa.Column("leased_manual", sa.Integer(), nullable=True),
        sa.Column("lease_until_us", sa.Integer(), nullable=True),
        sa.Column("takeover_us", sa.Integer(), nullable=True),
        sa.Column("cancelled", sa.Integer(), nullable=False),
        sa.Column("lost_claims", sa.Integer(), nullable=False),
        sa.Column("done_claim_id", sa.Text(), nullable=True),
        sa.Column("done_fence", sa.Integer(), nullable=True),
        sa.Column("done", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.CheckConstraint("(claim_id IS NULL) = (lease_until_us IS NULL)", name="leased_until_some_instant"),
        sa.CheckConstraint("takeover_us >= lease_until_us", name="taken_over_after_expiry"),
        sa.ForeignKeyConstraint(["endpoint_number"], ["endpoints.number"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("endpoint_number"),
        sqlite_strict=True,
    )
    op.create_index(
        "schedule_due",
        "schedule",
        ["due_us", "endpoint_number", "bucket"],
        unique=False,
        sqlite_where=sa.text("claim_id IS NULL AND due_us IS NOT NULL"),
    )
    op.create_index(
        "schedule_leased",
        "schedule",
        ["takeover_us", "due_us", "lease_until_us", "bucket"],
        unique=False,
        sqlite_where=sa.text("claim_id IS NOT NULL"),
    )
