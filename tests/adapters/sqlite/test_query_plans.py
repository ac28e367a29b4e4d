"""What is asked often is answered from an index, however many endpoints and runs there are."""

import re
import sqlite3

import pytest

from cronicorn.adapters.sqlite import (
    audit_log,
    drafts,
    endpoint_rows,
    fleet_view,
    incident_book,
    issued_keys,
    job_catalog,
    keyed_requests,
    lease_statements,
    member_book,
    outbox,
    past_slots,
    rollups,
    runs,
    signed_in_store,
    store_health,
    watches,
    worker_book,
)
from cronicorn.adapters.sqlite.connection import SqliteFile
from tests.adapters.sqlite.empty_database import copy_to

AUDIT_FILTERS = [
    (), ("before",), ("actor_id",), ("action",), ("object_id",), ("actor_id", "before"), ("action", "before"),
    ("before", "object_id"),
]  # fmt: skip
STATEMENTS = {
    "claim": lease_statements.CLAIM,
    "look": lease_statements.LOOK,
    "ask": lease_statements.ASK,
    "next few": lease_statements.NEXT_FEW,
    "version": lease_statements.VERSION,
    "find unlocked": lease_statements.FIND_UNLOCKED,
    "renew": lease_statements.RENEW,
    "find": lease_statements.FIND,
    "settle as claimed": lease_statements.settling(lease_statements.SETTLE_CLAIMED, 2),
    "settle": lease_statements.SETTLE,
    "abandon": lease_statements.ABANDON,
    "next due": lease_statements.NEXT_DUE,
    "overdue": store_health.OVERDUE,
    "find an endpoint": endpoint_rows._FIND.text,
    "endpoints of a job": endpoint_rows._OF_JOB.text,
    "page of endpoints": endpoint_rows._PAGE_OF_JOB.text,
    "siblings": endpoint_rows._SIBLINGS.text,
    "endpoints of a job of one": endpoint_rows._OF_JOB_OF.text,
    "page of runs": runs.PAGE.text,
    "page of failed runs": runs.PAGE_IN_STATUS.text,
    "count of runs": runs.COUNT.text,
    "count of failed runs": runs.COUNT_IN_STATUS.text,
    "one run": runs.ONE.text,
    "tally": runs.TALLY.text,
    "newest run": runs.NEWEST.text,
    "newest success": runs.NEWEST_IN_STATUS.text,
    "streak": runs.STREAK.text,
    "runs of a span": runs.SPAN.text,
    "run ended before": runs.ENDED_BEFORE.text,
    "skips": runs.SKIPS.text,
    "skips in a state": runs.SKIPS_IN_STATE.text,
    "old runs": runs.OLD_RUNS.text,
    "old skips": runs.OLD_SKIPS.text,
    "count of endpoints": rollups.COUNT_OF_ENDPOINTS,
    "count of jobs": rollups.COUNT_OF_JOBS,
    "runs by job": rollups.BY_JOB,
    "runs by step": rollups.BY_STEP,
    "busiest": rollups.BUSIEST,
    "analyses by step": rollups.ANALYSES_BY_STEP,
    "newest analyses": rollups.NEWEST_ANALYSES,
    "newest runs": rollups.NEWEST_RUNS,
    "census": rollups.CENSUS,
    "maybe paused": rollups.MAYBE_PAUSED,
    "first attempts": past_slots.FIRST_ATTEMPTS,
    "more attempts": past_slots.MORE_ATTEMPTS,
    "slots that did not run": past_slots.SKIPPED,
    "ranges over the end": past_slots.SPANNING,
    "jobs": job_catalog.LIST_LIVE.text,
    "page of jobs": job_catalog.PAGE_LIVE.text,
    "page of jobs in a status": job_catalog.PAGE_IN_STATUS.text,
    "page of incidents": incident_book.LIST.text,
    "page of open incidents": incident_book.LIST_OPEN.text,
    "open incidents of all": incident_book._OPEN.text,
    "one incident": incident_book._GET.text,
    "messages": outbox._LIST.text,
    "messages of a route": outbox._LIST_ROUTE.text,
    "messages of an incident": outbox._LIST_INCIDENT.text,
    "analyses": watches.LIST,
    "page of analyses": watches.LIST_AFTER,
    "count of analyses": watches._COUNT,
    "one analysis": watches._GET,
    "keys": issued_keys._LIST.text,
    "count of keys": issued_keys._COUNT.text,
    "members": member_book._LIST.text,
    "who signs in": member_book._FIND.text,
    "who is signed in": signed_in_store._GET.text,
    "sessions that have ended": signed_in_store._FORGET.text,
    "drafts": drafts._OF_ENDPOINT.text,
    "a keyed request": keyed_requests._FIND,
    **{
        f"audit by {' and '.join(filters) or 'tenant'}": audit_log._statement(frozenset(filters)).text
        for filters in AUDIT_FILTERS
    },
    "held by workers": worker_book.HELD,
    "leases of a tenant": fleet_view.LEASES_OF_TENANT,
}
PAGES = {
    "page of jobs": "jobs_by_tenant",
    "page of incidents": "incidents_by_tenant",
    "page of open incidents": "incidents_going_on",
    "messages": "alert_messages_by_tenant",
    "messages of a route": "alert_messages_by_route",
    "messages of an incident": "alert_messages_by_incident",
    "analyses": "analyses_by_endpoint",
    "page of analyses": "analyses_by_endpoint",
    "keys": "api_keys_by_tenant",
    "members": "members_by_tenant",
    "drafts": "policy_drafts_by_endpoint",
    "audit by tenant": "audit_log_by_tenant",
    "audit by before": "audit_log_by_tenant",
    "audit by actor_id": "audit_log_by_actor",
    "audit by actor_id and before": "audit_log_by_actor",
    "audit by action": "audit_log_by_action",
    "audit by action and before": "audit_log_by_action",
    "audit by object_id": "audit_log_by_object",
    "audit by before and object_id": "audit_log_by_object",
}
"""Pages, and the index in whose order each is read."""
_GIVEN = r"\(?subquery|CONSTANT|\d+ CONSTANT|of$|told VIRTUAL TABLE|(told|hour|busy)$"
"""Rows that come with the statement: `of` is what settlements are called in theirs, the rest was looked up before."""
_WHOLE_TABLE = re.compile(rf"SCAN (?!{_GIVEN})(?!\w+ USING (COVERING )?INDEX schedule_leased)")


