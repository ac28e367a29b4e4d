"""What may be said about alerts, and how wrong input is refused."""

from datetime import timedelta

import pytest

from cronicorn.control.alert_documents import (
    AlertRouteDocument,
    AlertRoutePatch,
    AllRulesDocument,
    MaintenanceDocument,
)
from cronicorn.control.alerts import TESTS_MAX
from cronicorn.domain.alert.alerting import (
    ROUTES_MAX,
    USUAL_RULES,
    WINDOWS_MAX,
    AlertChannel,
    Alerting,
    AlertScope,
    IncidentKind,
)
from cronicorn.domain.alert.incident import WAITING_MAX, Incident
from cronicorn.domain.alert.rows import alerting_text
from cronicorn.domain.alert.targets import shown_target, shown_url
from cronicorn.domain.alert.versions import version_of_alert_route, version_of_alert_rules
from cronicorn.domain.errors import ConflictError, InvalidInputError, NotFoundError, PreconditionFailedError
from cronicorn.domain.fixtures import MIDNIGHT
from cronicorn.domain.tenant import ApiKey, Tenant
from cronicorn.domain.unchanged import Unchanged
from tests.control.world import ALICE, a_world

HOOK = {"name": "hook", "channel": "webhook", "target": "https://example.com/hook"}


@pytest.fixture
async def world():
    world = a_world()
    key = ApiKey(id="key", tenant_id="t1", prefix="ck", hash="hash", created_at=MIDNIGHT)
    await world.stores.keys.add_tenant(Tenant(id="t1", name="t1", created_at=MIDNIGHT), key)
    return world


def _pointers(raised):
    return [field.pointer for field in raised.value.fields]


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"name": None}, "/name"),
        ({"name": "  "}, "/name"),
        ({"channel": None}, "/channel"),
        ({"target": None}, "/target"),
        ({"target": "ftp://example.com"}, "/target"),
        ({"target": "https://user:secret@example.com"}, "/target"),
        ({"channel": "slack", "target": "ops@example.com"}, "/target"),
        ({"channel": "email"}, "/target"),
        ({"channel": "email", "target": "ada@example.com,"}, "/target"),
        ({"channel": "email", "target": "ada@example.com\nBcc: eve@example.com"}, "/target"),
        ({"channel": "email", "target": ",".join(["ada@example.com"] * 11)}, "/target"),
        ({"remindEveryMs": 999}, "/remindEveryMs"),
        ({"jobIds": ["j"] * 201}, "/jobIds"),
    ],
)
async def test_a_route_that_leads_nowhere_is_refused(world, changes, pointer):
    with pytest.raises(InvalidInputError) as raised:
        await world.control.alerts.create_route(ALICE, AlertRouteDocument.model_validate(HOOK | changes))

    assert _pointers(raised) == [pointer]
    assert (await world.control.alerts.show(ALICE)).routes == ()


async def test_where_a_route_leads_is_sealed_and_what_is_shown_of_it_may_be_sent_back(world):
    alerts, url = world.control.alerts, "https://hooks.example:8443/services/T0815?key=secret"
    made = await alerts.create_route(ALICE, AlertRouteDocument.model_validate(HOOK | {"target": url}))
    shown = "https://hooks.example:8443/…"

    kept = await alerts.edit_route(ALICE, made.id, AlertRoutePatch.model_validate({"target": shown, "name": "chat"}))
    slack = await alerts.edit_route(ALICE, made.id, AlertRoutePatch.model_validate({"channel": "slack"}))
    moved = await alerts.edit_route(ALICE, made.id, AlertRoutePatch.model_validate({"target": f"{url}2"}))
    mail = {"channel": "email", "target": "ops@example.com"}
    mailed = await alerts.edit_route(ALICE, made.id, AlertRoutePatch.model_validate(mail))

    assert [shown_target(each) for each in (made, kept, slack, moved)] == [shown] * 4
    assert made.sealed == kept.sealed == slack.sealed != moved.sealed
    assert (mailed.target, mailed.sealed) == ("ops@example.com", None)
    assert "0815" not in alerting_text(Alerting(routes=(made, kept, slack, moved, mailed)))
    for document in (HOOK | {"target": shown}, {"target": "https://other.example/…"}):
        with pytest.raises(InvalidInputError) as raised:
            await alerts.edit_route(ALICE, made.id, AlertRoutePatch.model_validate({"channel": "slack"} | document))
        assert _pointers(raised) == ["/target"]


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://Hooks.Example", "https://hooks.example/"),
        ("https://hooks.example/#x", "https://hooks.example/"),
        ("http://hooks.example:80/?key=secret", "http://hooks.example/…"),
        ("https://[2001:db8::1]:1/a", "https://[2001:db8::1]:1/…"),
        ("nonsense", "…"),
    ],
)
def test_of_a_url_that_takes_messages_its_host_is_shown(url, shown):
    assert shown_url(url) == shown
    assert shown_url(shown) == shown


