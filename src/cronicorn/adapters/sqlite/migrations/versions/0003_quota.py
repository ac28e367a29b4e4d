"""Tokens of tenants: what each window has used and reserved, and the grants that are not forgotten yet."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the books and the grants."""
    counters = ("compile_used", "compile_reserved", "analysis_used", "analysis_reserved")
    op.create_table(
        "quota_books",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("calendar", sa.Text(), nullable=False),
        sa.Column("start_us", sa.Integer(), nullable=False),
        sa.Column("end_us", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False, server_default="0") for name in counters),
        sa.Column("burst_us", sa.Integer(), nullable=True),
        sa.CheckConstraint("compile_used >= 0 AND analysis_used >= 0", name="used_tokens_counted"),
        sa.CheckConstraint("compile_reserved >= 0 AND analysis_reserved >= 0", name="reserved_tokens_counted"),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("tenant_id", "calendar", "start_us", name="quota_books_once"),
        sqlite_strict=True,
    )
    op.create_table(
        "quota_grants",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("book_number", sa.Integer(), nullable=False),
        sa.Column("budget", sa.Text(), nullable=False),
        sa.Column("estimate", sa.Integer(), nullable=False),
        sa.Column("expires_us", sa.Integer(), nullable=False),
        sa.Column("charged", sa.Integer(), nullable=False),
        sa.Column("settled", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["book_number"], ["quota_books.number"]),
        sa.PrimaryKeyConstraint("id"),
        sqlite_strict=True,
    )
    op.create_index("quota_grants_by_book", "quota_grants", ["book_number", "expires_us"])
    still_open = sa.text("charged = 0 AND settled = 0")
    op.create_index("quota_grants_open", "quota_grants", ["tenant_id", "expires_us"], sqlite_where=still_open)


def downgrade() -> None:
    """Forget the tokens that were used and reserved."""
    op.drop_table("quota_grants")
    op.drop_table("quota_books")
