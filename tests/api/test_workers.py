"""Workers over REST: each tenant sees its own leases, and only whoever runs the installation sees machines."""

from datetime import timedelta
from typing import Any

from cronicorn.domain.attendance.worker import WorkerReport
from tests.api.test_tenant_settings import an_installation

MACHINE = "db-host-7-4711-0badc0de"


async def test_a_tenant_sees_its_own_leases_and_no_machine() -> None:
    async with an_installation() as there:
        door, world = there.door, there.door.world
        await world.stores.worker_book.note(WorkerReport(worker_id=MACHINE, version="9.9"))
        endpoint = await door.endpoint()
        world.clock.move(minutes=1, seconds=3)
        await world.stores.worker_book.note(WorkerReport(worker_id=MACHINE, version="9.9"))
        (lease,) = await world.stores.job_store.claim_due(worker_id=MACHINE, limit=5, ttl=timedelta(seconds=30))
        own = await door.client.get("/api/workers")
        stranger = (await door.stranger.get("/api/workers")).json()
        runner = (await there.runner.get("/api/workers")).json()
        world.clock.move(hours=1)
        gone = (await there.runner.get("/api/workers")).json()

    (mine,), (theirs,), (machine,) = own.json()["workers"], stranger["workers"], runner["workers"]
    (held,) = mine["leases"]
    assert (held["endpointId"], held["endpoint"], held["slot"]) == (endpoint["id"], "shop/stock", lease.slot)
    assert (held["lateMs"], held["expired"]) == (3_000, False)
    assert (mine["alive"], mine["version"]) == (True, "9.9")
    assert theirs["leases"] == machine["leases"] == []
    assert MACHINE not in own.text
    assert "inAll" not in mine
    assert theirs["name"] == mine["name"]
    assert (machine["name"], machine["inAll"]) == (MACHINE, {"held": 1, "expired": 0})
    assert _only(gone) == (False, {"held": 1, "expired": 1})


async def test_a_worker_without_a_word_is_told_where_it_holds_something() -> None:
    async with an_installation() as there:
        door, world = there.door, there.door.world
        await door.endpoint()
        world.clock.move(minutes=1)
        await world.claim()
        own, stranger, runner = [
            (await client.get("/api/workers")).json()["workers"]
            for client in (door.client, door.stranger, there.runner)
        ]

    assert [(each["alive"], len(each["leases"])) for each in own] == [(True, 1)]
    assert stranger == []
    assert [(each["name"], each["inAll"]["held"]) for each in runner] == [("w1", 1)]
    assert all("version" not in each for each in (*own, *runner))


def _only(told: dict[str, Any]) -> tuple[bool, dict[str, int]]:
    (worker,) = told["workers"]
    return worker["alive"], worker["inAll"]
