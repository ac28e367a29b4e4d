"""The audit log over REST: whatever changes something leaves an entry, and none tells a secret."""

import pytest

from tests.api.door import a_door, assert_problem
from tests.api.test_isolation import ANY, BODIES, ROUTES, method_of, path_of

LEAVES_NO_ENTRY = {
    "POST /api/preview": "changes nothing",
    "POST /api/simulate": "changes nothing",
    "POST /api/files/diff": "changes nothing",
    "POST /api/endpoints/{id}/backtest": "changes nothing",
    "POST /api/endpoints/{id}/test": "the call itself is recorded as a run",
    "POST /api/endpoints/{id}/analyze": "the analysis is recorded with who asked",
    "DELETE /api/endpoints/{id}/hints": "there is no hint to take away",
    "POST /api/endpoints/{id}/pause": "there is no pause to lift",
    "POST /api/endpoints/{id}/reset-failures": "there is no failure to forgive",
    "POST /api/endpoints/{id}/run": "the run that was asked for before is the same one",
    "POST /api/jobs/{id}/resume": "the job is active",
    "POST /api/jobs/{id}/unarchive": "the job is active",
    "POST /api/jobs/{jobId}/endpoints/{id}/unarchive": "the endpoint is not archived",
    "POST /api/sign-in": "nobody with this login",
    "POST /api/sign-out": "a key has no session",
    "POST /api/me/password": "a key has no password",
    "DELETE /api/me/sessions": "a key has no session",
    "DELETE /api/endpoints/{id}/policy": "there is no policy to take away",
    "POST /api/signing-keys/end-overlap": "there is no overlap to end",
    "POST /api/alert-routes/{id}/test": "the message itself is kept",
    "POST /api/incidents/{id}/acknowledge": "the incident says who acknowledged it",
    "POST /api/tenants": "only for who runs the installation",
    "PUT /api/tenants/{id}/egress": "only for who runs the installation",
    "PUT /api/tenants/{id}/retention": "only for who runs the installation",
    "PUT /api/tenants/{id}/terms": "only for who runs the installation",
}
CHANGING = [route for route in ROUTES if not route.startswith("GET") and route not in LEAVES_NO_ENTRY]


def test_the_list_of_exceptions_names_routes() -> None:
    assert set(LEAVES_NO_ENTRY) <= set(ROUTES)


@pytest.mark.parametrize("route", CHANGING)
async def test_whatever_changes_something_says_who_did_it(route: str) -> None:
    async with a_door() as door:
        path = await path_of(door, route)
        if "/signing-keys" in path and route != "POST /api/signing-keys":
            await door.made("/api/signing-keys", {})
        before = (await door.read("/api/audit"))["entries"]

        answer = await door.client.request(method_of(route), path, json=BODIES.get(route), headers=ANY)
        entries = (await door.read("/api/audit"))["entries"]
        strangers = await door.stranger.get("/api/audit")

    assert answer.is_success, answer.text
    added = entries[: len(entries) - len(before)]
    assert [entry["requestId"] for entry in added] == [answer.headers["x-request-id"]]
    assert (added[0]["actorKind"], added[0]["actor"]) == ("key", "an API key")
    assert added[0]["actorId"].startswith("key_")
    assert [entry["action"] for entry in strangers.json()["entries"]] == ["tenant.add"]


async def test_no_entry_tells_where_a_route_leads() -> None:
    async with a_door() as door:
        await door.made("/api/alert-routes", BODIES["POST /api/alert-routes"])
        answer = await door.client.get("/api/audit")

    assert [entry["action"] for entry in answer.json()["entries"]] == ["alert_route.create", "tenant.add"]
    assert "example.com" not in answer.text


async def test_pages_follow_one_another() -> None:
    async with a_door() as door:
        for number in range(5):
            await door.job(name=f"job{number}")
        first = await door.read("/api/audit?action=job.create&limit=2")
        second = await door.read(f"/api/audit?action=job.create&limit=2&cursor={first['nextCursor']}")
        third = await door.read(f"/api/audit?action=job.create&limit=2&cursor={second['nextCursor']}")

    names = [entry["after"]["name"] for page in (first, second, third) for entry in page["entries"]]
    assert names == ["job4", "job3", "job2", "job1", "job0"]
    assert "nextCursor" not in third


@pytest.mark.parametrize("text", ["", "%00", "a%0Ab", "x" * 256])
async def test_a_filter_that_nothing_can_have_is_refused(text: str) -> None:
    async with a_door() as door:
        assert_problem(await door.client.get(f"/api/audit?objectId={text}"), 400)


async def test_filters_confine_what_is_answered() -> None:
    async with a_door() as door:
        job = await door.job()
        await door.client.post(f"/api/jobs/{job['id']}/pause")
        actor = (await door.read("/api/audit"))["entries"][0]["actorId"]
        counts = [
            len((await door.read(f"/api/audit?{query}"))["entries"])
            for query in (f"objectId={job['id']}", "action=job.move", f"actorId={actor}", "objectId=nothing")
        ]

    assert counts == [2, 1, 2, 0]


async def test_the_secrets_of_a_request_are_told_to_nobody() -> None:
    async with a_door() as door:
        endpoint = await door.endpoint(headersJson={"Authorization": "hunter2"}, bodyJson={"password": "hunter2"})
        path = f"/api/jobs/{endpoint['jobId']}/endpoints/{endpoint['id']}"
        await door.client.patch(path, json={"headersJson": {"Authorization": "swordfish"}})
        log = await door.client.get("/api/audit")

    assert "hunter2" not in log.text
    assert "swordfish" not in log.text
    assert list(log.json()["entries"][0]["after"]) == ["request"]
