"""Requests that carry a key, and what they were answered."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "keyed_requests",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("claim_id", sa.Text(), nullable=False),
        sa.Column("begun_us", sa.Integer(), nullable=False),
        sa.Column("expires_us", sa.Integer(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "key"),
        sqlite_strict=True,
    )
    op.create_index("keyed_requests_by_end", "keyed_requests", ["expires_us"])


def downgrade() -> None:
    """Forget them: a request that is sent again is carried out again."""
    op.drop_table("keyed_requests")
