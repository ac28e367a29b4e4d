"""Whatever is read page by page is read in the order of an index, however much others have left."""

import json

import pytest

from cronicorn.adapters.postgres import (
    audit_log,
    drafts,
    incident_book,
    issued_keys,
    job_catalog,
    member_book,
    outbox,
    rollup_statements,
    runs,
    signed_in_store,
    watches,
)
from cronicorn.adapters.postgres.database import PostgresDatabase
from cronicorn.adapters.postgres.options import PostgresOptions
from cronicorn.adapters.postgres.queries import Query
from cronicorn.domain.cells import Cell

ENDED = 1_700_000_000_000_000
HOUR_US = 3_600_000_000
FILL = """
INSERT INTO cronicorn.tenants (id, name, created_us)
 SELECT 't' || n, 't' || n, n
   FROM generate_series(0, 99) AS n;
INSERT INTO cronicorn.jobs (number, id, tenant_id, name, status, created_us, updated_us)
 SELECT n, 'job' || n, 't' || n % 100, 'j', 'active', n, n
   FROM generate_series(1, 3000) AS n;
INSERT INTO cronicorn.endpoints (number, id, tenant_id, job_number, version, created_us, document)
 SELECT n, 'ep' || n, 't' || n % 100, n, 1, n, '{}'
   FROM generate_series(1, 3000) AS n;
INSERT INTO cronicorn.runs (endpoint_number, slot, attempt, fence, status, source, trace, due_us,
                            started_us, finished_us, duration_us, outcome)
 SELECT 1 + n % 300, n, 1, 1,
       CASE WHEN n % 7 < 3 THEN 'failed' ELSE 'success' END, 'interval', '', $ENDED, $ENDED + n, $ENDED + n, 0, '{}'
   FROM generate_series(1, 30000) AS n;
INSERT INTO cronicorn.endpoint_hours (job_number, hour_us, endpoint_number, source, status, runs, duration_us)
 SELECT 1 + n % 300, $ENDED - $ENDED % 3600000000 + n / 300 * 3600000000, 1 + n % 300, 'interval', 'success', 1, 0
   FROM generate_series(0, 29999) AS n;
INSERT INTO cronicorn.job_hours (job_number, hour_us, source, status, runs, duration_us)
 SELECT job_number, hour_us, source, status, runs, duration_us
   FROM cronicorn.endpoint_hours;
INSERT INTO cronicorn.analyses (endpoint_number, id, tenant_id, endpoint_id, document, at_us)
 SELECT 1 + n % 300, 'an' || n, 't' || n % 100, 'ep' || n % 300, '{}', $ENDED + n
   FROM generate_series(1, 20000) AS n;
INSERT INTO cronicorn.policy_drafts (id, tenant_id, endpoint_number, status, hash, created_us, document)
 SELECT 'd' || n, 't' || n % 100, 1 + n % 300, 'rejected', '', n, '{}'
   FROM generate_series(1, 20000) AS n;
INSERT INTO cronicorn.incidents (number, id, tenant_id, kind, subject, opened_us, closed_us, version, document)
 SELECT n, 'i' || n, 't' || n % 100, 'late', 's' || n, n, CASE WHEN n % 1000 > 0 THEN n END, 1, '{}'
   FROM generate_series(1, 20000) AS n;
INSERT INTO cronicorn.alert_messages (number, id, tenant_id, incident_id, route_id, state, due_us, settled_us, document)
 SELECT n, 'm' || n, 't' || n % 100, 'i' || n, 'r' || n % 1000, 'delivered', n, n, '{}'
   FROM generate_series(1, 20000) AS n;
INSERT INTO cronicorn.audit_log (number, tenant_id, at_us, actor_kind, actor_id, actor, action, object_kind, object_id)
 SELECT n, 't' || n % 100, n, 'key', 'k' || n % 300, 'k', 'a' || n % 110, 'job', 'job' || n % 3000
   FROM generate_series(1, 30000) AS n;
INSERT INTO cronicorn.members (id, tenant_id, login, role, created_us)
 SELECT 'u' || n, 't' || n % 100, 'login' || n, 'viewer', n
   FROM generate_series(1, 10000) AS n;
INSERT INTO cronicorn.signed_in (hash, member_id, created_us, seen_us)
 SELECT 'h' || n, 'u' || n, n, n
   FROM generate_series(1, 10000) AS n;
INSERT INTO cronicorn.api_keys (hash, id, tenant_id, prefix, created_us)
 SELECT 'h' || n, 'k' || n, 't' || n % 100, 'p', n
   FROM generate_series(1, 10000) AS n
"""
EVER = 1 << 62
PLACE: dict[str, Cell] = {
    "endpoint": 7, "since_us": -EVER, "until_us": EVER, "after_us": ENDED + 15_000, "after_slot": 7,
    "after_attempt": 1, "page_limit": 50, "page_offset": 0,
}  # fmt: skip
QUERIES: dict[str, tuple[Query, dict[str, Cell], str]] = {
    "runs": (runs.PAGE, PLACE, "runs_default_endpoint_number_started_us"),
    "failed runs": (runs.PAGE_IN_STATUS, PLACE | {"status": "failed"}, "runs_default_endpoint_number"),
    "jobs": (
        job_catalog.PAGE_LIVE,
        {"tenant_id": "t1", "after_us": 500, "after_number": 5, "page_limit": 50},
        "jobs_by_tenant",
    ),
    "incidents": (
        incident_book.LIST,
        {"tenant_id": "t1", "after_number": 9_000, "most": 50, "skipped": 0},
        "incidents_by_tenant",
    ),
    "open incidents": (
        incident_book.LIST_OPEN,
        {"tenant_id": "t1", "after_number": 9_000, "most": 50, "skipped": 0},
        "incidents_",
    ),
    "open incidents of all": (incident_book._OPEN, {}, "incidents_"),
    "messages": (outbox._LIST, {"tenant_id": "t1", "most": 50}, "alert_messages_by_tenant"),
    "messages of a route": (
        outbox._LIST_ROUTE,
        {"tenant_id": "t1", "route": "r101", "most": 50},
        "alert_messages_by_route",
    ),
    "messages of an incident": (
        outbox._LIST_INCIDENT,
        {"tenant_id": "t1", "incident": "i101", "most": 50},
        "alert_messages_by_incident",
    ),
    "keys": (issued_keys._LIST, {"tenant_id": "t1", "most": 50, "skipped": 0}, "api_keys_by_tenant"),
    "members": (member_book._LIST, {"tenant": "t1"}, "members_"),
    "who signs in": (member_book._FIND, {"wanted": "login7"}, "members_login"),
    "who is signed in": (signed_in_store._GET, {"wanted": "h7"}, "signed_in_pkey"),
    "sessions that have ended": (signed_in_store._FORGET, {"unused_us": 10, "begun_us": 10}, "signed_in_by_beginning"),
    "drafts": (drafts._OF_ENDPOINT, {"endpoint_number": 7}, "policy_drafts_by_endpoint"),
    "audit": (audit_log._statement(frozenset()), {"tenant": "t1", "most": 50}, "audit_log_"),
    "audit page": (
        audit_log._statement(frozenset({"before"})),
        {"tenant": "t1", "most": 50, "below": 9_000},
        "audit_log_",
    ),
    "audit of an actor": (
        audit_log._statement(frozenset({"actor_id"})),
        {"tenant": "t1", "most": 50, "actor": "k1"},
        "audit_log_by_actor",
    ),
    "audit of an action": (
        audit_log._statement(frozenset({"action"})),
        {"tenant": "t1", "most": 50, "done": "a1"},
        "audit_log_by_action",
    ),
    "audit of a thing": (
        audit_log._statement(frozenset({"object_id"})),
        {"tenant": "t1", "most": 50, "thing": "job1"},
        "audit_log_by_object",
    ),
}
"""Statements with parameters by name, and what the name of an index begins with that answers them."""
PLAIN = {
    "analyses": (watches.LIST, (7, 50, 0), "analyses_by_endpoint"),
    "page of analyses": (watches.LIST_AFTER, (7, 50, 0, "an307"), "analyses_"),
    "runs by step": (
        rollup_statements.BY_STEP,
        ("t1", None, ENDED, ENDED + HOUR_US, HOUR_US),
        "job_hours_pkey",
    ),
    "busiest": (
        rollup_statements.BUSIEST,
        ("t1", "job1", ENDED, ENDED + HOUR_US, HOUR_US, 20, None, 1),
        "endpoint_hours_pkey",
    ),
    "newest runs": (
        rollup_statements.NEWEST_RUNS,
        ("t1", "job1", ENDED, ENDED + 60_000_000, 50, ENDED - ENDED % HOUR_US, "ep1", 7, 1),
        "runs_default_endpoint_number_started_us",
    ),
    "newest analyses": (
        rollup_statements.NEWEST_ANALYSES,
        ("t1", None, ENDED, ENDED + 1_000, 50, "an7"),
        "analyses_by_time",
    ),
}
SMALL = {"tenants"}


