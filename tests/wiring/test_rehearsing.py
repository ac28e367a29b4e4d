"""What is only checked leaves no trace in a database, whichever it is."""

import sqlite3
from contextlib import closing
from typing import Any

import asyncpg
import httpx
import pytest

from cronicorn.wiring.engine import engine
from cronicorn.wiring.rest import rest_app
from cronicorn.wiring.settings import Settings
from tests.api.door import a_client

KEY = "a-key-for-tests-only"
ONLY = {"validate_only": "true"}


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    return f"sqlite:///{tmp_path}/store.db" if request.param == "sqlite" else request.getfixturevalue("postgres_url")


async def everything(url: str) -> dict[str, list[Any]]:
    """All rows of all tables."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as file:
            tables = [name for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            return {table: file.execute(f"SELECT * FROM {table}").fetchall() for table in tables}
    connection = await asyncpg.connect(url)
    names = await connection.fetch(
        "SELECT relname FROM pg_class WHERE relnamespace = 'cronicorn'::regnamespace AND relkind IN ('r', 'p')"
    )
    found = {name: await connection.fetch(f"SELECT * FROM cronicorn.{name}") for (name,) in names}
    await connection.close()
    return found


async def test_nothing_stays_in_a_database(url, tmp_path):
    given = {"CRONICORN_DATABASE_URL": url, "CRONICORN_API_KEY": KEY, "HOME": str(tmp_path)}
    async with engine(Settings.from_env(given), scheduling=False, compiling=False) as parts:
        await parts.control.tenants.bootstrap(KEY)
        async with a_client(httpx.ASGITransport(app=rest_app(parts)), KEY) as client:
            job = (await client.post("/api/jobs", json={"name": "shop"})).json()
            path = f"/api/jobs/{job['id']}"
            fields = {"name": "stock", "url": "https://shop.example", "baselineIntervalMs": 60_000}
            endpoint = (await client.post(f"{path}/endpoints", json=fields)).json()
            by_id = f"/api/endpoints/{endpoint['id']}"
            before = await everything(url)

            asked: list[tuple[str, str, Any]] = [
                ("POST", "/api/jobs", {"name": "another"}),
                ("PATCH", path, {"name": "renamed"}),
                ("POST", f"{path}/pause", None),
                ("POST", f"{path}/endpoints", {**fields, "name": "second"}),
                ("PATCH", f"{path}/endpoints/{endpoint['id']}", {"baselineIntervalMs": 5_000}),
                ("DELETE", f"{path}/endpoints/{endpoint['id']}", None),
                ("PUT", f"{by_id}/policy", {"policy": {"version": 1, "rules": []}}),
                ("POST", f"{by_id}/hints/interval", {"intervalMs": 5_000}),
                ("POST", f"{by_id}/run", None),
                ("PUT", "/api/secrets/token", {"value": "a long secret"}),
                ("POST", "/api/signing-keys", None),
                ("POST", "/api/keys", {"name": "ci", "role": "viewer"}),
                ("POST", "/api/members", {"login": "ann", "role": "viewer"}),
                ("PUT", "/api/alert-rules", {"failures": 5}),
                ("POST", "/api/alert-routes", {"name": "h", "channel": "webhook", "target": "https://example.com"}),
                ("POST", "/api/maintenance-windows", {"name": "n", "cron": "0 3 * * *", "durationMs": 60_000}),
                ("POST", "/api/tenants", {"name": "rival"}),
            ]
            answers = {
                f"{time} {method} {where}": await client.request(
                    method, where, params=ONLY, json=body, headers={"If-Match": "*"}
                )
                for time in range(2)  # What was checked once can be checked again.
                for method, where, body in asked
            }

            after = await everything(url)
            really = await client.patch(path, json={"name": "renamed"})

    assert {route: answer.text for route, answer in answers.items() if answer.status_code not in {200, 204}} == {}
    assert answers["1 PUT /api/secrets/token"].json()["name"] == "token"
    assert {table for table in before if before[table] != after[table]} == set()
    assert not list(tmp_path.rglob("*.key"))
    assert really.json()["name"] == "renamed"
