"""How many runs tenants with a limit had in each month."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

SCHEMA = "cronicorn"


def upgrade() -> None:
    """Add the counts."""
    op.create_table(
        "run_counts",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("month_us", sa.BigInteger(), nullable=False),
        sa.Column("runs", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("runs >= 0", name="runs_counted"),
        sa.PrimaryKeyConstraint("tenant_id", "month_us"),
        schema=SCHEMA,
        postgresql_with={"fillfactor": 50, "autovacuum_vacuum_scale_factor": 0.02, "autovacuum_vacuum_cost_delay": 0},
    )


def downgrade() -> None:
    """Forget the counts."""
    op.drop_table("run_counts", schema=SCHEMA)
