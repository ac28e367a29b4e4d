"""Tables of tenants, of who may do what, and of who did what. `schema` says what holds of all tables."""

from sqlalchemy import DDL, Column, ForeignKey, Index, Integer, MetaData, Table, Text, event
from sqlalchemy import UniqueConstraint as Unique

metadata = MetaData()

tenants = Table(
    "tenants",
    metadata,
    Column("id", Text, primary_key=True, nullable=False),
    Column("name", Text, nullable=False),
    Column("created_us", Integer, nullable=False),
    Column("tier", Text),
    Column("token_limit", Integer),
    Column("token_period", Text),
    Column("token_zone", Text),
    Unique("name", name="tenants_name"),
    sqlite_strict=True,
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("hash", Text, primary_key=True, nullable=False),
    Column("id", Text, nullable=False),
    Column("tenant_id", Text, ForeignKey("tenants.id", ondelete="CASCADE"), nullable=False),
    Column("prefix", Text, nullable=False),
    Column("created_us", Integer, nullable=False),
    Column("name", Text, nullable=False, server_default=""),
    Column("role", Text, nullable=False, server_default="owner"),
    Column("scopes", Text),
    Column("runs_installation", Integer, nullable=False, server_default="0"),
    Column("agent", Integer, nullable=False, server_default="0"),
    Column("rate", Integer),
    Column("expires_us", Integer),
    Column("used_us", Integer),
    Column("revoked_us", Integer),
    Index("api_keys_by_tenant", "tenant_id", "created_us", "hash"),
    Index("api_keys_id", "id", unique=True),
    sqlite_strict=True,
)

rates = Table(
    "rates",
    metadata,
    Column("name", Text, primary_key=True, nullable=False),
    Column("spent_until_us", Integer, nullable=False),
    Index("rates_spent", "spent_until_us"),
    sqlite_strict=True,
)
"""Until when the limit of each name is spent. A row whose instant has passed means nothing any more."""

members = Table(
    "members",
    metadata,
    Column("id", Text, primary_key=True, nullable=False),
    Column("tenant_id", Text, ForeignKey("tenants.id", ondelete="CASCADE"), nullable=False),
    Column("login", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("created_us", Integer, nullable=False),
    Column("runs_installation", Integer, nullable=False, server_default="0"),
    Column("password", Text),
    Column("password_us", Integer),
    Unique("login", name="members_login"),
    Index("members_by_tenant", "tenant_id", "created_us", "id"),
    sqlite_strict=True,
)

signed_in = Table(
    "signed_in",
    metadata,
    Column("hash", Text, primary_key=True, nullable=False),
    Column("member_id", Text, ForeignKey("members.id", ondelete="CASCADE"), nullable=False),
    Column("created_us", Integer, nullable=False),
    Column("seen_us", Integer, nullable=False),
    Index("signed_in_by_member", "member_id"),
    Index("signed_in_by_use", "seen_us"),
    Index("signed_in_by_beginning", "created_us"),
    sqlite_strict=True,
)

sign_in_links = Table(
    "sign_in_links",
    metadata,
    Column("member_id", Text, ForeignKey("members.id", ondelete="CASCADE"), primary_key=True, nullable=False),
    Column("hash", Text, nullable=False),
    Column("ends_us", Integer, nullable=False),
    Unique("hash", name="sign_in_links_hash"),
    sqlite_strict=True,
)
"""One for a member at most: the next one takes the place of the one before."""

file_sets = Table(
    "file_sets",
    metadata,
    Column("tenant_id", Text, ForeignKey("tenants.id", ondelete="CASCADE"), primary_key=True, nullable=False),
    Column("name", Text, primary_key=True, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("document", Text, nullable=False),
    sqlite_strict=True,
)
"""What files of jobs have made, and the fields they speak for."""

audit_log = Table(
    "audit_log",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("tenant_id", Text, nullable=False),
    Column("at_us", Integer, nullable=False),
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
    sqlite_autoincrement=True,
    sqlite_strict=True,
)
"""It only grows: triggers refuse every change and removal."""
for _change in ("UPDATE", "DELETE"):
    event.listen(
        audit_log,
        "after_create",
        DDL(  # type: ignore[no-untyped-call]
            f"CREATE TRIGGER audit_log_no_{_change.lower()} BEFORE {_change} ON audit_log "
            "BEGIN SELECT RAISE(ABORT, 'the audit log only grows'); END"
        ),
    )
