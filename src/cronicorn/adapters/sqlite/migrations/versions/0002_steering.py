"""What rules made of an answer is kept with its run, and which endpoints read others is known without opening them."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what steering needs."""
    op.add_column("endpoints", sa.Column("reads", sa.Integer(), nullable=False, server_default="0"))
    op.create_index("endpoints_reading", "endpoints", ["job_number", "number"], sqlite_where=sa.text("reads = 1"))
    op.add_column("runs", sa.Column("steering", sa.Text(), nullable=True))


def downgrade() -> None:
    """Take it away: rules read no siblings in the older version, and what they made of answers is forgotten."""
    op.drop_index("endpoints_reading", table_name="endpoints")
    op.drop_column("endpoints", "reads")
    op.drop_column("runs", "steering")
