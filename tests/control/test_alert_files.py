"""What a file says about alerts is applied by name, all at once, and what is exported can be applied."""

import copy
from datetime import timedelta

import pytest

from cronicorn.control.alert_documents import AlertRouteDocument, AlertRoutePatch
from cronicorn.control.difference import Deed
from cronicorn.control.exporting import routes_without_url
from cronicorn.domain.alert.alerting import NO_ALERTING, ROUTES_MAX, AlertScope
from cronicorn.domain.errors import ConflictError, InvalidInputError
from cronicorn.domain.fixtures import MIDNIGHT
from cronicorn.domain.tenant import ApiKey, Tenant
from tests.control.world import ALICE, a_world

URL = "https://hooks.example/services/T0815"
JOBS = [
    {
        "name": "shop",
        "endpoints": [
            {"name": "stock", "url": "https://shop.example/", "dormant": True},
            {"name": "price", "url": "https://shop.example/", "dormant": True},
        ],
    }
]
CHAT = {
    "name": "chat", "channel": "slack", "target": URL, "kinds": ["failing"], "jobs": ["shop"],
    "remindEveryMs": 60_000, "enabled": True,
}  # fmt: skip
MAIL = {"name": "mail", "channel": "email", "target": "ops@example.com", "enabled": False}
ALERTS = {
    "rules": {
        "failures": 5, "share": {"failures": 3, "runs": 10}, "successes": 2, "lateAfterMs": 60_000, "pauseAfter": 20,
        "nearPercent": 90,
        "exceptions": [{"endpoints": ["shop/price"], "rules": {
            "failures": 1, "successes": 1, "lateAfterMs": 120_000, "nearPercent": 80,
        }}],
    },
    "routes": [CHAT, MAIL],
    "maintenance": [
        {
            "name": "nightly", "cron": "0 3 * * *", "timezone": "Asia/Tokyo", "durationMs": 60_000,
            "endpoints": ["shop/price", "shop/stock"],
        },
    ],
}  # fmt: skip


@pytest.fixture
async def world():
    world = a_world()
    key = ApiKey(id="key", tenant_id="t1", prefix="ck", hash="hash", created_at=MIDNIGHT)
    await world.stores.keys.add_tenant(Tenant(id="t1", name="t1", created_at=MIDNIGHT), key)
    return world


def a_file(**parts):
    return copy.deepcopy({"jobs": JOBS, "alerts": ALERTS | parts})


async def applied(world, document, *, dry_run=False):
    outcome = await world.control.files.apply(ALICE, document, dry_run=dry_run)
    return {each.alert: each for each in outcome.differences if each.alert is not None}


async def kept(world):
    return await world.stores.alertings.get("t1")


def deeds(differences):
    return {part: difference.deed.value for part, difference in differences.items()}


async def test_a_file_with_alerts_is_applied_once_and_exported_without_urls(world):
    dry = await applied(world, a_file(), dry_run=True)
    after_dry = await kept(world)
    first = await applied(world, a_file())
    stored = await kept(world)
    again = await applied(world, a_file())
    exported = await world.control.exporter.export(ALICE)
    without_url = await applied(world, exported)

    assert after_dry == NO_ALERTING
    assert deeds(dry) == deeds(first) == {
        "alert rules": "updated", "alert route chat": "created", "alert route mail": "created",
        "maintenance window nightly": "created",
    }  # fmt: skip
    assert set(deeds(again).values()) == set(deeds(without_url).values()) == {"unchanged"}
    assert await kept(world) == stored
    assert "0815" not in str(exported) + str(stored)
    chat, mail = exported["alerts"]["routes"]
    assert exported["alerts"] | {"routes": [chat | {"target": URL}, mail]} == ALERTS
    assert routes_without_url(exported) == ["chat"]
    jobs = await world.control.jobs.list(ALICE)
    assert stored.routes[0].scope == AlertScope(job_ids=(jobs[0][0].id,))


async def test_a_part_that_was_edited_elsewhere_is_overwritten_by_force_alone(world):
    await applied(world, a_file())
    (chat, mail) = (await kept(world)).routes
    await world.control.alerts.edit_route(ALICE, mail.id, AlertRoutePatch.model_validate({"enabled": True}))
    by_hand = AlertRouteDocument.model_validate({"name": "by hand", "channel": "email", "target": "a@example.com"})
    await world.control.alerts.create_route(ALICE, by_hand)
    taken = {"name": "by hand", "channel": "email", "target": "b@example.com"}
    document = a_file(routes=[CHAT | {"remindEveryMs": 120_000}, MAIL, taken])

    shown = await applied(world, document, dry_run=True)
    with pytest.raises(ConflictError, match="alert route mail: it was edited elsewhere"):
        await applied(world, document)
    await world.control.files.apply(ALICE, document, force=True)

    assert {part: each.conflicts for part, each in shown.items() if each.conflicts} == {
        "alert route mail": ("it was edited elsewhere since this set was applied",),
        "alert route by hand": ("it was set elsewhere",),
    }
    assert set(deeds(await applied(world, document)).values()) == {"unchanged"}
    assert (await kept(world)).route(chat.id).remind_every == timedelta(minutes=2)