async def test_what_a_patch_leaves_out_stays_and_what_it_says_is_checked_with_it(world):
    alerts = world.control.alerts
    given = HOOK | {"kinds": ["late"], "jobIds": ["j1"], "endpointIds": ["e1"], "remindEveryMs": 60_000}
    route = await alerts.create_route(ALICE, AlertRouteDocument.model_validate(given))

    await alerts.edit_route(ALICE, route.id, AlertRoutePatch.model_validate({"enabled": False, "jobIds": []}))
    patched = await alerts.edit_route(ALICE, route.id, AlertRoutePatch.model_validate({"remindEveryMs": None}))
    with pytest.raises(InvalidInputError) as raised:
        await alerts.edit_route(ALICE, route.id, AlertRoutePatch.model_validate({"channel": "email"}))

    assert _pointers(raised) == ["/target"]
    assert (patched.name, patched.channel, patched.kinds) == ("hook", AlertChannel.WEBHOOK, (IncidentKind.LATE,))
    assert (patched.scope, patched.remind_every, patched.enabled) == (AlertScope(endpoint_ids=("e1",)), None, False)
    await alerts.remove_route(ALICE, route.id)
    for gone in (alerts.remove_route, alerts.test_route, alerts.messages):
        with pytest.raises(NotFoundError):
            await gone(ALICE, route.id)


async def test_nobody_is_flooded_with_tests_over_however_many_routes(world):
    alerts = world.control.alerts
    routes = [await alerts.create_route(ALICE, AlertRouteDocument.model_validate(HOOK)) for _ in range(2)]
    for number in range(TESTS_MAX):
        await alerts.test_route(ALICE, routes[number % 2].id)

    with pytest.raises(ConflictError, match="wait"):
        await alerts.test_route(ALICE, routes[0].id)
    await alerts.remove_route(ALICE, routes[0].id)
    new = await alerts.create_route(ALICE, AlertRouteDocument.model_validate(HOOK))
    with pytest.raises(ConflictError, match="wait"):
        await alerts.test_route(ALICE, new.id)
    world.clock.move(minutes=10)
    await alerts.test_route(ALICE, new.id)


async def test_routes_windows_and_waiting_tests_are_bounded(world):
    alerts = world.control.alerts
    once = {"name": "w", "startAt": "2026-01-02T00:00:00Z", "durationMs": 1_000}
    route = await alerts.create_route(ALICE, AlertRouteDocument.model_validate(HOOK))
    for _ in range(ROUTES_MAX - 1):
        await alerts.create_route(ALICE, AlertRouteDocument.model_validate(HOOK))
    for _ in range(WINDOWS_MAX):
        await alerts.create_window(ALICE, MaintenanceDocument.model_validate(once))
    for _ in range(WAITING_MAX):
        await alerts.test_route(ALICE, route.id)
        world.clock.move(minutes=1)

    with pytest.raises(ConflictError):
        await alerts.create_route(ALICE, AlertRouteDocument.model_validate(HOOK))
    with pytest.raises(ConflictError):
        await alerts.create_window(ALICE, MaintenanceDocument.model_validate(once))
    with pytest.raises(ConflictError):
        await alerts.test_route(ALICE, route.id)
    world.clock.move(days=2)
    await alerts.create_window(ALICE, MaintenanceDocument.model_validate(once | {"startAt": "2026-02-01T00:00:00Z"}))
    assert len((await alerts.show(ALICE)).windows) == 1


@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        ({"failures": 0}, "/failures"),
        ({"failures": 51}, "/failures"),
        ({"share": {"failures": 3, "runs": 2}}, "/share/failures"),
        ({"share": {"failures": 0, "runs": 2}}, "/share/failures"),
        ({"lateAfterMs": 9_999}, "/lateAfterMs"),
        ({"nearPercent": 100}, "/nearPercent"),
        ({"exceptions": [{"rules": {}}]}, "/exceptions/0"),
        ({"exceptions": [{"jobIds": ["j"], "rules": {"successes": 0}}]}, "/exceptions/0/rules/successes"),
    ],
)
async def test_rules_that_say_nothing_sensible_are_refused(world, document, pointer):
    with pytest.raises(InvalidInputError) as raised:
        await world.control.alerts.change_rules(ALICE, AllRulesDocument.model_validate(document))

    assert _pointers(raised) == [pointer]
    assert (await world.control.alerts.show(ALICE)).rules == USUAL_RULES


