"""Files over the wire: compared, applied, exported."""

from typing import Any

from tests.api.door import Door, a_door, assert_problem

FILE = {
    "set": "store",
    "jobs": [
        {
            "name": "shop",
            "endpoints": [
                {"name": "stock", "url": "https://shop.example/stock", "onceAt": "2027-01-01T00:00:00Z"},
                {"name": "prices", "url": "https://shop.example/prices", "baselineIntervalMs": 60_000},
            ],
        }
    ],
}


async def posted(door: Door, path: str, document: object, status: int = 200, **query: Any) -> Any:
    answer = await door.client.post(f"/api/files/{path}", json=document, params=query)
    assert answer.status_code == status, answer.text
    return answer.json()


def deeds(answer: Any) -> list[str]:
    return [each["deed"] for each in answer["differences"]]


async def test_a_file_is_compared_applied_pruned_and_exported_as_it_can_be_applied_again() -> None:
    async with a_door() as door:
        shown = await posted(door, "diff", FILE)
        tried = await posted(door, "apply", FILE, validate_only="true")
        none = await door.read("/api/jobs")
        done = await posted(door, "apply", FILE)
        exported = await door.read("/api/files/export")
        again = await posted(door, "diff", exported)
        empty = await posted(door, "diff", {"set": "store", "jobs": []})
        pruned = await posted(door, "apply", {"set": "store", "jobs": []}, prune="true")

    assert shown == tried == done
    assert deeds(done) == ["created"] * 3
    assert none["jobs"] == []
    assert exported["jobs"][0]["endpoints"][0]["onceAt"] == "2027-01-01T00:00:00.000Z"
    assert deeds(again) == ["unchanged"] * 3
    assert (empty["differences"], empty["unlisted"]) == ([], ["shop/prices", "shop/stock", "job shop"])
    assert deeds(pruned) == ["archived"] * 3


async def test_conflicts_are_shown_refused_and_overwritten_with_force() -> None:
    async with a_door() as door:
        await posted(door, "apply", FILE)
        listed = await door.read("/api/jobs")
        endpoints = await door.read(f"/api/jobs/{listed['jobs'][0]['id']}/endpoints")
        (prices,) = [each for each in endpoints["endpoints"] if each["name"] == "prices"]
        path = f"/api/jobs/{prices['jobId']}/endpoints/{prices['id']}"
        before = await door.read(path)
        edited = (await door.client.patch(path, json={"baselineIntervalMs": 90_000, "timeoutMs": 5_000})).json()
        by_id = await door.read(f"/api/endpoints/{prices['id']}")
        job = (await door.client.patch(f"/api/jobs/{prices['jobId']}", json={"description": "mine"})).json()

        shown = await posted(door, "diff", FILE)
        refused = await door.client.post("/api/files/apply", json=FILE)
        forced = await posted(door, "apply", FILE, force="true")

    assert shown["differences"][2]["conflicts"] == ["baseline was edited elsewhere since this set was applied"]
    assert shown["differences"][2]["changes"] == [{"field": "baselineIntervalMs", "before": 90_000, "after": 60_000}]
    assert_problem(refused, 409)
    assert deeds(forced) == ["unchanged", "unchanged", "updated"]
    said = {"name": "store", "made": True, "fields": ["baseline", "name", "url"]}
    assert before["fileSets"] == [said | {"edited": []}]
    assert edited["fileSets"] == by_id["fileSets"] == [said | {"edited": ["baseline"]}]
    assert before["warnings"] == []
    assert [each["pointer"] for each in edited["warnings"]] == ["/baseline"]
    assert "its next apply is refused" in edited["warnings"][0]["detail"]
    assert "fileSets" not in prices
    assert job["fileSets"] == [{"name": "store", "made": True, "fields": ["name"], "edited": []}]
    assert "fileSets" not in listed["jobs"][0]


async def test_what_is_wrong_is_placed_in_the_file() -> None:
    wrong = {"jobs": [{"name": "shop", "endpoints": [{"name": "a", "url": "https://a.example", "every": 1}]}]}
    async with a_door() as door:
        answers = [
            await door.client.post("/api/files/apply", json=wrong),
            await door.client.post("/api/files/apply?prune=true", json={"jobs": []}),
        ]

    assert [[error["pointer"] for error in answer.json()["errors"]] for answer in answers] == [
        ["/jobs/0/endpoints/0/every"], ["/set"],
    ]  # fmt: skip


async def test_sets_of_one_tenant_are_not_seen_by_another() -> None:
    async with a_door() as door:
        await posted(door, "apply", FILE)

        theirs = await door.stranger.post("/api/files/diff?prune=true", json={"set": "store", "jobs": []})
        exported = await door.stranger.get("/api/files/export")

    assert (theirs.json()["differences"], exported.json()) == ([], {"jobs": []})
