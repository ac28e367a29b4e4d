"""Tokens of tenants: what each window has used and reserved, and the grants that are not forgotten yet."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

SCHEMA = "cronicorn"


def upgrade() -> None:
    """Add the books and the grants."""
    counters = ("compile_used", "compile_reserved", "analysis_used", "analysis_reserved")
    op.create_table(
        "quota_books",
        sa.Column("number", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("calendar", sa.Text(), nullable=False),
        sa.Column("start_us", sa.BigInteger(), nullable=False),
        sa.Column("end_us", sa.BigInteger(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False, server_default="0") for name in counters),
        sa.Column("burst_us", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("compile_used >= 0 AND analysis_used >= 0", name="used_tokens_counted"),
        sa.CheckConstraint("compile_reserved >= 0 AND analysis_reserved >= 0", name="reserved_tokens_counted"),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("tenant_id", "calendar", "start_us", name="quota_books_once"),
        schema=SCHEMA,
        postgresql_with={"fillfactor": 50, "autovacuum_vacuum_scale_factor": 0.02, "autovacuum_vacuum_cost_delay": 0},
    )
    op.create_table(
        "quota_grants",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("book_number", sa.BigInteger(), nullable=False),
        sa.Column("budget", sa.Text(), nullable=False),
        sa.Column("estimate", sa.BigInteger(), nullable=False),
        sa.Column("expires_us", sa.BigInteger(), nullable=False),
        sa.Column("charged", sa.SmallInteger(), nullable=False),
        sa.Column("settled", sa.SmallInteger(), nullable=False),
        sa.ForeignKeyConstraint(["book_number"], [f"{SCHEMA}.quota_books.number"]),
        sa.PrimaryKeyConstraint("id"),
        schema=SCHEMA,
    )
    op.create_index("quota_grants_by_book", "quota_grants", ["book_number", "expires_us"], schema=SCHEMA)
    still_open = sa.text("charged = 0 AND settled = 0")
    op.create_index(
        "quota_grants_open", "quota_grants", ["tenant_id", "expires_us"], schema=SCHEMA, postgresql_where=still_open
    )


def downgrade() -> None:
    """Forget the tokens that were used and reserved."""
    op.drop_table("quota_grants", schema=SCHEMA)
    op.drop_table("quota_books", schema=SCHEMA)
