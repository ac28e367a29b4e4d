"""Endpoints whose analysis is switched on, and what a model said about them."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

SCHEMA = "cronicorn"


_WATCH = """
INSERT INTO cronicorn.watches (endpoint_number, look_us, cursor_us)
SELECT e.number, 0, coalesce((SELECT max(r.started_us) FROM cronicorn.runs AS r WHERE r.endpoint_number = e.number), 0)
  FROM cronicorn.endpoints AS e
 WHERE e.archived_us IS NULL AND e.document LIKE '%"description":"_%'
   AND e.document NOT LIKE '%"description":"",%' AND e.document LIKE '%"policy":"%'
"""


def upgrade() -> None:
    """Add the watches and the analyses. Endpoints with a description and a policy are watched at once."""
    op.create_table(
        "watches",
        sa.Column("endpoint_number", sa.BigInteger(), nullable=False),
        sa.Column("look_us", sa.BigInteger(), nullable=False),
        sa.Column("cursor_us", sa.BigInteger(), nullable=False),
        sa.Column("memory", sa.Text(), nullable=True),
        sa.Column("requested_by", sa.Text(), nullable=True),
        sa.Column("claim_id", sa.Text(), nullable=True),
        sa.Column("claimed_until_us", sa.BigInteger(), nullable=False, server_default="0"),
        sa.ForeignKeyConstraint(["endpoint_number"], ["cronicorn.endpoints.number"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("endpoint_number"),
        schema=SCHEMA,
    )
    op.create_index("watches_by_look", "watches", ["look_us"], schema=SCHEMA)
    op.create_table(
        "analyses",
        sa.Column("number", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("endpoint_number", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("endpoint_id", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["endpoint_number"], ["cronicorn.endpoints.number"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("id", name="analyses_id"),
        schema=SCHEMA,
    )
    op.create_index("analyses_by_endpoint", "analyses", ["endpoint_number", "number"], schema=SCHEMA)
    op.execute(_WATCH)


def downgrade() -> None:
    """Forget the analyses, and what planners remember."""
    op.drop_table("analyses", schema=SCHEMA)
    op.drop_table("watches", schema=SCHEMA)
