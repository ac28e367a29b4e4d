"""Drafts of policies: what a model made of descriptions, and what was decided about it."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

SCHEMA = "cronicorn"


def upgrade() -> None:
    """Add the drafts."""
    op.create_table(
        "policy_drafts",
        sa.Column("number", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("endpoint_number", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["endpoint_number"], [f"{SCHEMA}.endpoints.number"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("id", name="policy_drafts_id"),
        schema=SCHEMA,
    )
    op.create_index("policy_drafts_by_endpoint", "policy_drafts", ["endpoint_number", "number"], schema=SCHEMA)


def downgrade() -> None:
    """Forget the drafts; policies in force stay."""
    op.drop_table("policy_drafts", schema=SCHEMA)
