"""Drafts over REST: making, reading, activating and rejecting them."""

import httpx

from tests.api.door import a_client, a_door, an_app, assert_problem
from tests.api.test_isolation import BODIES
from tests.control.world import LOCAL, a_world

POLICY = {
    "version": 1,
    "fields": {"err": {"path": "$.err", "type": "number"}},
    "rules": [{"id": "surge", "when": "err > 5", "until": "err < 2", "action": {"interval": "30s"}}],
}


async def test_a_draft_is_made_shown_and_activated():
    async with a_door() as door:
        endpoint = await door.endpoint(description="Look closer while errors are high.")
        drafts = f"/api/endpoints/{endpoint['id']}/policy/drafts"

        made = (await door.client.post(drafts)).json()
        listed = await door.read(drafts)
        shown = await door.read(f"{drafts}/{made['id']}")
        activated = (await door.client.post(f"{drafts}/{made['id']}/activate")).json()

        assert (made["status"], made["reason"], made["policy"]) == ("draft", "asked", POLICY)
        assert made == shown
        assert [each["id"] for each in listed["drafts"]] == [made["id"]]
        assert "policy" not in listed["drafts"][0]
        assert made["inWords"][0] == "rule surge"
        assert [(each["step"], each["what"], each["name"]) for each in made["differences"]] == [
            ("added", "field", "err"),
            ("added", "rule", "surge"),
        ]
        assert (activated["status"], activated["differences"]) == ("active", [])
        after = await door.read(f"/api/endpoints/{endpoint['id']}")
        assert after["policy"] == POLICY
        assert after["version"] == endpoint["version"] + 1


async def test_a_policy_is_proposed_judged_and_only_then_kept_and_the_audit_log_tells_by_whom():
    async with a_door() as door:
        endpoint = await door.endpoint(minIntervalMs=10_000)
        path = f"/api/endpoints/{endpoint['id']}/policy"
        body = BODIES["POST /api/endpoints/{id}/policy/proposals"]
        endless = {**body["policy"], "rules": [{**body["policy"]["rules"][0], "until": "err > 4"}]}

        tried = await door.client.post(f"{path}/proposals?validate_only=true", json=body)
        none = await door.read(f"{path}/drafts")
        refused = await door.client.post(f"{path}/proposals", json={"policy": endless})
        made, again = [await door.client.post(f"{path}/proposals", json=body) for _ in range(2)]
        activated = await door.client.post(f"{path}/drafts/{made.json()['id']}/activate")
        same = await door.client.post(f"{path}/proposals", json=body)
        entries = (await door.read("/api/audit"))["entries"]

    assert (tried.status_code, tried.json()["status"], none["drafts"]) == (200, "draft", [])
    assert [each["pointer"] for each in assert_problem(refused, 400)["errors"]] == ["/policy/rules/0/until"]
    assert (made.json()["status"], made.json()["reason"], made.json()["tokens"]) == ("draft", "proposed", 0)
    assert again.json() == made.json()
    assert activated.json()["status"] == "active"
    assert_problem(same, 409)
    decided, proposed, *_ = entries
    assert [each["action"] for each in (proposed, decided)] == ["draft.propose", "draft.activate"]
    assert {each["objectId"] for each in (proposed, decided)} == {made.json()["id"]}
    assert proposed["after"]["endpoint_id"] == endpoint["id"]
    assert '"surge"' in proposed["after"]["policy"]


async def test_a_draft_is_refused_once_the_policy_has_changed():
    async with a_door() as door:
        endpoint = await door.endpoint(description="Look closer while errors are high.")
        path = f"/api/jobs/{endpoint['jobId']}/endpoints/{endpoint['id']}"
        drafts = f"/api/endpoints/{endpoint['id']}/policy/drafts"
        made = (await door.client.post(drafts)).json()
        await door.client.patch(path, json={"policy": {"version": 1, "rules": []}})

        refused = await door.client.post(f"{drafts}/{made['id']}/activate")

        assert "policy has changed" in assert_problem(refused, 409)["detail"]


async def test_a_draft_is_refused_once_the_description_has_changed():
    async with a_door() as door:
        endpoint = await door.endpoint(description="Look closer while errors are high.")
        path = f"/api/jobs/{endpoint['jobId']}/endpoints/{endpoint['id']}"
        drafts = f"/api/endpoints/{endpoint['id']}/policy/drafts"
        made = (await door.client.post(drafts)).json()
        await door.client.patch(path, json={"description": "Never mind."})

        refused = await door.client.post(f"{drafts}/{made['id']}/activate")

        assert "description has changed" in assert_problem(refused, 409)["detail"]


async def test_what_was_decided_stays_decided():
    async with a_door() as door:
        endpoint = await door.endpoint(description="Look closer while errors are high.")
        drafts = f"/api/endpoints/{endpoint['id']}/policy/drafts"
        made = (await door.client.post(drafts)).json()

        rejected = (await door.client.post(f"{drafts}/{made['id']}/reject")).json()
        again = (await door.client.post(f"{drafts}/{made['id']}/reject")).json()
        refused = await door.client.post(f"{drafts}/{made['id']}/activate")

        assert rejected["status"] == "rejected"
        assert again == rejected
        assert_problem(refused, 409)


async def test_without_a_model_it_is_said_how_to_connect_one():
    world = a_world(drafting=False)
    key = (await world.control.tenants.add(LOCAL, "acme")).key
    async with a_client(httpx.ASGITransport(app=an_app(world)), key) as client:
        job = (await client.post("/api/jobs", json={"name": "shop"})).json()
        document = {"name": "stock", "url": "https://shop.example/stock", "baselineIntervalMs": 60_000}
        endpoint = (await client.post(f"/api/jobs/{job['id']}/endpoints", json=document)).json()

        refused = await client.post(f"/api/endpoints/{endpoint['id']}/policy/drafts")
        missing = await client.post("/api/endpoints/ep_none/policy/drafts")

    assert refused.status_code == 503
    assert "CRONICORN_AI_MODEL" in refused.json()["detail"]
    assert missing.status_code == 404


async def test_the_compile_mode_is_a_field_of_the_endpoint():
    async with a_door() as door:
        endpoint = await door.endpoint()
        path = f"/api/jobs/{endpoint['jobId']}/endpoints/{endpoint['id']}"

        changed = (await door.client.patch(path, json={"compile": "auto"})).json()
        cleared = (await door.client.patch(path, json={"compile": None})).json()
        refused = await door.client.patch(path, json={"compile": "always"})

        assert endpoint["compile"] == "review"
        assert (changed["compile"], cleared["compile"]) == ("auto", "review")
        assert_problem(refused, 400)
