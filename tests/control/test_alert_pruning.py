"""What a set has said about alerts and its files say no longer is taken back when it is to be pruned, and only then."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from cronicorn.adapters.memory.stores import MemoryStores
from cronicorn.control.alert_documents import AlertRouteDocument, AlertRoutePatch
from cronicorn.control.alert_pruning import UnlistedAlerts
from cronicorn.control.difference import Applied
from cronicorn.domain.alert.alerting import NO_ALERTING, ROUTES_MAX, Alerting, AlertRoute
from cronicorn.domain.errors import ConflictError, PreconditionFailedError
from tests.control.test_alert_files import ALERTS, CHAT, JOBS, MAIL
from tests.control.world import ALICE, World, a_world, peopled

PARTS = ["alert route chat", "alert route mail", "alert rules", "maintenance window nightly"]


async def a_set_world() -> World:
    """All of ALERTS was said by the set `store`."""
    world = peopled(a_world())
    await applied(world, alerts=ALERTS)
    return world


async def applied(
    world: World, *, file_set: str = "store", prune: bool = False, force: bool = False, dry_run: bool = False,
    jobs: object = JOBS, alerts: object = None,
) -> Applied:  # fmt: skip
    document = {"set": file_set, "jobs": jobs} | ({"alerts": alerts} if alerts is not None else {})
    return await world.control.files.apply(ALICE, document, prune=prune, force=force, dry_run=dry_run)


async def kept(world: World) -> Alerting:
    return await world.stores.alertings.get(ALICE.tenant_id)


async def said(world: World, file_set: str = "store") -> list[str]:
    """The parts that the set speaks for."""
    return sorted((await world.stores.file_sets.all(ALICE.tenant_id))[file_set].alerts)


def deeds(outcome: Applied) -> Mapping[str | None, str]:
    return {each.alert: each.deed.value for each in outcome.differences if each.alert is not None}


async def a_route(world: World, name: str) -> AlertRoute:
    document = {"name": name, "channel": "email", "target": "ops@example.com", "enabled": False}
    return await world.control.alerts.create_route(ALICE, AlertRouteDocument.model_validate(document))


@pytest.mark.parametrize("alerts", [None, {}, {"rules": None, "routes": [], "maintenance": []}])
async def test_what_is_said_no_longer_is_named_then_removed_on_request_and_said_anew(alerts: object) -> None:
    world = await a_set_world()
    before = await kept(world)

    left = await applied(world, alerts=alerts)
    shown = await applied(world, alerts=alerts, prune=True, dry_run=True)
    after_left = await kept(world)
    done = await applied(world, alerts=alerts, prune=True)
    after = await kept(world)
    again = await applied(world, alerts=alerts, prune=True)
    forgotten = await said(world)
    anew = await applied(world, alerts=ALERTS)

    assert (left.unlisted, deeds(left), after_left) == (tuple(PARTS), {}, before)
    assert deeds(shown) == deeds(done) == dict.fromkeys(PARTS, "removed")
    assert done.unlisted == ()
    rules = next(each for each in done.differences if each.alert == "alert rules")
    assert {each.field: (each.before, each.after) for each in rules.changes}["failures"] == (5, 3)
    assert after == NO_ALERTING
    assert (deeds(again), again.unlisted, forgotten) == ({}, (), [])
    assert sorted(deeds(anew).values()) == ["created", "created", "created", "updated"]


async def test_what_was_there_before_or_is_listed_or_of_another_set_stays() -> None:
    world = peopled(a_world())
    by_hand = await a_route(world, "mail")
    await applied(world, alerts={"routes": [CHAT, MAIL]})
    await applied(world, file_set="other", alerts={"routes": [CHAT]})

    done = await applied(world, alerts={"routes": [CHAT | {"name": "new"}]}, prune=True)

    assert deeds(done) == {"alert route new": "created"}
    assert {route.name for route in (await kept(world)).routes} == {"mail", "chat", "new"}
    assert (await kept(world)).route(by_hand.id) == by_hand
    assert await said(world) == ["alert route new"]
    assert deeds(await applied(world, file_set="other", prune=True)) == {}  # It has not made what it named.


async def test_what_was_edited_since_is_removed_by_force_alone() -> None:
    world = await a_set_world()
    (chat, _) = (await kept(world)).routes
    await world.control.alerts.edit_route(ALICE, chat.id, AlertRoutePatch.model_validate({"name": "talk"}))
    before = await kept(world)

    shown = await applied(world, alerts=ALERTS | {"routes": [MAIL]}, prune=True, dry_run=True)
    with pytest.raises(ConflictError, match="alert route chat: it was edited elsewhere since this set was applied"):
        await applied(world, alerts=ALERTS | {"routes": [MAIL]}, prune=True)
    unchanged = await kept(world)
    await applied(world, alerts=ALERTS | {"routes": [MAIL]}, prune=True, force=True)

    assert shown.conflicts == ("alert route chat: it was edited elsewhere since this set was applied",)
    assert unchanged == before
    assert [route.name for route in (await kept(world)).routes] == ["mail"]


async def test_what_has_another_name_now_that_files_list_or_was_made_anew_by_somebody_stays() -> None:
    world = await a_set_world()
    (chat, mail) = (await kept(world)).routes
    await world.control.alerts.edit_route(ALICE, chat.id, AlertRoutePatch.model_validate({"name": "talk"}))
    await world.control.alerts.remove_route(ALICE, mail.id)
    anew = await a_route(world, "mail")
    talk = {each: told for each, told in CHAT.items() if each != "target"} | {"name": "talk"}

    done = await applied(world, alerts=ALERTS | {"routes": [talk]}, prune=True)

    assert deeds(done) == {
        "alert rules": "unchanged", "alert route talk": "unchanged", "maintenance window nightly": "unchanged",
    }  # fmt: skip
    assert [route.id for route in (await kept(world)).routes] == [chat.id, anew.id]
    assert await said(world) == ["alert route talk", "alert rules", "maintenance window nightly"]


async def test_a_route_of_endpoints_that_were_archived_before_it_goes_without_a_conflict() -> None:
    world = peopled(a_world())
    alerts = {"routes": [MAIL | {"endpoints": ["shop/price"]}]}
    await applied(world, alerts=alerts)
    fewer: list[Any] = [JOBS[0] | {"endpoints": JOBS[0]["endpoints"][:1]}]
    (job, _), *_ = await world.control.jobs.list(ALICE)
    price = (await world.control.endpoints.list(ALICE, job.id))[1].endpoint
    await world.control.endpoints.archive(ALICE, price.id)

    done = await applied(world, jobs=fewer, prune=True)

    assert deeds(done) == {"alert route mail": "removed"}
    assert done.conflicts == ()


async def test_as_many_routes_as_there_may_be_are_replaced_by_as_many_others() -> None:
    world = peopled(a_world())
    first, second = ([MAIL | {"name": f"{kind} {number}"} for number in range(ROUTES_MAX)] for kind in ("a", "b"))
    await applied(world, alerts={"routes": first})

    done = await applied(world, alerts={"routes": second}, prune=True)

    assert list(deeds(done).values()).count("created") == list(deeds(done).values()).count("removed") == ROUTES_MAX
    assert {route.name for route in (await kept(world)).routes} == {route["name"] for route in second}


async def test_nothing_is_removed_that_was_changed_after_it_was_looked_at() -> None:
    stored = await kept(await a_set_world())
    chat = stored.routes[0]
    route, window = UnlistedAlerts(routes=(chat,)), UnlistedAlerts(windows=stored.windows)
    rules = UnlistedAlerts(rules_of=stored)

    assert route.taken_from(stored) == stored.without_route(chat.id)
    assert window.taken_from(stored) == replace(stored, windows=())
    for unlisted, now in (
        (route, stored.with_route(replace(chat, name="talk"))), (route, stored.without_route(chat.id)),
        (window, replace(stored, windows=())), (rules, replace(stored, exceptions=())),
    ):  # fmt: skip
        with pytest.raises(PreconditionFailedError):
            unlisted.taken_from(now)


async def test_a_route_that_is_edited_while_it_is_to_go_is_a_conflict_and_nothing_is_removed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = await a_set_world()
    stored = await kept(world)
    together, edits = MemoryStores.together, iter([AlertRoutePatch.model_validate({"name": "talk"})])

    async def meddled(stores: MemoryStores, work: Callable[[MemoryStores], Awaitable[None]]) -> None:
        for patch in edits:
            await world.control.alerts.edit_route(ALICE, stored.routes[0].id, patch)
        await together(stores, work)

    monkeypatch.setattr(MemoryStores, "together", meddled)
    with pytest.raises(ConflictError, match="alert route chat: it was edited elsewhere"):
        await applied(world, prune=True)

    after = await kept(world)
    assert sorted(route.name for route in after.routes) == ["mail", "talk"]
    assert (after.rules, after.exceptions, after.windows) == (stored.rules, stored.exceptions, stored.windows)
    assert await said(world) == PARTS
