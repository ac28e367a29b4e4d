"""The pages of members and keys: what is made is shown once, and nobody gives more than they have."""

import re

import pytest

from cronicorn.control.accounts import SignInDocument
from cronicorn.control.keys import KeyDocument
from cronicorn.domain.errors import UnauthenticatedError
from cronicorn.domain.permission import Permission, Role
from tests.web.entered import EnteredForm
from tests.web.site import Site, a_browser, a_site
from tests.web.test_alerts import BESIDE, sent
from tests.web.test_pages import HOSTILE, LONG, PAGE_BYTES_MAX, Outline

SHOWN = re.compile(r'<pre tabindex="0" aria-label="[^"]*" class="selected">([^<]*)</pre>')


async def member_named(site: Site, login: str) -> str:
    """The path of the page of the member."""
    found = await site.world.control.members.list(site.owner)
    return next(f"/members/{each.id}" for each in found if each.login == login)


async def test_a_member_is_added_changed_let_in_and_removed() -> None:
    async with a_site() as site:
        accounts = site.world.control.accounts
        bad = await sent(site, "/members", "/members/new", login="two words")
        form = EnteredForm(await site.text("/members"), "/members/new").fields | {"login": "Ben", "role": "editor"}
        added = await site.client.post("/members/new", data=form)
        (password,) = SHOWN.findall(added.text)
        again = await site.client.post("/members/new", data=form)
        taken = await sent(site, "/members", "/members/new", login="ben")
        at = await member_named(site, "ben")
        entered = await accounts.sign_in(SignInDocument(login="ben", password=password), "127.0.0.1")
        later = await site.text(at)
        changed = await sent(site, at, f"{at}/role", role="viewer")
        link = SHOWN.findall((await sent(site, at, f"{at}/link"))[1])
        token = link[0].partition("token=")[2]
        by_link = await accounts.sign_in(SignInDocument(token=token), "127.0.0.1")
        reset = SHOWN.findall((await sent(site, at, f"{at}/password"))[1])
        with pytest.raises(UnauthenticatedError):
            await accounts.sign_in(SignInDocument(login="ben", password=password), "127.0.0.1")
        await accounts.sign_in(SignInDocument(login="ben", password=reset[0]), "127.0.0.1")
        removed = await sent(site, at, f"{at}/remove")
        gone = await site.client.get(at)

    assert (bad[0], "Give a login without spaces" in bad[1], 'value="two words"' in bad[1]) == (400, True, True)
    assert entered.member.role is Role.EDITOR
    assert (again.status_code, again.headers["location"]) == (303, "/members")
    assert taken[0] == 409
    assert password not in later
    assert link[0].startswith("http://cronicorn/sign-in?token=cl_")
    assert (changed[0], by_link.member.role) == (303, Role.VIEWER)
    assert (removed, gone.status_code) == ((303, "/members"), 404)


async def test_one_owner_always_stays_and_the_page_says_so() -> None:
    async with a_site() as site:
        (owner,) = await site.world.control.members.list(site.owner)
        at = f"/members/{owner.id}"
        demoted, removed = await sent(site, at, f"{at}/role", role="viewer"), await sent(site, at, f"{at}/remove")

    assert (demoted[0], removed[0]) == (409, 409)
    assert "owner" in demoted[1].partition('role="alert">')[2][:200]


async def test_a_key_is_made_shown_once_and_revoked() -> None:
    async with a_site() as site:
        admittance = site.world.control.admittance
        bad = await sent(site, "/keys", "/keys/new", name=" ", requestsPerMinute="often", expiresAt="2001-01-01T00:00")
        late = await sent(site, "/keys", "/keys/new", name="x", expiresAt="2001-01-01T00:00")
        form = EnteredForm(await site.text("/keys"), "/keys/new").fields | {
            "name": f"deploy {HOSTILE}"[:200], "role": "editor", "expiresAt": "2030-01-31T00:00", "agent": "yes",
            "requestsPerMinute": "120", "scopes/jobs:write": "yes",
        }  # fmt: skip
        made = await site.client.post("/keys/new", data=form)
        (text,) = SHOWN.findall(made.text)
        again = await site.client.post("/keys/new", data=form)
        principal = (await admittance.by_key(text)).principal
        (key,) = [each for each in await site.world.control.keys.list(site.owner) if each.name]
        page = await site.text("/keys")
        revoked = await site.send("/keys", f"/keys/{key.id}/revoke")
        with pytest.raises(UnauthenticatedError):
            await admittance.by_key(text)
        after = await site.text("/keys")

    assert set(re.findall(r'id="(\w+)-fault">[^<]', bad[1])) == {"requestsPerMinute"}
    assert 'id="expiresAt-fault">Must lie in the future' in late[1]
    assert made.headers["cache-control"] == "no-store"
    assert again.headers["location"] == "/keys"
    assert principal.permissions == {Permission.JOBS_WRITE, Permission.JOBS_READ}
    assert (key.rate, key.agent, key.expires_at is not None) == (120, True, True)
    assert text not in page
    assert Outline(page).open == []
    assert (revoked.headers["location"], "revoked</span>" in after) == ("/keys", True)


