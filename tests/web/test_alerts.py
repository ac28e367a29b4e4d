"""The pages of incidents and alerts: seeing to one, saying who is told of what, and when nobody is."""

import re
from datetime import timedelta

import pytest

from cronicorn.control.alert_documents import AlertRouteDocument, MaintenanceDocument
from cronicorn.control.findings import Findings
from cronicorn.domain.alert.alerting import EVERYWHERE, AlertScope, FailureShare, IncidentKind
from cronicorn.domain.alert.incident import Incident, Receipt
from cronicorn.domain.fixtures import an_outcome
from cronicorn.domain.permission import Role
from cronicorn.web.alert_scopes import ScopeLines
from cronicorn.web.assets import Assets
from cronicorn.web.pages.incidents import INCIDENTS_SHOWN
from tests.web.entered import EnteredForm
from tests.web.site import Site, a_site, filled
from tests.web.test_pages import HOSTILE, LONG, PAGE_BYTES_MAX, Outline

BESIDE = sum(Assets().size(name) for name in ("app.css", "live.js", "icon.svg"))
HOOK = "https://hooks.example.com/a/secret/path"
ROUTE = {"name": "on call", "channel": "webhook", "target": HOOK}


async def a_route(site: Site, **fields: object) -> str:
    """The path of the page of a new route."""
    document = AlertRouteDocument.model_validate({**ROUTE, **fields})
    return f"/alerts/routes/{(await site.world.control.alerts.create_route(site.owner, document)).id}"


async def sent(site: Site, page: str, action: str, **fields: str) -> tuple[int, str]:
    """What comes of the form on *page* with some *fields* entered anew: the status, and the page or its address."""
    form = EnteredForm(await site.text(page), action).fields
    answer = await site.client.post(action, data={**form, **fields})
    return answer.status_code, answer.headers.get("location", answer.text)


async def test_somebody_sees_what_is_wrong_and_sees_to_it() -> None:
    async with a_site() as site:
        endpoint = await filled(site, runs=2)
        listed, page = await site.text("/incidents"), await site.text("/incidents/incident_1")
        for _ in range(2):
            site.world.clock.move(hours=1)
            await site.world.run_due(an_outcome(503))
        later = await site.text("/incidents/incident_1")
        answer = await site.send("/incidents/incident_1", "/incidents/incident_1/acknowledge")
        seen = await site.text(answer.headers["location"])
        world = site.world
        over = await world.stores.incidents.get(site.tenant_id, "incident_1")
        await world.stores.incidents.write(
            Incident(
                id="incident_2", tenant_id=site.tenant_id, kind=IncidentKind.TOKENS_OUT, subject="",
                opened_at=world.clock.now(), closed_at=world.clock.now(), ending="The next <window> began.",
            )
        )  # fmt: skip
        open_now, every = await site.text("/incidents"), await site.text("/incidents?show=all")

    assert over.acknowledged_by is not None
    assert f'<a href="/endpoints/{endpoint.id}">shop &lt;b&gt; / stock</a>' in listed
    assert "It failed &lt;4&gt; times in a row." in listed
    assert "Nobody is told of incidents" in listed
    assert "mend the target" in page
    assert "in a row</dd>" not in page
    assert "<dt>Now</dt><dd>2 in a row</dd>" in later
    assert "Nobody: there is no route." in page
    assert f"by {over.acknowledged_by}" in seen
    assert "I see to it" not in seen
    assert "incident_2" not in open_now
    assert "The next &lt;window&gt; began." in every
    assert "all endpoints" in every


async def test_incidents_come_in_pages() -> None:
    async with a_site() as site:
        for number in range(INCIDENTS_SHOWN + 1):
            await site.world.stores.incidents.write(
                Incident(
                    id=f"incident_{number}", tenant_id=site.tenant_id, kind=IncidentKind.LATE, subject=f"ep_{number}",
                    opened_at=site.world.clock.now() + timedelta(seconds=number), summary=LONG[:500],
                )
            )  # fmt: skip
        first = await site.text("/incidents")
        odd = [(await site.client.get(f"/incidents?after={each}")).status_code for each in ("a%00b", "incident_99")]
        further = await site.text(re.findall(r'href="(/incidents\?after=[^"]+)"', first)[0])

    assert odd == [404, 400]
    assert first.count("an endpoint that is gone") == INCIDENTS_SHOWN
    assert further.count("an endpoint that is gone") == 1
    assert len(first.encode()) < PAGE_BYTES_MAX - BESIDE


