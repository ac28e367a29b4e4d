"""A whole installation as rows: what a copy moves from one store to another, and what a verification reads."""

from collections.abc import Mapping
from enum import StrEnum


class Table(StrEnum):
    """What an installation consists of, each after what its rows refer to; last what is not copied."""

    TENANTS = "tenants"
    API_KEYS = "api_keys"
    MEMBERS = "members"
    TENANT_PROVISIONS = "tenant_provisions"
    KEYCHAINS = "keychains"
    JOBS = "jobs"
    ENDPOINTS = "endpoints"
    FILE_SETS = "file_sets"
    SCHEDULE = "schedule"
    RUNS = "runs"
    SKIPS = "skips"
    POLICY_DRAFTS = "policy_drafts"
    ALERTINGS = "alertings"
    INCIDENTS = "incidents"
    ALERT_MESSAGES = "alert_messages"
    RUN_COUNTS = "run_counts"
    JOB_HOURS = "job_hours"
    ENDPOINT_HOURS = "endpoint_hours"
    FLOWS = "flows"
    QUOTA_BOOKS = "quota_books"
    QUOTA_GRANTS = "quota_grants"
    AUDIT_LOG = "audit_log"
    WATCHES = "watches"
    ANALYSES = "analyses"


COPIED = tuple(table for table in Table if table not in {Table.WATCHES, Table.ANALYSES})
"""The tables that a copy moves. What planners remember stays behind: they learn it anew."""

COLUMNS: Mapping[Table, tuple[str, ...]] = {
    Table.TENANTS: ("id", "name", "created_us", "tier", "token_limit", "token_period", "token_zone"),
    Table.TENANT_PROVISIONS: ("tenant_id", "document"),
    Table.API_KEYS: (
        "hash", "id", "tenant_id", "prefix", "created_us", "name", "role", "scopes", "runs_installation", "agent",
        "rate", "expires_us", "used_us", "revoked_us",
    ),
    Table.KEYCHAINS: ("tenant_id", "revision", "document"),
    Table.MEMBERS: (
        "id", "tenant_id", "login", "role", "created_us", "runs_installation", "password", "password_us",
    ),
    Table.JOBS: (
        "number", "id", "tenant_id", "name", "description", "status", "created_us", "updated_us", "archived_us",
    ),
    Table.ENDPOINTS: (
        "number", "id", "tenant_id", "job_number", "version", "created_us", "archived_us", "reads", "document",
    ),
    Table.FILE_SETS: ("tenant_id", "name", "revision", "document"),
    Table.SCHEDULE: (
        "endpoint_number", "tenant_id", "due_us", "slot", "attempt", "manual_slot", "fence", "claim_id", "worker_id",
        "mechanism", "claimed_us", "leased_slot", "leased_attempt", "leased_manual", "lease_until_us", "takeover_us",
        "cancelled", "lost_claims", "done_claim_id", "done_fence", "done", "state",
    ),
    Table.RUNS: (
        "number", "endpoint_number", "slot", "attempt", "fence", "status", "source", "trace", "due_us", "nominal_us",
        "started_us", "finished_us", "duration_us", "outcome", "steering", "body",
    ),
    Table.SKIPS: (
        "number", "endpoint_number", "state", "reason", "first_us", "last_us", "instants", "exact",
    ),
    Table.POLICY_DRAFTS: (
        "number", "id", "tenant_id", "endpoint_number", "status", "hash", "created_us", "document",
    ),
    Table.FLOWS: ("tenant_id", "name", "kept_until_us", "slowed_us", "document"),
    Table.ALERTINGS: ("tenant_id", "document"),
    Table.INCIDENTS: (
        "number", "id", "tenant_id", "kind", "subject", "opened_us", "closed_us", "version", "document",
    ),
    Table.ALERT_MESSAGES: (
        "number", "id", "tenant_id", "incident_id", "route_id", "state", "due_us", "settled_us", "document",
    ),
    Table.RUN_COUNTS: ("tenant_id", "month_us", "runs"),
    Table.JOB_HOURS: ("job_number", "hour_us", "source", "status", "runs", "duration_us"),
    Table.ENDPOINT_HOURS: (
        "job_number", "hour_us", "endpoint_number", "source", "status", "runs", "duration_us",
    ),
    Table.QUOTA_BOOKS: (
        "number", "tenant_id", "calendar", "start_us", "end_us", "compile_used", "compile_reserved", "analysis_used",
        "analysis_reserved", "burst_us",
    ),
    Table.QUOTA_GRANTS: (
        "id", "tenant_id", "book_number", "budget", "estimate", "expires_us", "charged", "settled",
    ),
    Table.AUDIT_LOG: (
        "number", "tenant_id", "at_us", "actor_kind", "actor_id", "actor", "action", "object_kind", "object_id",
        "before", "after", "request_id",
    ),
    Table.WATCHES: (
        "endpoint_number", "look_us", "cursor_us", "memory", "requested_by", "claim_id", "claimed_until_us",
    ),
    Table.ANALYSES: (
        "number", "endpoint_number", "id", "tenant_id", "endpoint_id", "at_us", "tokens", "document",
    ),
}  # fmt: skip
"""The columns of a row, the same in all stores. What a store derives from them for itself is not among them."""
