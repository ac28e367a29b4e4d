"""Tables of tenants, of who may do what, and of who did what. `schema` says what holds of all tables."""

from sqlalchemy import (
    DDL,
    BigInteger,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    Table,
    Text,
    event,
)
from sqlalchemy import UniqueConstraint as Unique

SCHEMA = "cronicorn"

metadata = MetaData(schema=SCHEMA)

tenants = Table(
    "tenants",
    metadata,
    Column("number", BigInteger, Identity(), nullable=False),
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("tier", Text),
    Column("token_limit", BigInteger),
    Column("token_period", Text),
    Column("token_zone", Text),
    Unique("name", name="tenants_name"),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("hash", Text, primary_key=True),
    Column("id", Text, nullable=False),
    Column("tenant_id", Text, ForeignKey("cronicorn.tenants.id", ondelete="CASCADE"), nullable=False),
    Column("prefix", Text, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("name", Text, nullable=False, server_default=""),
    Column("role", Text, nullable=False, server_default="owner"),
    Column("scopes", Text),
    Column("runs_installation", SmallInteger, nullable=False, server_default="0"),
    Column("agent", SmallInteger, nullable=False, server_default="0"),
    Column("rate", Integer),
    Column("expires_us", BigInteger),
    Column("used_us", BigInteger),
    Column("revoked_us", BigInteger),
    Index("api_keys_by_tenant", "tenant_id", "created_us", "hash"),
    Index("api_keys_id", "id", unique=True),
)

rates = Table(
    "rates",
    metadata,
    Column("name", Text, primary_key=True),
    Column("spent_until_us", BigInteger, nullable=False),
    Index("rates_spent", "spent_until_us"),
)
"""Until when the limit of each name is spent. A row whose instant has passed means nothing any more."""

members = Table(
    "members",
    metadata,
    Column("id", Text, primary_key=True),
    Column("tenant_id", Text, ForeignKey("cronicorn.tenants.id", ondelete="CASCADE"), nullable=False),
    Column("login", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("runs_installation", SmallInteger, nullable=False, server_default="0"),
    Column("password", Text),
    Column("password_us", BigInteger),
    Unique("login", name="members_login"),
    Index("members_by_tenant", "tenant_id", "created_us", "id"),
)

signed_in = Table(
    "signed_in",
    metadata,
    Column("hash", Text, primary_key=True),
    Column("member_id", Text, ForeignKey("cronicorn.members.id", ondelete="CASCADE"), nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("seen_us", BigInteger, nullable=False),
    Index("signed_in_by_member", "member_id"),
    Index("signed_in_by_use", "seen_us"),
    Index("signed_in_by_beginning", "created_us"),
)

sign_in_links = Table(
    "sign_in_links",
    metadata,
    Column("member_id", Text, ForeignKey("cronicorn.members.id", ondelete="CASCADE"), primary_key=True),
    Column("hash", Text, nullable=False),
    Column("ends_us", BigInteger, nullable=False),
    Unique("hash", name="sign_in_links_hash"),
)
"""One for a member at most: the next one takes the place of the one before."""

file_sets = Table(
    "file_sets",
    metadata,
    Column("tenant_id", Text, ForeignKey("cronicorn.tenants.id", ondelete="CASCADE"), primary_key=True, nullable=False),
    Column("name", Text, primary_key=True, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("document", Text, nullable=False),
)
"""What files of jobs have made, and the fields they speak for."""

audit_log = Table(
    "audit_log",
    metadata,
    Column("number", BigInteger, Identity(), primary_key=True),
    Column("tenant_id", Text, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("actor_kind", Text, nullable=False),
    Column("actor_id", Text),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("object_kind", Text, nullable=False),
    Column("object_id", Text, nullable=False),
    Column("before", Text),
    Column("after", Text),
    Column("request_id", Text),
    Index("audit_log_by_tenant", "tenant_id", "number"),
    Index("audit_log_by_object", "tenant_id", "object_id", "number"),
    Index("audit_log_by_actor", "tenant_id", "actor_id", "number"),
    Index("audit_log_by_action", "tenant_id", "action", "number"),
)
"""It only grows: triggers refuse every change and removal."""
event.listen(
    audit_log,
    "after_create",
    DDL(  # type: ignore[no-untyped-call]
        "CREATE FUNCTION cronicorn.keep_audit_log() RETURNS trigger LANGUAGE plpgsql AS "
        "'BEGIN RAISE EXCEPTION ''the audit log only grows''; END'"
    ),
)
event.listen(
    audit_log,
    "after_create",
    DDL(  # type: ignore[no-untyped-call]
        "CREATE TRIGGER audit_log_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON cronicorn.audit_log "
        "FOR EACH STATEMENT EXECUTE FUNCTION cronicorn.keep_audit_log()"
    ),
)