async def test_a_route_is_made_tried_changed_and_removed() -> None:
    async with a_site() as site:
        endpoint = await filled(site, runs=1)
        control = site.world.control
        new = "/alerts/routes/new"
        empty = await sent(site, new, new, name=" ", target="nowhere")
        fields = {"name": "on call", "target": HOOK, "remindEveryMs": "1h", "kinds/failing": "yes"}
        unknown = await sent(site, new, new, **fields, scope="nowhere\nshop <b>/none")
        made = await sent(site, new, new, **fields, scope=f"shop <b>\r\nshop <b>/stock\r\n/endpoints/{endpoint.id}")
        at = made[1]
        route = (await control.alerts.show(site.owner)).routes[0]
        tried = await site.send(at, f"{at}/test")
        waits = await site.text(at)
        outbox = site.world.stores.outbox
        (message,) = await outbox.claim_due(claim_id="c1", limit=1, ttl=timedelta(minutes=1))
        await outbox.settle(message.after(Receipt("It answered <500>."), site.world.clock.now()))
        failed = await site.text(at)
        edit = EnteredForm(await site.text(f"{at}/edit"), f"{at}/edit").fields
        changed = await sent(site, f"{at}/edit", f"{at}/edit", remindEveryMs="", enabled="no", **{"kinds/late": "yes"})
        after = (await control.alerts.show(site.owner)).routes[0]
        off = await site.text("/alerts")
        removed = await site.send(at, f"{at}/remove")
        gone = await site.client.get(at)

    assert (empty[0], unknown[0], made[0], changed[0]) == (400, 400, 303, 303)
    assert 'id="target-fault"' in empty[1]
    assert 'value="nowhere"' in empty[1]
    assert "Nothing is called “nowhere”" in unknown[1]
    assert "Nothing is called “shop &lt;b&gt;/none”" in unknown[1]
    assert route.scope == AlertScope(job_ids=(endpoint.job_id,), endpoint_ids=(endpoint.id,))
    assert (route.kinds, route.remind_every) == ((IncidentKind.FAILING,), timedelta(hours=1))
    assert tried.headers["location"] == f"{at}#messages"
    assert "waiting" in waits
    assert "1 attempt: It answered &lt;500&gt;." in failed
    assert edit["target"] == "https://hooks.example.com/…"
    assert edit["scope"] == f"shop <b>\nshop <b>/stock [{endpoint.id}]"
    assert (after.enabled, after.remind_every, after.scope) == (False, None, route.scope)
    assert after.kinds == (IncidentKind.FAILING, IncidentKind.LATE)
    assert after.sealed == route.sealed
    assert "secret/path" not in waits + failed + off
    assert "off" in off
    assert (removed.headers["location"], gone.status_code) == ("/alerts", 404)


async def test_a_form_that_is_sent_twice_makes_one_route() -> None:
    async with a_site() as site:
        new = "/alerts/routes/new"
        form = EnteredForm(await site.text(new), new).fields | ROUTE
        answers = [await site.client.post(new, data=form) for _ in range(2)]

        assert len({answer.headers["location"] for answer in answers}) == 1
        assert len((await site.world.control.alerts.show(site.owner)).routes) == 1