async def test_rules_take_the_place_of_those_of_before(world):
    alerts = world.control.alerts
    exceptions = [{"jobIds": ["j1"], "rules": {"pauseAfter": 7}}]
    await alerts.change_rules(ALICE, AllRulesDocument.model_validate({"failures": 9, "exceptions": exceptions}))
    first = await alerts.show(ALICE)
    await alerts.change_rules(ALICE, AllRulesDocument.model_validate({"lateAfterMs": 60_000}))
    second = await alerts.show(ALICE)

    assert (first.rules.failures, first.rules_for("j1", "e").pause_after) == (9, 7)
    assert first.rules_for("j2", "e") == first.rules
    assert (second.rules.failures, second.rules.late_after) == (USUAL_RULES.failures, timedelta(minutes=1))
    assert second.exceptions == ()


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"name": None}, "/name"),
        ({"durationMs": None}, "/durationMs"),
        ({"durationMs": 999}, "/durationMs"),
        ({"cron": None}, "/startAt"),
        ({"startAt": "2026-01-02T00:00:00Z"}, "/startAt"),
        ({"cron": "61 * * * *"}, "/cron"),
        ({"timezone": "Mars/Olympus"}, "/cron"),
    ],
)
async def test_a_window_that_never_holds_is_refused(world, changes, pointer):
    document = {"name": "w", "cron": "0 3 * * *", "durationMs": 60_000} | changes

    with pytest.raises(InvalidInputError) as raised:
        await world.control.alerts.create_window(ALICE, MaintenanceDocument.model_validate(document))

    assert _pointers(raised) == [pointer]


async def test_an_incident_is_acknowledged_once_and_not_when_it_is_over(world):
    incidents, book = world.control.incidents, world.stores.incidents
    going_on = Incident(id="a", tenant_id="t1", kind=IncidentKind.LATE, subject="", opened_at=MIDNIGHT)
    over = Incident(
        id="b", tenant_id="t1", kind=IncidentKind.LATE, subject="x", opened_at=MIDNIGHT, closed_at=MIDNIGHT, ending="."
    )
    await book.write(going_on)
    await book.write(over)

    first = await incidents.acknowledge(ALICE, "a")
    world.clock.move(hours=1)
    again = await incidents.acknowledge(ALICE, "a")

    assert (first.acknowledged_at, first.acknowledged_by) == (MIDNIGHT, "alice")
    assert again.acknowledged_at == first.acknowledged_at
    with pytest.raises(ConflictError):
        await incidents.acknowledge(ALICE, "b")


async def test_windows_that_hold_come_first_then_those_that_hold_next(world):
    alerts = world.control.alerts
    for name, fields in {
        "weekly": {"cron": "0 3 * * 0"}, "over": {"startAt": "2026-01-01T00:00:01Z"},
        "later": {"startAt": "2026-01-02T00:00:00Z"}, "now": {"startAt": "2026-01-01T01:00:00Z"},
    }.items():  # fmt: skip
        document = {"name": name, "durationMs": 3_600_000, **fields}
        await alerts.create_window(ALICE, MaintenanceDocument.model_validate(document))
    world.clock.move(minutes=75)

    standing = await alerts.windows(ALICE)

    assert [(each.window.name, each.holds) for each in standing] == [
        ("now", True), ("later", False), ("weekly", False)
    ]  # fmt: skip
    assert standing[0].next_at is None
    assert str(standing[2].next_at) == "2026-01-04 03:00:00+00:00"


async def test_rules_and_routes_that_somebody_else_changed_are_not_overwritten(world):
    alerts = world.control.alerts
    route = await alerts.create_route(ALICE, AlertRouteDocument.model_validate(HOOK))
    rules = Unchanged(versions=frozenset({version_of_alert_rules(await alerts.show(ALICE))}))
    same = Unchanged(versions=frozenset({version_of_alert_route(route)}))
    await alerts.change_rules(ALICE, AllRulesDocument(failures=5), rules)
    await alerts.edit_route(ALICE, route.id, AlertRoutePatch(name="mine"), same)

    with pytest.raises(PreconditionFailedError):
        await alerts.change_rules(ALICE, AllRulesDocument(failures=7), rules)
    with pytest.raises(PreconditionFailedError):
        await alerts.edit_route(ALICE, route.id, AlertRoutePatch(name="theirs"), same)

    after = await alerts.show(ALICE)
    assert (after.rules.failures, after.route(route.id).name) == (5, "mine")
