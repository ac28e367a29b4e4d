"""What tenants want to be told of, incidents, messages about them, and who looks for them."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables, and an index of failed runs. The first look begins a day back."""
    op.create_table(
        "alertings",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id"),
        sqlite_strict=True,
    )
    _add_incidents()
    _add_messages()
    op.create_table(
        "alert_rounds",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("look_us", sa.Integer(), nullable=False),
        sa.Column("claim_id", sa.Text()),
        sa.Column("claimed_until_us", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("name"),
        sqlite_strict=True,
    )
    op.execute("INSERT INTO alert_rounds (name, look_us) VALUES ('incidents', 0)")
    columns = ["finished_us", "endpoint_number"]
    op.create_index("runs_failed", "runs", columns, sqlite_where=sa.text("status = 'failed'"))


def downgrade() -> None:
    """Take them away, with what is in them."""
    op.drop_index("runs_failed", table_name="runs")
    for table in ("alert_rounds", "alert_messages", "incidents", "alertings"):
        op.drop_table(table)


def _add_incidents() -> None:
    op.create_table(
        "incidents",
        sa.Column("number", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("id", "tenant_id", "kind", "subject")),
        sa.Column("opened_us", sa.Integer(), nullable=False),
        sa.Column("closed_us", sa.Integer()),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("id", name="incidents_id"),
        sqlite_strict=True,
    )
    op.create_index("incidents_by_tenant", "incidents", ["tenant_id", "number"])
    op.create_index("incidents_by_end", "incidents", ["closed_us"])
    columns, still_open = ["tenant_id", "kind", "subject"], sa.text("closed_us IS NULL")
    op.create_index("incidents_open", "incidents", columns, unique=True, sqlite_where=still_open)


def _add_messages() -> None:
    op.create_table(
        "alert_messages",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("incident_id", sa.Text()),
        sa.Column("route_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("due_us", sa.Integer(), nullable=False),
        sa.Column("settled_us", sa.Integer()),
        sa.Column("claim_id", sa.Text()),
        sa.Column("claimed_until_us", sa.Integer(), server_default="0", nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("id", name="alert_messages_id"),
        sqlite_strict=True,
    )
    op.create_index("alert_messages_by_tenant", "alert_messages", ["tenant_id", "number"])
    op.create_index("alert_messages_by_end", "alert_messages", ["settled_us"])
    columns, waits = ["route_id", "number"], sa.text("settled_us IS NULL")
    op.create_index("alert_messages_waiting", "alert_messages", columns, sqlite_where=waits)
