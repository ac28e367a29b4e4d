"""Keychains: what tenants keep secret, sealed."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

SCHEMA = "cronicorn"


def upgrade() -> None:
    """Add the keychains."""
    op.create_table(
        "keychains",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id"),
        sa.UniqueConstraint("revision", name="keychains_revision"),
        schema=SCHEMA,
    )


def downgrade() -> None:
    """Forget the keychains: keys and secrets sealed in them are gone for good."""
    op.drop_table("keychains", schema=SCHEMA)
