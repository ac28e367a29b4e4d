"""Endpoints over the wire: what goes in comes out, and what follows is answered at once."""

import pytest

from tests.api.door import a_door, assert_problem

FULL = {
    "name": "stock", "description": "Reads", "baselineCron": "0 9 * * 1-5", "timezone": "Europe/Berlin",
    "dstGap": "skip", "dstOverlap": "second", "windowMs": 30_000, "minIntervalMs": 5_000, "maxIntervalMs": 864_000_000,
    "catchUp": {"mode": "all", "windowMs": 60_000, "maxRuns": 3}, "overlap": "buffer_one",
    "retries": {"retryCount": 2, "minBackoffMs": 1_000, "maxBackoffMs": 9_000, "maxDoublings": 3},
    "successStatuses": ["200-299", "404"], "url": "https://shop.example/stock?x=1", "method": "PUT",
    "headersJson": {"X-Region": "eu"}, "bodyJson": {"a": [None, {"b": None}]}, "timeoutMs": 4_000,
    "maxExecutionTimeMs": 8_000, "maxResponseSizeKb": 7, "redirectsMax": 2,
}  # fmt: skip


async def test_what_goes_in_comes_out() -> None:
    async with a_door() as door:
        endpoint = await door.endpoint(**FULL)
        read = await door.read(f"/api/endpoints/{endpoint['id']}")

    assert {name: endpoint[name] for name in FULL} == FULL
    assert read == endpoint


async def test_what_comes_out_can_be_sent_back() -> None:
    async with a_door() as door:
        endpoint = await door.endpoint(**FULL | {"headersJson": {"Authorization": "Bearer abc"}})
        path = f"/api/jobs/{endpoint['jobId']}/endpoints/{endpoint['id']}"

        answer = await door.client.patch(path, json={name: endpoint[name] for name in FULL})

        stored = await door.world.stores.endpoints.get(door.world.stores.endpoints._database.rows[
            endpoint["id"]].endpoint.tenant_id, endpoint["id"])  # fmt: skip
    assert answer.json() == endpoint
    assert endpoint["headersJson"] == {"Authorization": "********"}
    assert stored[0].request.headers == (("Authorization", "Bearer abc"),)


async def test_a_warning_comes_back_with_the_answer() -> None:
    async with a_door() as door:
        endpoint = await door.endpoint(baselineCron="0 * * * *", maxIntervalMs=60_000)

    assert [warning["pointer"] for warning in endpoint["warnings"]] == ["/maxIntervalMs"]


async def test_running_now_is_accepted_with_the_id_of_the_run() -> None:
    async with a_door() as door:
        endpoint = await door.endpoint()

        asked = await door.client.post(f"/api/endpoints/{endpoint['id']}/run")
        pending = await door.read(f"/api/runs/{asked.json()['runId']}")
        lease = await door.world.claim()
        running = await door.read(f"/api/endpoints/{endpoint['id']}")
        stopped = await door.client.post(f"/api/runs/{asked.json()['runId']}/cancel")
        await door.world.finish(lease)
        ended = await door.client.post(f"/api/runs/{asked.json()['runId']}/cancel")

    assert (asked.status_code, asked.json()["status"], pending["status"]) == (202, "pending", "pending")
    assert running["running"]
    assert running["runningRunId"].startswith(f"{endpoint['id']}:")
    assert running["nextRunAt"] == endpoint["nextRunAt"]
    assert (stopped.status_code, stopped.json()["status"]) == (202, "running")
    assert_problem(ended, 409)


async def test_an_archived_endpoint_is_listed_but_not_run() -> None:
    async with a_door() as door:
        endpoint = await door.endpoint()
        path = f"/api/jobs/{endpoint['jobId']}/endpoints"

        archived = (await door.client.post(f"{path}/{endpoint['id']}/archive")).json()
        listed = (await door.read(path))["endpoints"]
        test = await door.client.post(f"/api/endpoints/{endpoint['id']}/test")
        run = await door.client.post(f"/api/endpoints/{endpoint['id']}/run")
        back = (await door.client.post(f"{path}/{endpoint['id']}/unarchive")).json()

    assert archived["plan"]["source"] == "suspended"
    assert [each["id"] for each in listed] == [endpoint["id"]]
    assert_problem(test, 400)
    assert_problem(run, 409)
    assert (back["nextRunAt"], "archivedAt" in back) == (endpoint["nextRunAt"], False)


async def test_a_run_explains_itself() -> None:
    async with a_door() as door:
        await door.endpoint()
        door.world.clock.move(minutes=1)
        run = await door.world.run_due()

        read = await door.read(f"/api/runs/{run.id}")

    assert [step["step"] for step in read["steps"]] == ["baseline-interval"]
    assert (read["dueAt"], read["nominalAt"]) == ("2026-01-01T00:01:00.000Z",) * 2


@pytest.mark.parametrize(
    ("instant", "shown"),
    [
        ("2026-06-01T12:00:00+02:00", "2026-06-01T10:00:00.000Z"),
        ("2026-06-01t12:00:00.123456789z", "2026-06-01T12:00:00.123Z"),
        ("2026-06-01 12:00:00Z", "2026-06-01T12:00:00.000Z"),
    ],
)
async def test_an_instant_may_have_any_offset(instant: str, shown: str) -> None:
    async with a_door() as door:
        endpoint = await door.endpoint(onceAt=instant)

    assert endpoint["onceAt"] == endpoint["nextRunAt"] == shown


async def test_a_name_may_repeat_in_a_job_with_a_warning() -> None:
    async with a_door() as door:
        first = await door.endpoint()
        path = f"/api/jobs/{first['jobId']}/endpoints"
        second = await door.made(path, {"name": "stock", "url": "https://shop.example/b", "dormant": True})
        read = await door.read(f"/api/endpoints/{first['id']}")

    assert first["warnings"] == []
    assert [[warning["pointer"] for warning in each["warnings"]] for each in (second, read)] == [["/name"], ["/name"]]


async def test_a_run_that_never_was_is_not_found_by_cancelling_either() -> None:
    async with a_door() as door:
        endpoint = await door.endpoint()
        path = f"/api/runs/{endpoint['id']}:7:1"
        read, cancelled = await door.client.get(path), await door.client.post(f"{path}/cancel")

    assert_problem(read, 404)
    assert_problem(cancelled, 404)


async def test_endpoints_are_read_page_by_page() -> None:
    async with a_door() as door:
        job = await door.job()
        path = f"/api/jobs/{job['id']}/endpoints"
        fields = {"url": "https://shop.example", "dormant": True}
        ids = [(await door.made(path, {"name": f"e{number}", **fields}))["id"] for number in range(5)]

        first = await door.read(f"{path}?limit=2")
        second = await door.read(f"{path}?limit=2&cursor={first['nextCursor']}")
        rest = await door.read(f"{path}?cursor={second['nextCursor']}")
        odd = [await door.client.get(f"{path}?cursor={cursor}") for cursor in ("x", "", "W10", "bm90aGluZw")]
        stranger = await door.stranger.get(f"{path}?cursor={first['nextCursor']}")

    pages = [[each["id"] for each in page["endpoints"]] for page in (first, second, rest)]
    assert pages == [ids[:2], ids[2:4], ids[4:]]
    assert "nextCursor" not in rest
    assert [assert_problem(answer, 400)["detail"].split(":")[0] for answer in odd] == ["The query parameter cursor"] * 4
    assert_problem(stranger, 400)
