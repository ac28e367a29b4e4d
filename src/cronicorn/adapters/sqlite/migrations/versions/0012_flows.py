"""What calls began lately and are in progress, for limits on flow."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "flows",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kept_until_us", sa.Integer(), nullable=False),
        sa.Column("slowed_us", sa.Integer(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "name"),
        sqlite_strict=True,
    )
    op.create_index("flows_by_end", "flows", ["kept_until_us"])
    op.create_index("flows_slowed", "flows", ["slowed_us"], sqlite_where=sa.text("slowed_us > 0"))


def downgrade() -> None:
    """Forget which calls began lately: limits count anew."""
    op.drop_table("flows")
