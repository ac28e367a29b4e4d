"""Signing keys over the wire: shown once, sealed from then on, each tenant's own."""

import pytest

from cronicorn.domain.keychain.signing import SigningSecret
from tests.api.contract import faults
from tests.api.door import Door, a_door, assert_problem

PATH = "/api/signing-keys"
NOBODY: dict[str, object] = {"hasKey": False, "keyPrefix": None, "createdAt": None, "rotatedAt": None, "olderKeys": []}


async def made(door: Door, path: str = PATH, **document: object) -> dict[str, str]:
    answer = await door.client.post(path, json=document or None)
    assert answer.is_success, answer.text
    found: dict[str, str] = answer.json()
    return found


async def test_a_key_is_shown_once_and_known_by_its_beginning():
    async with a_door() as door:
        assert await door.read(PATH) == NOBODY

        created = await made(door)
        shown = await door.read(PATH)

    assert len(SigningSecret.of(created["rawKey"].encode()).key) == 32
    assert created["rawKey"].startswith(created["keyPrefix"])
    assert len(created["keyPrefix"]) == 12
    assert shown == NOBODY | {
        "hasKey": True, "keyPrefix": created["keyPrefix"], "createdAt": "2026-01-01T00:00:00.000Z",
    }  # fmt: skip


async def test_the_store_holds_no_key_that_could_be_read():
    async with a_door() as door:
        raw = (await made(door))["rawKey"]

        kept = door.world.stores.database.keychains

    assert raw[12:] not in str([key.sealed for keychain in kept.values() for key in keychain.signing])
    assert "sealed" not in repr(kept)


async def test_a_rotated_key_overlaps_for_a_day_or_as_long_as_is_said():
    async with a_door() as door:
        first = await made(door)
        door.world.clock.move(hours=1)
        second = await made(door, f"{PATH}/rotate")
        third = await made(door, f"{PATH}/rotate", overlapMs=60_000)
        shown = await door.read(PATH)
        door.world.clock.move(minutes=2)
        later = await door.read(PATH)

    assert len({first["rawKey"], second["rawKey"], third["rawKey"]}) == 3
    assert (shown["keyPrefix"], shown["createdAt"], shown["rotatedAt"]) == (
        third["keyPrefix"], "2026-01-01T00:00:00.000Z", "2026-01-01T01:00:00.000Z",
    )  # fmt: skip
    assert [{name: each[name] for name in ("keyPrefix", "until")} for each in shown["olderKeys"]] == [
        {"keyPrefix": second["keyPrefix"], "until": "2026-01-01T01:01:00.000Z"},
        {"keyPrefix": first["keyPrefix"], "until": "2026-01-02T01:00:00.000Z"},
    ]
    assert [each["createdAt"] for each in shown["olderKeys"]] == ["2026-01-01T00:00:00.000Z"] * 2
    assert later["olderKeys"] == shown["olderKeys"][1:]


async def test_an_overlap_can_be_ended_at_once_and_signing_too():
    async with a_door() as door:
        await made(door)
        await made(door, f"{PATH}/rotate")
        ended = await door.client.post(f"{PATH}/end-overlap")
        shown = await door.read(PATH)
        removed = await door.client.delete(PATH)
        gone = await door.read(PATH)

    assert (ended.status_code, removed.status_code) == (204, 204)
    assert shown["hasKey"]
    assert shown["olderKeys"] == []
    assert gone == NOBODY


async def test_without_an_overlap_older_keys_end_at_once():
    async with a_door() as door:
        await made(door)
        await made(door, f"{PATH}/rotate", overlapMs=0)

        assert (await door.read(PATH))["olderKeys"] == []


async def test_refusals_are_those_of_the_contract():
    async with a_door() as door:
        none = await door.client.post(f"{PATH}/rotate")
        await made(door)
        twice = await door.client.post(PATH)

    assert_problem(none, 404)
    assert_problem(twice, 409)
    assert faults("POST /api/signing-keys/rotate", 404, none.json()) == []
    assert faults("POST /api/signing-keys", 409, twice.json()) == []


@pytest.mark.parametrize("path", [f"{PATH}/end-overlap"])
async def test_what_needs_a_key_is_not_found_without_one(path):
    async with a_door() as door:
        assert_problem(await door.client.post(path), 404)
        assert_problem(await door.client.delete(PATH), 404)


@pytest.mark.parametrize(
    "document",
    [
        {"overlapMs": -1},
        {"overlapMs": 30 * 86_400_000 + 1},
        {"overlapMs": "1h"},
        {"overlapMs": 1.5},
        {"overlap": 1},
        [],
    ],
)
async def test_an_overlap_that_can_not_be_is_refused_and_changes_nothing(document):
    async with a_door() as door:
        key = await made(door)

        problem = assert_problem(await door.client.post(f"{PATH}/rotate", json=document), 400)

        assert (await door.read(PATH))["keyPrefix"] == key["keyPrefix"]
    assert problem["errors"][0]["detail"]


async def test_each_tenant_has_its_own():
    async with a_door() as door:
        await made(door)

        theirs = await door.stranger.get(PATH)

        assert theirs.json() == NOBODY
        assert (await door.stranger.post(f"{PATH}/rotate")).status_code == 404
        assert (await door.stranger.delete(PATH)).status_code == 404
        assert (await door.read(PATH))["hasKey"]
