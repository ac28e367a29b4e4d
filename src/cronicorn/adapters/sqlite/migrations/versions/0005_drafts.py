"""Drafts of policies: what a model made of descriptions, and what was decided about it."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the drafts."""
    op.create_table(
        "policy_drafts",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("endpoint_number", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("created_us", sa.Integer(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["endpoint_number"], ["endpoints.number"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("id", name="policy_drafts_id"),
        sqlite_strict=True,
    )
    op.create_index("policy_drafts_by_endpoint", "policy_drafts", ["endpoint_number", "number"])


def downgrade() -> None:
    """Forget the drafts; policies in force stay."""
    op.drop_table("policy_drafts")
