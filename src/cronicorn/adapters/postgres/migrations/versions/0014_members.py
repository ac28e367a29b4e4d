"""Members, the sessions in which they are signed in, and the log of who did what."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None
SCHEMA = "cronicorn"


def upgrade() -> None:
    """Add the tables."""
    _members()
    _signed_in()
    _audit_log()


def downgrade() -> None:
    """Take them away: nobody can sign in, and nobody knows any more who did what."""
    op.drop_table("audit_log", schema=SCHEMA)
    op.execute("DROP FUNCTION cronicorn.keep_audit_log()")
    op.drop_table("signed_in", schema=SCHEMA)
    op.drop_table("members", schema=SCHEMA)


def _members() -> None:
    op.create_table(
        "members",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("login", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("runs_installation", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("password", sa.Text(), nullable=True),
        sa.Column("password_us", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["tenant_id"], ["cronicorn.tenants.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("login", name="members_login"),
        schema=SCHEMA,
    )
    op.create_index("members_by_tenant", "members", ["tenant_id", "created_us", "id"], schema=SCHEMA)


def _signed_in() -> None:
    op.create_table(
        "signed_in",
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("member_id", sa.Text(), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("seen_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["cronicorn.members.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("hash"),
        schema=SCHEMA,
    )
    op.create_index("signed_in_by_member", "signed_in", ["member_id"], schema=SCHEMA)
    op.create_index("signed_in_by_use", "signed_in", ["seen_us"], schema=SCHEMA)


def _audit_log() -> None:
    op.create_table(
        "audit_log",
        sa.Column("number", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("actor_kind", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Text(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("object_kind", sa.Text(), nullable=False),
        sa.Column("object_id", sa.Text(), nullable=False),
        sa.Column("before", sa.Text(), nullable=True),
        sa.Column("after", sa.Text(), nullable=True),
        sa.Column("request_id", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("number"),
        schema=SCHEMA,
    )
    op.create_index("audit_log_by_tenant", "audit_log", ["tenant_id", "number"], schema=SCHEMA)
    op.create_index("audit_log_by_object", "audit_log", ["tenant_id", "object_id", "number"], schema=SCHEMA)
    op.execute(
        "CREATE FUNCTION cronicorn.keep_audit_log() RETURNS trigger LANGUAGE plpgsql AS "
        "'BEGIN RAISE EXCEPTION ''the audit log only grows''; END'"
    )
    op.execute(
        "CREATE TRIGGER audit_log_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON cronicorn.audit_log "
        "FOR EACH STATEMENT EXECUTE FUNCTION cronicorn.keep_audit_log()"
    )
