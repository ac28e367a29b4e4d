"""Secrets over the wire: set, listed by name, removed, and never told."""

from dataclasses import replace

import pytest

from cronicorn.domain.errors import InvalidInputError
from tests.api.door import a_door, assert_problem
from tests.control.world import ALICE

PATH = "/api/secrets"
TEXT = "tok-live-4711"


async def put(door, name="token", value=TEXT):
    return await door.client.put(f"{PATH}/{name}", json={"value": value})


async def test_a_secret_is_set_and_listed_by_name_alone():
    async with a_door() as door:
        first = await put(door)
        door.world.clock.move(hours=1)
        again = await put(door, value="another text")
        listed = await door.client.get(PATH)
        theirs = await door.stranger.get(PATH)

    assert (first.status_code, again.status_code) == (200, 200)
    assert listed.json() == {"secrets": [again.json()]}
    assert again.json() == {
        "name": "token", "createdAt": "2026-01-01T00:00:00.000Z", "updatedAt": "2026-01-01T01:00:00.000Z",
    }  # fmt: skip
    assert theirs.json() == {"secrets": []}
    assert TEXT not in first.text + again.text + listed.text
    assert first.headers["cache-control"] == "no-store"


async def test_a_secret_is_removed_by_its_tenant_alone():
    async with a_door() as door:
        await put(door)

        assert_problem(await door.stranger.delete(f"{PATH}/token"), 404)
        assert (await door.client.delete(f"{PATH}/token")).status_code == 204
        assert_problem(await door.client.delete(f"{PATH}/token"), 404)


@pytest.mark.parametrize(
    ("name", "document"),
    [
        ("1st", {"value": TEXT}),
        ("a.b", {"value": TEXT}),
        ("a" * 65, {"value": TEXT}),
        ("%7B%7B", {"value": TEXT}),
        ("token", {"value": "short"}),
        ("token", {"value": TEXT * 1_000}),
        ("token", {"value": f"{TEXT}\0"}),
        ("token", {"value": [TEXT]}),
        ("token", {"value": TEXT, "also": TEXT}),
        ("token", {"text": TEXT}),
        ("token", {}),
    ],
)
async def test_what_can_be_no_secret_is_refused_without_repeating_it(name, document):
    async with a_door() as door:
        answer = await door.client.put(f"{PATH}/{name}", json=document)

        assert_problem(answer, 400)
        assert (await door.read(PATH)) == {"secrets": []}
    assert TEXT not in answer.text


async def test_a_request_may_name_a_secret_that_is_there_and_no_other():
    async with a_door() as door:
        await put(door)
        await door.client.put(f"{PATH}/other-one", json={"value": TEXT})
        headers = {"Authorization": "Bearer {{secret.token}}"}
        endpoint = await door.endpoint(headersJson=headers, bodyJson={"deep": [{"{{secret.other-one}}": 1}]})
        path = f"/api/jobs/{endpoint['jobId']}/endpoints/{endpoint['id']}"
        refused = [
            await door.client.patch(path, json=patch)
            for patch in (
                {"headersJson": {"X-Key": "{{secret.tokens}}"}},
                {"bodyJson": ["{{ secret.nothing }}"]},
                {"url": "https://shop.example/?key={{secret.token}}"},
            )
        ]
        harmless = await door.client.patch(path, json={"headersJson": {"X": "{{secrets.a}} {secret.b}"}})
        stranger = await door.stranger.post("/api/jobs", json={"name": "shop"})
        theirs = await door.stranger.post(
            f"/api/jobs/{stranger.json()['id']}/endpoints",
            json={"name": "x", "url": "https://x.example", "baselineIntervalMs": 60_000, "headersJson": headers},
        )

    assert endpoint["headersJson"] == headers
    pointers = [assert_problem(answer, 400)["errors"][0]["pointer"] for answer in refused]
    assert pointers == ["/headersJson/X-Key", "/bodyJson", "/url"]
    assert harmless.status_code == 200, harmless.text
    assert assert_problem(theirs, 400)["errors"][0]["pointer"] == "/headersJson/Authorization"


async def test_a_file_may_name_a_secret_that_is_there_and_no_other():
    endpoint = {
        "name": "stock", "url": "https://shop.example", "dormant": True, "headersJson": {"X-Key": "{{secret.token}}"},
    }  # fmt: skip
    async with a_door() as door:
        asker = replace(ALICE, tenant_id=(await door.world.stores.keys.tenants())[0].id)
        file = {"jobs": [{"name": "shop", "endpoints": [endpoint]}]}

        with pytest.raises(InvalidInputError) as refused:
            await door.world.control.files.apply(asker, file)
        await put(door)
        applied = await door.world.control.files.apply(asker, file)

    assert [fault.pointer for fault in refused.value.fields] == ["/jobs/0/endpoints/0/headersJson/X-Key"]
    assert len(applied.differences) == 2
