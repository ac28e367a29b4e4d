"""What API keys may do and until when, and how often things happened. Keys that are there may do all they could."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns and the counts."""
    for column in _columns():
        op.add_column("api_keys", column)
    op.create_index("api_keys_by_tenant", "api_keys", ["tenant_id", "created_us", "hash"])
    op.create_index("api_keys_id", "api_keys", ["id"], unique=True)
    op.create_table(
        "rates",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("spent_until_us", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
        sqlite_strict=True,
    )
    op.create_index("rates_spent", "rates", ["spent_until_us"])


def downgrade() -> None:
    """Take them away. Every key may then do everything, and those that were revoked or expired are gone."""
    op.execute("DELETE FROM api_keys WHERE revoked_us IS NOT NULL OR expires_us IS NOT NULL")
    op.drop_table("rates")
    op.drop_index("api_keys_id", table_name="api_keys")
    op.drop_index("api_keys_by_tenant", table_name="api_keys")
    for column in reversed(_columns()):
        op.drop_column("api_keys", column.name)


def _columns() -> list[sa.Column[Any]]:
    return [
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("role", sa.Text(), server_default="owner", nullable=False),
        sa.Column("scopes", sa.Text(), nullable=True),
        sa.Column("runs_installation", sa.Integer(), server_default="0", nullable=False),
        sa.Column("agent", sa.Integer(), server_default="0", nullable=False),
        sa.Column("rate", sa.Integer(), nullable=True),
        sa.Column("expires_us", sa.Integer(), nullable=True),
        sa.Column("used_us", sa.Integer(), nullable=True),
        sa.Column("revoked_us", sa.Integer(), nullable=True),
    ]
