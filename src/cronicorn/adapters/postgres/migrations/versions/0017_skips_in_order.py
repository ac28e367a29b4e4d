"""What did not run is found by its endpoint in the order of its last instants."""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

SCHEMA = "cronicorn"


def upgrade() -> None:
    """Make the index hold the order, too."""
    op.drop_index("skips_by_endpoint", table_name="skips", schema=SCHEMA)
    op.create_index("skips_by_endpoint", "skips", ["endpoint_number", "last_us", "number"], schema=SCHEMA)


def downgrade() -> None:
    """Hold the endpoint alone."""
    op.drop_index("skips_by_endpoint", table_name="skips", schema=SCHEMA)
    op.create_index("skips_by_endpoint", "skips", ["endpoint_number"], schema=SCHEMA)
