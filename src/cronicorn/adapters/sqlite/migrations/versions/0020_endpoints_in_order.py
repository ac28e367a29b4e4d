"""The endpoints of a job are found in the order in which they are listed, also those that were made at once."""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the index hold the order, too."""
    op.drop_index("endpoints_by_job", table_name="endpoints")
    op.create_index("endpoints_by_job", "endpoints", ["job_number", "created_us", "number", "archived_us"])


def downgrade() -> None:
    """Make it as it was."""
    op.drop_index("endpoints_by_job", table_name="endpoints")
    op.create_index("endpoints_by_job", "endpoints", ["job_number", "created_us", "archived_us"])