async def test_rules_and_exceptions_are_changed_and_nobody_overwrites_another() -> None:
    async with a_site() as site:
        job = await site.world.job(site.owner, "shop")
        alerts = site.world.control.alerts
        rules, new, change = "/alerts/rules", "/alerts/rules/new", "/alerts/rules/change"
        stale = EnteredForm(await site.text(change), change).fields
        odd = await sent(site, change, change, failures="many", **{"share/failures": "9", "share/runs": "5"})
        more = await sent(site, change, change, **{"share/failures": "9", "share/runs": "5"})
        saved = await sent(site, change, change, failures="5", lateAfterMs="1m", pauseAfter="20")
        late = await site.client.post(change, data=stale | {"failures": "7"})
        version = EnteredForm(late.text, change).fields["version"]
        anyway = await site.client.post(change, data=stale | {"failures": "7", "pauseAfter": "20", "version": version})
        nowhere = await sent(site, new, new, scope="")
        bad = await sent(site, new, new, scope="shop", failures="51")
        added = [await sent(site, new, new, scope="shop", failures=failures) for failures in ("1", "2")]
        page = await site.text(rules)
        edited = await sent(site, f"{rules}/1", f"{rules}/1", **{"share/failures": "3", "share/runs": "10"})
        alerting = await alerts.show(site.owner)
        removed = await sent(site, f"{rules}/0", f"{rules}/0/remove")
        left = await alerts.show(site.owner)
        gone = await site.client.get(f"{rules}/1")

    assert [each[0] for each in (odd, more, nowhere, bad)] == [400] * 4
    assert [each[0] for each in (saved, edited, removed)] == [303] * 3
    assert 'id="failures-fault">Must be a whole number.' in odd[1]
    assert 'id="share/failures-fault">Must not be more than the runs.' in more[1]
    assert (late.status_code, anyway.status_code) == (412, 303)
    assert "Somebody else saved this" in late.text
    assert '<th scope="row">Failing after</th><td>5</td><td>7</td>' in late.text
    assert 'id="scope-fault">Name jobs or endpoints' in nowhere[1]
    assert 'id="failures-fault">Must be from 1 to 50' in bad[1]
    assert [each[0] for each in added] == [303, 303]
    assert "after 7 failed slots in a row" in page
    assert "For shop: failing after 1 failed slot," in page
    assert "after 20 failed slots in a row, until a person" in page
    assert (alerting.rules.failures, alerting.rules.late_after) == (7, timedelta(minutes=2))
    assert [each.rules.failures for each in alerting.exceptions] == [1, 2]
    assert alerting.exceptions[1].rules.share == FailureShare(failures=3, runs=10)
    assert alerting.exceptions[1].scope == AlertScope(job_ids=(job,))
    assert left.exceptions == alerting.exceptions[1:]
    assert gone.status_code == 404


async def test_a_maintenance_window_is_made_holds_and_is_removed() -> None:
    async with a_site() as site:
        new = "/alerts/maintenance/new"
        bad = await sent(site, new, new, name="", startAt="", durationMs="40d")
        clock = await sent(site, new, new, name="x", kind="cron", cron="61 * * * *", durationMs="1h")
        once = await sent(
            site, new, new, name="move <b>", startAt="2026-01-01T01:00", timezone="Europe/Berlin", durationMs="2h"
        )
        again = await sent(site, new, new, name="weekly", kind="cron", cron="0 3 * * 0", timezone="Europe/Berlin")
        page, incidents = await site.text("/alerts/maintenance"), await site.text("/incidents")
        first, second = (await site.world.control.alerts.show(site.owner)).windows
        removed = await site.send("/alerts/maintenance", f"/alerts/maintenance/{first.id}/remove")
        after = await site.text("/incidents")

    assert [each[0] for each in (bad, clock, once, again)] == [400, 400, 303, 303]
    assert set(re.findall(r'id="(\w+)-fault">[^<]', bad[1])) == {"startAt"}
    assert 'id="cron-fault">' in clock[1]
    assert first.start_at == site.world.clock.now()
    assert second.cron is not None
    assert (second.cron.zone, second.duration) == ("Europe/Berlin", timedelta(hours=2))
    assert "move &lt;b&gt;</strong> <span" in page
    assert "next <time" in page
    assert "“move &lt;b&gt;” holds, and nobody is told" in incidents
    assert removed.headers["location"] == "/alerts/maintenance"
    assert "nobody is told of what it covers" not in after


async def test_lines_of_a_scope_mean_one_thing_whatever_jobs_and_endpoints_are_called() -> None:
    async with a_site() as site:
        world, findings = site.world, Findings()
        job, slashed, twin = [await world.job(site.owner, name) for name in ("a", "a/b", "a/b")]
        endpoint = await world.endpoint(site.owner, jobId=job, name="b/c\nd [x]")
        mean = await world.job(site.owner, f"a/b/c d [x] [{endpoint.id}]")
        other = await world.endpoint(site.owner, jobId=mean, name=endpoint.id)
        scope = AlertScope(job_ids=(job, slashed, mean, "job_gone"), endpoint_ids=(endpoint.id, other.id, "ep_gone"))
        lines = await ScopeLines.open(world.control, site.owner)
        written = await lines.written(scope)
        read = await lines.read(written, scope, findings)
        by_name = await lines.read(
            f"a/b\n  /jobs/{twin}  \nhttps://x.example/endpoints/{other.id}/", EVERYWHERE, findings
        )

    assert read == scope
    assert by_name == AlertScope(job_ids=(twin,), endpoint_ids=(slashed, twin, other.id))  # Refused: two have the name.
    assert [fault.message for fault in findings.errors] == ["2 are called “a/b”: give the address of the page of one."]


