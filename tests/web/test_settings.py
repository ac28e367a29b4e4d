"""The page of settings, and what somebody may do about their own account."""

import re

import pytest

from cronicorn.control.accounts import SignInDocument
from cronicorn.control.members import MemberDocument
from cronicorn.domain.errors import UnauthenticatedError
from cronicorn.domain.permission import Role
from cronicorn.web.pages.settings import SETTINGS
from tests.web.site import a_browser, a_site

LINK = re.compile(r'<li><a href="([^"]+)">')


@pytest.mark.parametrize("role", Role)
async def test_settings_lead_to_the_pages_that_somebody_may_see_and_each_is_there(role: Role) -> None:
    async with a_site() as site, site.browsing(role) as theirs:
        led = LINK.findall(await theirs.text("/settings"))
        others = [each.path for group in SETTINGS for each in group.links if each.path not in led]
        answers = {path: (await theirs.client.get(path)).status_code for path in led}
        refused = {path: (await theirs.client.get(path)).status_code for path in others}

    assert "/account" in led
    assert set(answers.values()) == {200}
    assert set(refused.values()) <= {403}


async def test_a_person_changes_their_password_and_stays_signed_in_here_alone() -> None:
    async with a_site() as site:
        control = site.world.control
        made = await control.members.add(site.owner, MemberDocument(login="ann", role=Role.VIEWER))
        document = SignInDocument(login="ann", password=made.password)
        here, elsewhere = [(await control.accounts.sign_in(document, "127.0.0.1")).token for _ in range(2)]
        async with a_browser(site.app, here) as client, a_browser(site.app, elsewhere) as other:
            page = (await client.get("/account")).text
            csrf = page.partition('name="csrf" value="')[2].partition('"')[0]
            new = " långes Wort – mit Lücken "
            form = {"csrf": csrf, "password": made.password, "newPassword": new, "again": new}
            faults = [
                await client.post("/account/password", data=form | wrong)
                for wrong in ({"again": "another"}, {"password": "wrong"}, {"newPassword": "short", "again": "short"})
            ]
            changed = await client.post("/account/password", data=form)
            done = await client.get(changed.headers["location"])
            gone = await other.get("/account")
        with pytest.raises(UnauthenticatedError):
            await control.accounts.sign_in(document, "127.0.0.1")
        await control.accounts.sign_in(SignInDocument(login="ann", password=new), "127.0.0.1")

    assert [answer.status_code for answer in faults] == [400] * 3
    assert [re.findall(r'id="(\w+)-fault"', answer.text) for answer in faults] == [
        ["again"], ["password"], ["newPassword"]
    ]  # fmt: skip
    assert all(made.password not in answer.text for answer in faults)
    assert "Your password is another one now." in done.text
    assert gone.headers["location"] == "/sign-in?next=%2Faccount"


async def test_signing_out_everywhere_ends_each_session() -> None:
    async with a_site() as site:
        token = await site.token(login="ann")
        async with a_browser(site.app, token) as client:
            csrf = (await client.get("/account")).text.partition('name="csrf" value="')[2].partition('"')[0]
            left = await client.post("/account/sign-out-everywhere", data={"csrf": csrf})
        async with a_browser(site.app, token) as again:
            after = await again.get("/account")

    assert left.headers["location"] == "/sign-in"
    assert after.status_code == 303