@pytest.mark.parametrize("role", Role)
async def test_people_and_keys_are_shown_and_given_by_those_who_may(role: Role) -> None:
    async with a_site() as site:
        key = await site.world.control.keys.create(site.owner, KeyDocument(name="deploy", role=Role.VIEWER))
        site_owner = (await site.world.control.members.list(site.owner))[0]
        async with site.browsing(role) as theirs:
            members, keys = await theirs.client.get("/members"), await theirs.client.get("/keys")
            csrf = members.text.partition('name="csrf" value="')[2].partition('"')[0]
            at = f"/members/{site_owner.id}"
            forms = {
                "/members/new": {"login": "eve", "role": "owner"}, f"{at}/role": {"role": "viewer"},
                f"{at}/password": {}, f"{at}/link": {}, f"{at}/remove": {}, f"/keys/{key.key.id}/revoke": {},
                "/keys/new": {"name": "x", "role": "owner"},
            }  # fmt: skip
            answers = [await theirs.client.post(path, data={"csrf": csrf, **form}) for path, form in forms.items()]

    assert members.status_code == 200
    assert keys.status_code == (200 if role in {Role.EDITOR, Role.OWNER} else 403)
    if role is Role.OWNER:
        assert 'action="/members/new"' in members.text
        assert 'name="runsInstallation"' not in members.text + keys.text
        assert {answer.status_code for answer in answers} <= {200, 303}
    else:
        assert 'action="/members/new"' not in members.text
        assert 'action="/keys/' not in keys.text
        assert {answer.status_code for answer in answers} == {403}


async def test_members_and_keys_of_another_tenant_are_not_there() -> None:
    async with a_site() as site:
        (owner,) = await site.world.control.members.list(site.owner)
        key = await site.world.control.keys.create(site.owner, KeyDocument(name="their-key", role=Role.VIEWER))
        _, rival = site.world.stores.database.tenants.values()
        async with Site(site.world, rival.id, site.app, site.client).browsing(Role.OWNER) as other:
            at, page = f"/members/{owner.id}", await other.text("/members")
            csrf = page.partition('name="csrf" value="')[2].partition('"')[0]
            forms = [f"{at}/role", f"{at}/password", f"{at}/link", f"{at}/remove", f"/keys/{key.key.id}/revoke"]
            answers = [await other.client.get(at)]
            answers += [await other.client.post(path, data={"csrf": csrf, "role": "viewer"}) for path in forms]
            seen = page + await other.text("/keys")

    assert [answer.status_code for answer in answers] == [404] * 6
    assert owner.login not in seen
    assert key.key.name not in seen


async def test_many_members_and_keys_with_long_names_weigh_little() -> None:
    async with a_site() as site:
        for number in range(60):
            await site.world.control.keys.create(
                site.owner, KeyDocument(name=f"{number} {LONG}"[:255], role=Role.VIEWER)
            )
        pages = {
            path: await site.text(path)
            for path in ("/keys", "/keys?page=2", "/keys?page=3", "/keys?page=x", "/members")
        }
        async with a_browser(site.app) as stranger:
            refused = await stranger.post("/keys/new", data={"name": "x", "role": "viewer"})

    assert {path for path, page in pages.items() if len(page.encode()) > PAGE_BYTES_MAX - BESIDE} == set()
    assert all(Outline(page).open == [] for page in pages.values())
    assert 'href="/keys?page=2"' in pages["/keys"]
    assert "No further keys." not in pages["/keys?page=3"]
    assert refused.headers["location"] == "/sign-in?next=%2Fkeys"
