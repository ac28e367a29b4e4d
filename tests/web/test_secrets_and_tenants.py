"""The pages of secrets, the signing key and tenants: nothing secret is shown twice, and each stays with its tenant."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from cronicorn.control.document import SecretDocument
from cronicorn.control.members import MemberDocument
from cronicorn.domain.permission import Role
from tests.control.world import LOCAL
from tests.web.entered import EnteredForm
from tests.web.site import Site, a_browser, a_site
from tests.web.test_alerts import BESIDE, sent
from tests.web.test_members_and_keys import SHOWN
from tests.web.test_pages import HOSTILE, PAGE_BYTES_MAX, Outline

TOKEN = "a-long-secret <token>"


async def a_runner(site: Site) -> str:
    """What the browser of somebody shows who runs the installation, and is an owner of the tenant."""
    local = replace(LOCAL, tenant_id=site.tenant_id)
    document = MemberDocument.model_validate({"login": "root", "role": "owner", "runsInstallation": True})
    made = await site.world.control.members.add(local, document)
    link = await site.world.control.members.offer_link(local, made.member.id)
    async with a_browser(site.app) as browser:
        await browser.post("/sign-in", data={"token": link.token})
        return str(browser.cookies["cronicorn-session"])


async def test_a_secret_is_set_anew_and_removed_and_its_text_is_on_no_page() -> None:
    async with a_site() as site:
        empty = await site.text("/secrets")
        short = await sent(site, "/secrets", "/secrets/set", name="shop-token", value="12345")
        odd = await sent(site, "/secrets", "/secrets/set", name="1 <b>", value=TOKEN)
        kept = await sent(site, "/secrets", "/secrets/set", name="shop-token", value=f"{TOKEN}\r\nsecond line\r\n")
        first = (await site.world.control.secrets.list(site.owner))[0]
        page, again = await site.text("/secrets"), await site.text("/secrets?name=shop-token")
        anew = await sent(site, "/secrets", "/secrets/set", name="shop-token", value=TOKEN)
        removed = await site.send("/secrets", "/secrets/shop-token/remove")
        gone = await site.client.post(
            "/secrets/shop-token/remove", data={"csrf": EnteredForm(page, "/secrets/set").fields["csrf"]}
        )

    assert "None yet." in empty
    assert [each[0] for each in (short, odd, kept, anew)] == [400, 400, 303, 303]
    assert 'id="value-fault">Must be a text of 6' in short[1]
    assert 'value="shop-token"' in short[1]
    assert "12345" not in short[1]
    assert 'id="name-fault">A secret' in odd[1]
    assert "<b>" not in odd[1].partition("<main")[2].partition("<h2")[0]
    assert first.name == "shop-token"
    assert "a-long-secret" not in page + again + odd[1]
    assert 'value="shop-token"' in again
    assert (removed.headers["location"], gone.status_code) == ("/secrets", 404)


async def test_a_signing_key_is_made_rotated_and_shown_once_each_time() -> None:
    async with a_site() as site:
        at, keys = "/signing-key", site.world.control.signing_keys
        before = await site.text(at)
        make = EnteredForm(before, f"{at}/make").fields
        made = await site.client.post(f"{at}/make", data=make)
        again = await site.client.post(f"{at}/make", data=make)
        other = await site.client.post(f"{at}/make", data=make | {"once": "form_2"})
        bad = await sent(site, at, f"{at}/rotate", overlapMs="40d")
        odd = await sent(site, at, f"{at}/rotate", overlapMs="long")
        rotated = await sent(site, at, f"{at}/rotate", overlapMs="2h")
        newest, older = await keys.show(site.owner)
        page = await site.text(at)
        ended = await site.send(at, f"{at}/end-overlap")
        alone = await keys.show(site.owner)
        removed = await site.send(at, f"{at}/remove")
        texts = SHOWN.findall(made.text) + SHOWN.findall(rotated[1])

    assert "Calls are not signed." in before
    assert len(set(texts)) == 2
    assert all(text.startswith("whsec_") for text in texts)
    assert (again.headers["location"], other.status_code) == (at, 409)
    assert (bad[0], odd[0], rotated[0]) == (400, 400, 200)
    assert 'id="overlapMs-fault">Say how long' in odd[1]
    assert older.until == site.world.clock.now() + timedelta(hours=2)
    assert not [text for text in texts if text in page]
    assert f'<code>{older.prefix}…</code> <span class="tag is-paused">until' in page
    assert (ended.headers["location"], alone) == (at, (newest,))
    assert removed.headers["location"] == at
    assert await keys.show(site.owner) == ()


async def test_whoever_runs_the_installation_provides_for_a_tenant_and_nobody_overwrites_another() -> None:
    async with a_site() as site, a_browser(site.app, await a_runner(site)) as client:
        runner = replace(site, client=client)
        added = await sent(runner, "/tenants", "/tenants/new", name="new <b>")
        taken = await sent(runner, "/tenants", "/tenants/new", name="new <b>")
        *_, tenant = site.world.stores.database.tenants.values()
        at = f"/tenants/{tenant.id}"
        stale = EnteredForm(await runner.text(at), f"{at}/retention").fields
        bad = await sent(runner, at, f"{at}/egress", allow="10.0.0.0/8\nnot a range")
        opened = await sent(runner, at, f"{at}/egress", allow="10.0.0.0/8\r\ndb.internal")
        kept = await sent(runner, at, f"{at}/retention", runsMs="30d", failuresMs="90d")
        late = await client.post(f"{at}/retention", data=stale | {"runsMs": "7d", "failuresMs": ""})
        version = EnteredForm(late.text, f"{at}/retention").fields["version"]
        anyway = await client.post(f"{at}/retention", data=stale | {"runsMs": "7d", "version": version})
        unknown = await sent(runner, at, f"{at}/terms", tier="gold", limit="10", zone="Nowhere/At All")
        warned = await sent(runner, at, f"{at}/terms", limit="10", period="day", zone="Europe/Berlin")
        shown = await site.world.control.tenant_settings.get(LOCAL, tenant.id)
        nothing = await sent(runner, at, f"{at}/egress", allow="")

    assert (added[0], taken[0], len(SHOWN.findall(added[1]))) == (200, 409, 1)
    assert [each[0] for each in (bad, opened, kept, unknown, nothing)] == [400, 303, 303, 400, 303]
    assert 'id="allow-fault">' in bad[1]
    assert "not a range</textarea>" in bad[1]
    assert (late.status_code, anyway.status_code) == (412, 303)
    assert '<th scope="row">Runs that did not fail</th><td>30d</td><td>7d</td>' in late.text
    assert set(re.findall(r'id="(\w+)-fault">[^<]', unknown[1])) == {"tier", "zone"}
    assert (warned[0], "never has room" in warned[1]) == (200, True)
    assert str(shown.provision.egress) == "10.0.0.0/8,db.internal"
    assert shown.provision.runs_kept == timedelta(days=7)
    assert shown.provision.failures_kept is None
    assert (shown.tenant.terms.limit, shown.tenant.terms.zone) == (10, "Europe/Berlin")


@pytest.mark.parametrize("role", Role)
async def test_a_tenant_sees_what_holds_for_it_and_changes_none_of_it(role: Role) -> None:
    async with a_site() as site:
        own, rival = site.world.stores.database.tenants.values()
        await site.world.control.secrets.set(site.owner, "shop-token", SecretDocument(value=TOKEN))
        async with site.browsing(role) as theirs:
            page, secrets, key = [await theirs.text(path) for path in ("/tenant", "/secrets", "/signing-key")]
            others = [await theirs.client.get(path) for path in (f"/tenants/{rival.id}", "/tenants")]
            csrf = page.partition('name="csrf" value="')[2].partition('"')[0]
            forms = ["/tenants/new", *(f"/tenants/{own.id}/{part}" for part in ("egress", "retention", "terms"))]
            refused = [(await theirs.client.post(path, data={"csrf": csrf})).status_code for path in forms]
            owned = ["/secrets/set", "/secrets/shop-token/remove", "/signing-key/make", "/signing-key/rotate",
                     "/signing-key/end-overlap", "/signing-key/remove"]  # fmt: skip
            fields = {"csrf": csrf, "name": "x", "value": TOKEN}
            tried = [(await theirs.client.post(path, data=fields)).status_code for path in owned]

    assert "the public internet alone" in page
    assert 'action="/tenants/' not in page
    assert [answer.status_code for answer in others] == [404, 403]
    assert refused == [403] * 4
    assert "shop-token" in secrets
    assert ('action="/secrets/set"' in secrets, 'action="/signing-key/make"' in key) == (role is Role.OWNER,) * 2
    assert (tried == [403] * 6) == (role is not Role.OWNER)


async def test_many_secrets_and_tenants_weigh_little_and_names_are_text() -> None:
    async with a_site() as site, a_browser(site.app, await a_runner(site)) as client:
        runner = replace(site, client=client)
        for number in range(70):
            await site.world.control.secrets.set(site.owner, f"{'n' * 60}_{number}", SecretDocument(value=TOKEN))
        for number in range(101):
            await site.world.control.tenants.add(LOCAL, f"{number} {HOSTILE}")
        *_, tenant = site.world.stores.database.tenants.values()
        paths = ("/secrets", "/secrets?page=2", "/secrets?page=9", "/tenants", f"/tenants/{tenant.id}", "/settings")
        pages = {path: await runner.text(path) for path in paths}

    assert {path for path, page in pages.items() if len(page.encode()) > PAGE_BYTES_MAX - BESIDE} == set()
    for page in pages.values():
        outline = Outline(page)
        assert outline.open == []
        assert len(outline.all("script")) == 1
    assert "more: <code>cronicorn tenant list" in pages["/tenants"]
    assert "No further secrets." in pages["/secrets?page=9"]