@pytest.fixture
def connection(tmp_path):
    connection = SqliteFile(path=copy_to(tmp_path / "cronicorn.db")).connect()
    yield connection
    connection.close()


def _plan(connection: sqlite3.Connection, statement: str) -> list[str]:
    parameters = dict.fromkeys(re.findall(r":(\w+)", statement), 0) or [0] * statement.count("?")
    return [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)]


@pytest.mark.parametrize("name", STATEMENTS)
def test_no_table_is_read_from_end_to_end(connection, name):
    plan = _plan(connection, STATEMENTS[name])

    assert [step for step in plan if _WHOLE_TABLE.match(step)] == []


@pytest.mark.parametrize(
    ("name", "index"),
    [
        ("claim", "schedule_due"),
        ("claim", "schedule_leased"),
        ("look", "schedule_due"),
        ("next due", "schedule_due"),
        ("next few", "schedule_due"),
        ("overdue", "schedule_due"),
        ("page of endpoints", "endpoints_by_job"),
        ("page of runs", "runs_by_start"),
        ("runs of a span", "runs_by_start"),
        ("run ended before", "runs_by_start"),
        ("tally", "COVERING INDEX runs_by_start"),
        ("count of failed runs", "COVERING INDEX runs_by_start"),
        ("one run", "sqlite_autoindex_runs_1"),
        ("old runs", "COVERING INDEX runs_by_end"),
        ("skips", "skips_by_endpoint"),
        ("runs by job", "jobs_by_tenant"),
        ("analyses by step", "analyses_by_time"),
        ("newest analyses", "analyses_by_time"),
        ("newest runs", "runs_by_start"),
        ("first attempts", "runs_by_start"),
        ("more attempts", "sqlite_autoindex_runs_1"),
        ("slots that did not run", "skips_by_endpoint"),
        ("ranges over the end", "skips_by_endpoint"),
        *PAGES.items(),
    ],
)
def test_the_index_made_for_a_question_answers_it(connection, name, index):
    assert any(index in step for step in _plan(connection, STATEMENTS[name]))


@pytest.mark.parametrize(
    "name",
    [
        "claim",
        "look",
        "old runs",
        "old skips",
        "skips",
        "slots that did not run",
        "ranges over the end",
        "page of endpoints",
        *PAGES,
    ],
)
def test_what_has_a_limit_stops_there_without_sorting(connection, name):
    steps = [step for step in _plan(connection, STATEMENTS[name]) if "TEMP B-TREE" in step]

    assert len(steps) == (2 if name in {"claim", "look"} else 0)  # The few expired leases, and the few claimed at last.