@pytest.fixture
async def connection(postgres_url):
    database = await PostgresDatabase.open(postgres_url, PostgresOptions())
    async with database.connection() as connection:
        for statement in FILL.split(";"):
            await connection.execute(statement.replace("$ENDED", f"{ENDED}"))
        await connection.execute("ANALYZE")
        yield connection
    await database.aclose()


def _steps(plan):
    yield plan
    for part in plan.get("Plans", []):
        yield from _steps(part)


async def test_no_page_looks_through_what_others_have_left(connection):
    asked = {name: (query.text, query._arguments(given), index) for name, (query, given, index) in QUERIES.items()}
    odd = {}
    for name, (statement, arguments, index) in {**asked, **PLAIN}.items():
        (row,) = await connection.fetch(f"EXPLAIN (FORMAT JSON) {statement}", *arguments)
        steps = list(_steps(json.loads(row[0])[0]["Plan"]))

        whole = {step["Relation Name"] for step in steps if step["Node Type"] == "Seq Scan"} - SMALL
        filled = {each for each in whole if not each.startswith("runs_2")}  # Days without runs are empty.
        used = {step["Index Name"] for step in steps if "Index Name" in step}
        rows_sorted = max((step["Plan Rows"] for step in steps if step["Node Type"] == "Sort"), default=0)
        if filled or not any(each.startswith(index) for each in used) or rows_sorted > 3_000:
            odd[name] = (filled, used, rows_sorted)

    assert odd == {}
