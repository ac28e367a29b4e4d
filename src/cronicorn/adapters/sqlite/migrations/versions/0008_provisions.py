"""What an operator has set for a tenant, beside what the settings say for all."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table. Without a row the settings hold alone."""
    op.create_table(
        "tenant_provisions",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id"),
        sqlite_strict=True,
    )


def downgrade() -> None:
    """Forget what was set: the settings hold alone."""
    op.drop_table("tenant_provisions")
