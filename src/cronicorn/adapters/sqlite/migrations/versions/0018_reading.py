"""Indexes for whatever can be read page by page, so that no page looks through what others have left."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None
_INDEXES = {
    "audit_log_by_actor": ("audit_log", ["tenant_id", "actor_id", "number"]),
    "audit_log_by_action": ("audit_log", ["tenant_id", "action", "number"]),
    "alert_messages_by_route": ("alert_messages", ["tenant_id", "route_id", "number"]),
    "alert_messages_by_incident": ("alert_messages", ["tenant_id", "incident_id", "number"]),
    "signed_in_by_beginning": ("signed_in", ["created_us"]),
}


def upgrade() -> None:
    """Add them."""
    for name, (table, columns) in _INDEXES.items():
        op.create_index(name, table, columns)
    columns, still_open = ["tenant_id", "number"], sa.text("closed_us IS NULL")
    op.create_index("incidents_going_on", "incidents", columns, sqlite_where=still_open)


def downgrade() -> None:
    """Take them away."""
    op.drop_index("incidents_going_on", table_name="incidents")
    for name, (table, _) in _INDEXES.items():
        op.drop_index(name, table_name=table)
