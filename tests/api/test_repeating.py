"""A POST with an Idempotency-Key is carried out once, however often it comes."""

import asyncio
from typing import Any

import httpx
import pytest

from cronicorn.domain.errors import UnavailableError
from cronicorn.domain.repeating.keyed import KEPT, PATIENCE, KeyedRequest
from tests.api.door import Door, a_door, assert_problem

KEY = {"Idempotency-Key": '"order-4711"'}


async def posted(door: Door, body: Any, path: str = "/api/jobs", **headers: str) -> httpx.Response:
    return await door.client.post(path, json=body, headers=KEY | headers)


async def jobs_of(door: Door) -> list[str]:
    return [job["name"] for job in (await door.read("/api/jobs"))["jobs"]]


async def test_the_same_request_is_answered_alike_and_carried_out_once() -> None:
    async with a_door() as door:
        first = await posted(door, {"name": "shop"})
        door.world.clock.move(minutes=5)
        again = await posted(door, {"name": "shop"})
        bare = await posted(door, {"name": "shop"}, **{"Idempotency-Key": "order-4711"})

        assert (first.status_code, again.status_code, bare.status_code) == (201, 201, 201)
        assert first.json() == again.json() == bare.json()
        assert again.headers["etag"] == first.headers["etag"]
        assert again.headers["idempotency-replayed"] == "true"
        assert "idempotency-replayed" not in first.headers
        assert await jobs_of(door) == ["shop"]


async def test_an_answer_without_a_body_is_answered_again() -> None:
    async with a_door() as door:
        endpoint = await door.endpoint()
        path = f"/api/endpoints/{endpoint['id']}/hints/interval"

        answers = [await posted(door, {"intervalMs": 5_000}, path) for _ in range(2)]

    assert [(answer.status_code, answer.content) for answer in answers] == [(204, b"")] * 2


async def test_another_request_with_the_same_key_is_refused() -> None:
    async with a_door() as door:
        job = (await posted(door, {"name": "shop"})).json()
        other_body = await posted(door, {"name": "another"})
        other_path = await posted(door, None, f"/api/jobs/{job['id']}/pause")
        stranger = await door.stranger.post("/api/jobs", json={"name": "shop"}, headers=KEY)

        assert assert_problem(other_body, 422)["type"] == "/problems/idempotency_key_reused"
        assert_problem(other_path, 422)
        assert stranger.status_code == 201
        assert stranger.json()["id"] != job["id"]
        assert await jobs_of(door) == ["shop"]


async def test_a_request_that_is_refused_may_be_mended_and_sent_again() -> None:
    async with a_door() as door:
        refused = await posted(door, {"name": ""})
        mended = await posted(door, {"name": "shop"})

    assert_problem(refused, 400)
    assert mended.status_code == 201


async def test_of_many_at_once_one_is_carried_out() -> None:
    async with a_door() as door:
        answers = await asyncio.gather(*(posted(door, {"name": "shop"}) for _ in range(8)))

        assert {answer.status_code for answer in answers} <= {201, 409}
        assert await jobs_of(door) == ["shop"]


async def begun(door: Door) -> None:
    """Begin a request as a process does that dies before it has an answer."""
    fingerprints: list[str] = []
    requests = door.world.stores.keyed_requests
    first = await posted(door, {"name": "shop"})
    assert first.status_code == 201
    for kept in requests._kept.values():
        fingerprints.append(kept.request.fingerprint)
        kept.answer = None


async def test_while_a_request_is_carried_out_the_same_one_has_to_wait() -> None:
    async with a_door() as door:
        await begun(door)

        answer = await posted(door, {"name": "shop"})

    assert assert_problem(answer, 409)["type"] == "/problems/request_in_progress"
    assert answer.headers["retry-after"] == "1"


async def test_a_request_whose_process_died_is_not_carried_out_twice() -> None:
    async with a_door() as door:
        await begun(door)
        door.world.clock.move(seconds=PATIENCE.total_seconds())

        answer = await posted(door, {"name": "shop"})

        assert assert_problem(answer, 409)["type"] == "/problems/outcome_unknown"
        assert await jobs_of(door) == ["shop"]


async def test_a_bug_leaves_it_in_doubt_whether_something_was_done(monkeypatch: pytest.MonkeyPatch) -> None:
    async with a_door() as door:

        async def broken(*_: object) -> None:
            raise RuntimeError

        monkeypatch.setattr(door.world.stores.jobs, "add", broken)
        failed = await posted(door, {"name": "shop"})
        again = await posted(door, {"name": "shop"})

    assert failed.status_code == 500
    assert_problem(again, 409)


async def test_a_store_that_is_lost_while_it_writes_leaves_it_in_doubt_and_nothing_is_done_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with a_door() as door:
        add = door.world.stores.jobs.add

        async def lost(*given: Any, **named: Any) -> None:
            await add(*given, **named)
            raise UnavailableError("The database doesn't answer in time.")

        monkeypatch.setattr(door.world.stores.jobs, "add", lost)
        failed = await posted(door, {"name": "shop"})
        monkeypatch.undo()
        again = await posted(door, {"name": "shop"})

        assert failed.status_code == 503
        assert assert_problem(again, 409)["type"] == "/problems/outcome_unknown"
        assert await jobs_of(door) == ["shop"]


async def test_an_answer_that_can_not_be_kept_is_given_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    async with a_door() as door:

        async def away(request: KeyedRequest, answer: object) -> None:
            raise UnavailableError("The store is away.")

        monkeypatch.setattr(door.world.stores.keyed_requests, "end", away)

        answer = await posted(door, {"name": "shop"})

    assert answer.status_code == 201


async def test_what_is_told_beside_an_answer_fails_nothing_that_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    async with a_door() as door:

        async def away(*_: object, **__: object) -> None:
            raise UnavailableError("The store is away.")

        stores = door.world.stores
        monkeypatch.setattr(stores.jobs, "list", away)
        monkeypatch.setattr(stores.file_sets, "about", away)
        made = await posted(door, {"name": "shop"})
        edited = await door.client.patch(f"/api/jobs/{made.json()['id']}", json={"description": "All of it."})
        monkeypatch.undo()

        assert (made.status_code, edited.status_code) == (201, 200)
        assert "fileSets" not in made.json()
        assert await jobs_of(door) == ["shop"]


async def test_a_key_is_free_again_after_a_day() -> None:
    async with a_door() as door:
        await posted(door, {"name": "shop"})
        door.world.clock.move(seconds=KEPT.total_seconds())
        await posted(door, {"name": "shop"})

        assert await jobs_of(door) == ["shop", "shop"]


async def test_a_secret_is_kept_nowhere_and_answered_once() -> None:
    async with a_door() as door:
        body = {"name": "ci", "role": "viewer"}
        made = await posted(door, body, "/api/keys")
        again = await posted(door, body, "/api/keys")
        kept = [each.answer for each in door.world.stores.keyed_requests._kept.values()]

    assert made.status_code == 201
    assert_problem(again, 409)
    assert made.json()["key"] not in str(kept)


@pytest.mark.parametrize("key", ["", '""', "x" * 256, "two words", "ü"])
async def test_what_is_no_key_is_refused(key: str) -> None:
    async with a_door() as door:
        answer = await door.client.post(
            "/api/jobs", json={"name": "shop"}, headers=[(b"Idempotency-Key", key.encode())]
        )

    assert "Idempotency-Key" in assert_problem(answer, 400)["detail"]