FORMS = {
    "/alerts/routes/new": Role.EDITOR, "/alerts/rules/change": Role.EDITOR, "/alerts/rules/new": Role.EDITOR,
    "/alerts/maintenance/new": Role.OPERATOR,
}  # fmt: skip


@pytest.mark.parametrize("role", Role)
async def test_people_are_led_to_the_forms_that_they_may_send_and_to_no_others(role: Role) -> None:
    async with a_site() as site:
        await filled(site, runs=1)
        route = await a_route(site)
        window = MaintenanceDocument.model_validate({"name": "move", "durationMs": 60_000, "cron": "0 3 * * 0"})
        made = await site.world.control.alerts.create_window(site.owner, window)
        async with site.browsing(role) as theirs:
            pages = "".join(
                [
                    await theirs.text(path)
                    for path in ("/alerts", "/alerts/rules", "/alerts/maintenance", route, "/incidents")
                ]
            )
            led = {path for path in FORMS if f'href="{path}"' in pages}
            answers = {path: (await theirs.client.get(path)).status_code for path in FORMS}
            csrf = pages.partition('name="csrf" value="')[2].partition('"')[0]
            moves = [f"{route}/test", f"{route}/edit", f"{route}/remove", "/alerts/rules/change", "/alerts/rules/new",
                     f"/alerts/maintenance/{made.id}/remove", "/incidents/incident_1/acknowledge"]  # fmt: skip
            refused = [path for path in moves
                       if (await theirs.client.post(path, data={"csrf": csrf})).status_code == 403]  # fmt: skip

    ranks = list(Role)
    may = {path for path, least in FORMS.items() if ranks.index(role) >= ranks.index(least)}
    assert led == may
    assert {path for path, status in answers.items() if status == 200} == may
    assert {status for path, status in answers.items() if path not in may} <= {403}
    assert (f'action="{route}/test"' in pages) == (role in {Role.EDITOR, Role.OWNER})
    assert (f"/{made.id}/remove" in pages) == (role is not Role.VIEWER)
    assert refused == {Role.VIEWER: moves, Role.OPERATOR: moves[:5]}.get(role, [])


async def test_alerts_of_another_tenant_are_not_there_and_its_endpoints_mean_nothing() -> None:
    async with a_site() as site:
        endpoint = await filled(site, runs=1)
        route = await a_route(site)
        _, rival = site.world.stores.database.tenants.values()
        async with Site(site.world, rival.id, site.app, site.client).browsing(Role.OWNER) as other:
            pages = [await other.client.get(path) for path in (route, f"{route}/edit", "/incidents/incident_1")]
            csrf = (await other.text("/alerts")).partition('name="csrf" value="')[2].partition('"')[0]
            forms = [f"{route}/test", f"{route}/edit", f"{route}/remove", "/incidents/incident_1/acknowledge",
                     "/alerts/maintenance/window_1/remove", "/alerts/rules/0"]  # fmt: skip
            pages += [await other.client.post(path, data={"csrf": csrf}) for path in forms]
            new = "/alerts/routes/new"
            scoped = [(await sent(other, new, new, **ROUTE, scope=each))[0] for each in (endpoint.id, endpoint.job_id)]
            seen = await other.text("/alerts") + await other.text("/incidents?show=all")

    assert [page.status_code for page in pages] == [404] * len(pages)
    assert scoped == [400, 400]
    assert "on call" not in seen
    assert "incident_1" not in seen


async def test_what_anybody_calls_a_route_a_job_or_a_window_is_shown_as_text_and_weighs_little() -> None:
    async with a_site() as site:
        for number in range(50):
            job = await site.world.job(site.owner, f"{number} {HOSTILE}")
            await a_route(site, name=f"{number} {LONG}"[:255], jobIds=[job])
            window = {"name": HOSTILE, "durationMs": 60_000, "cron": "0 3 * * 0", "jobIds": [job]}
            await site.world.control.alerts.create_window(site.owner, MaintenanceDocument.model_validate(window))
        at = await a_route_page(site)
        pages = [
            await site.text(path) for path in ("/alerts", "/alerts/rules", "/alerts/maintenance", at, f"{at}/edit")
        ]

    for page in pages:
        outline = Outline(page)
        assert outline.open == []
        assert len(outline.all("script")) == 1
        assert [each for each in outline.all("img") if each.get("src") == "x"] == []
        assert len(page.encode()) < PAGE_BYTES_MAX - BESIDE


async def a_route_page(site: Site) -> str:
    """The page of the first route."""
    return f"/alerts/routes/{(await site.world.control.alerts.show(site.owner)).routes[0].id}"