async def test_what_a_file_changes_is_told_and_what_it_leaves_out_stays(world):
    await applied(world, a_file())
    before = await kept(world)
    later = {"name": "nightly", "cron": "0 4 * * *", "durationMs": 60_000}
    document = a_file(
        rules={"failures": 5}, routes=[CHAT | {"target": f"{URL}2", "remindEveryMs": None}], maintenance=[later]
    )

    differences = await applied(world, document)

    after = await kept(world)
    changed = {part: [change.field for change in each.changes] for part, each in differences.items()}
    assert changed["alert route chat"] == ["target", "remindEveryMs"]
    assert set(changed["alert rules"]) == {
        "share",
        "successes",
        "lateAfterMs",
        "pauseAfter",
        "nearPercent",
        "exceptions",
    }
    assert set(changed["maintenance window nightly"]) == {"cron", "timezone", "endpoints"}
    assert "0815" not in str(differences)
    assert {route.id for route in after.routes} == {route.id for route in before.routes}
    assert {route.name: route.sealed for route in after.routes} != {route.name: route.sealed for route in before.routes}
    assert [window.id for window in after.windows] == [window.id for window in before.windows]
    del document["alerts"]
    assert await applied(world, document) == {}
    assert await kept(world) == after


async def test_a_file_may_name_what_it_makes_and_nothing_that_is_not_there(world):
    document = a_file(routes=[{"name": "mail", "channel": "email", "target": "a@example.com", "jobs": ["shp"]}])

    with pytest.raises(InvalidInputError) as raised:
        await applied(world, document)

    assert [error.pointer for error in raised.value.fields] == ["/alerts/routes/0/jobs/0"]
    assert await world.control.jobs.list(ALICE) == []


@pytest.mark.parametrize(
    ("parts", "pointer"),
    [
        ({"routes": [{"name": "chat", "channel": "slack"}]}, "/alerts/routes/0/target"),
        (
            {"routes": [{"name": "chat", "channel": "slack", "target": "https://h.example/…"}]},
            "/alerts/routes/0/target",
        ),
        ({"routes": [{"channel": "email", "target": "a@example.com"}]}, "/alerts/routes/0/name"),
        ({"routes": [MAIL] * 2}, "/alerts/routes/1/name"),
        ({"rules": {"failures": 0}}, "/alerts/rules/failures"),
        ({"rules": {"exceptions": [{"rules": {}}]}}, "/alerts/rules/exceptions/0"),
        ({"maintenance": [{"name": "w", "durationMs": 60_000}]}, "/alerts/maintenance/0/startAt"),
        ({"maintenance": [{"name": "w", "cron": "x", "durationMs": 60_000}]}, "/alerts/maintenance/0/cron"),
        ({"silence": []}, "/alerts/silence"),
    ],
)
async def test_what_can_not_be_used_is_refused_before_anything_is_written(world, parts, pointer):
    with pytest.raises(InvalidInputError) as raised:
        await applied(world, a_file(**parts))

    assert pointer in [error.pointer for error in raised.value.fields]
    assert await kept(world) == NO_ALERTING
    assert await world.control.jobs.list(ALICE) == []


async def test_a_name_that_several_routes_have_is_refused(world):
    for _ in range(2):
        mail = {"name": "mail", "channel": "email", "target": "ops@example.com"}
        await world.control.alerts.create_route(ALICE, AlertRouteDocument.model_validate(mail))

    with pytest.raises(InvalidInputError) as raised:
        await applied(world, a_file())

    assert [error.pointer for error in raised.value.fields] == ["/alerts/routes/1/name"]


async def test_there_are_no_more_routes_than_there_may_be(world):
    for number in range(ROUTES_MAX - 1):
        mail = MAIL | {"name": f"other {number}"}
        await world.control.alerts.create_route(ALICE, AlertRouteDocument.model_validate(mail))

    with pytest.raises(InvalidInputError) as raised:
        await applied(world, a_file())

    assert [error.pointer for error in raised.value.fields] == ["/alerts/routes"]
    assert len((await kept(world)).routes) == ROUTES_MAX - 1


async def test_a_route_for_what_is_gone_is_not_exported_as_one_for_everything(world):
    gone = {"name": "mail", "channel": "email", "target": "ops@example.com", "endpointIds": ["ep_gone"]}
    await world.control.alerts.create_route(ALICE, AlertRouteDocument.model_validate(gone))

    exported = await world.control.exporter.export(ALICE)

    assert exported["alerts"]["routes"][0]["endpoints"] == ["ep_gone"]
    with pytest.raises(InvalidInputError) as raised:
        await applied(world, exported)
    assert [error.pointer for error in raised.value.fields] == ["/alerts/routes/0/endpoints/0"]


async def test_a_window_that_is_over_is_passed_over(world):
    once = {"name": "once", "startAt": "2026-01-01T00:00:00Z", "durationMs": 60_000}
    world.clock.move(days=400)

    differences = await applied(world, a_file(maintenance=[once]))

    assert "maintenance window once" not in differences
    assert (await kept(world)).windows == ()
    assert differences["alert rules"].deed is Deed.UPDATED
