"""What files of jobs have made, and the fields they speak for."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None
SCHEMA = "cronicorn"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "file_sets",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["cronicorn.tenants.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "name"),
        schema=SCHEMA,
    )


def downgrade() -> None:
    """Take it away: files have made nothing, and speak for nothing, until they are applied again."""
    op.drop_table("file_sets", schema=SCHEMA)
