"""What API keys may do and until when, and how often things happened. Keys that are there may do all they could."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

SCHEMA = "cronicorn"


def upgrade() -> None:
    """Add the columns and the counts."""
    for column in _columns():
        op.add_column("api_keys", column, schema=SCHEMA)
    op.create_index("api_keys_by_tenant", "api_keys", ["tenant_id", "created_us", "hash"], schema=SCHEMA)
    op.create_index("api_keys_id", "api_keys", ["id"], unique=True, schema=SCHEMA)
    op.create_table(
        "rates",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("spent_until_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
        schema=SCHEMA,
    )
    op.create_index("rates_spent", "rates", ["spent_until_us"], schema=SCHEMA)


def downgrade() -> None:
    """Take them away. Every key may then do everything, and those that were revoked or expired are gone."""
    op.execute("DELETE FROM cronicorn.api_keys WHERE revoked_us IS NOT NULL OR expires_us IS NOT NULL")
    op.drop_table("rates", schema=SCHEMA)
    op.drop_index("api_keys_id", table_name="api_keys", schema=SCHEMA)
    op.drop_index("api_keys_by_tenant", table_name="api_keys", schema=SCHEMA)
    for column in reversed(_columns()):
        op.drop_column("api_keys", column.name, schema=SCHEMA)


def _columns() -> list[sa.Column[Any]]:
    return [
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("role", sa.Text(), server_default="owner", nullable=False),
        sa.Column("scopes", sa.Text(), nullable=True),
        sa.Column("runs_installation", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("agent", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("rate", sa.Integer(), nullable=True),
        sa.Column("expires_us", sa.BigInteger(), nullable=True),
        sa.Column("used_us", sa.BigInteger(), nullable=True),
        sa.Column("revoked_us", sa.BigInteger(), nullable=True),
    ]
