"""What rules made of an answer is kept with its run, and which endpoints read others is known without opening them."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

SCHEMA = "cronicorn"


def upgrade() -> None:
    """Add what steering needs. Both columns come without a rewrite of their tables."""
    reads = sa.Column("reads", sa.SmallInteger(), nullable=False, server_default="0")
    op.add_column("endpoints", reads, schema=SCHEMA)
    reading = sa.text("reads = 1")
    op.create_index("endpoints_reading", "endpoints", ["job_number", "number"], schema=SCHEMA, postgresql_where=reading)
    op.add_column("runs", sa.Column("steering", sa.Text(), nullable=True), schema=SCHEMA)


def downgrade() -> None:
    """Take it away: rules read no siblings in the older version, and what they made of answers is forgotten."""
    op.drop_index("endpoints_reading", table_name="endpoints", schema=SCHEMA)
    op.drop_column("endpoints", "reads", schema=SCHEMA)
    op.drop_column("runs", "steering", schema=SCHEMA)
