"""What was agreed with a tenant about its tokens: a tier, and what is different from it."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

SCHEMA = "cronicorn"


def upgrade() -> None:
    """Add the terms. Empty ones leave what the settings say."""
    op.add_column("tenants", sa.Column("tier", sa.Text(), nullable=True), schema=SCHEMA)
    op.add_column("tenants", sa.Column("token_limit", sa.BigInteger(), nullable=True), schema=SCHEMA)
    op.add_column("tenants", sa.Column("token_period", sa.Text(), nullable=True), schema=SCHEMA)
    op.add_column("tenants", sa.Column("token_zone", sa.Text(), nullable=True), schema=SCHEMA)


def downgrade() -> None:
    """Forget the terms: all tenants are as the settings say."""
    op.drop_column("tenants", "token_zone", schema=SCHEMA)
    op.drop_column("tenants", "token_period", schema=SCHEMA)
    op.drop_column("tenants", "token_limit", schema=SCHEMA)
    op.drop_column("tenants", "tier", schema=SCHEMA)
