"""Endpoints that are no longer wanted, and jobs that are edited: by whom, and how not by accident."""

import pytest

from cronicorn.domain.errors import NotFoundError
from cronicorn.domain.permission import Role
from tests.web.entered import EnteredForm
from tests.web.site import Site, a_site, filled

ENDINGS = ("archive", "unarchive", "delete")


async def test_an_endpoint_is_archived_and_comes_back() -> None:
    async with a_site() as site:
        endpoint = await filled(site, runs=2)
        at = f"/endpoints/{endpoint.id}"
        gone = await site.send(at, f"{at}/archive")
        archived = await site.text(at)
        due = (await site.world.now_stored(endpoint)).state.due_at
        back = await site.send(at, f"{at}/unarchive")
        after = await site.world.now_stored(endpoint)

    assert [gone.headers["location"], back.headers["location"]] == [at, at]
    assert "it is not called" in archived
    assert f'action="{at}/run"' not in archived
    assert due is None
    assert after.archived_at is None
    assert after.state.due_at is not None


async def test_an_endpoint_is_deleted_after_a_question_and_not_when_it_was_edited_since() -> None:
    async with a_site() as site:
        endpoint = await filled(site, runs=3)
        at = f"/endpoints/{endpoint.id}"
        question = await site.text(f"{at}/delete")
        entered = EnteredForm(question, f"{at}/delete").fields
        unasked = await site.client.post(f"{at}/delete", data={"csrf": entered["csrf"]})
        edit = EnteredForm(await site.text(f"{at}/edit"), f"{at}/edit").fields
        await site.client.post(f"{at}/edit", data=edit | {"do": "save", "description": "Still needed."})
        stale = await site.client.post(f"{at}/delete", data=entered)
        kept = await site.world.now_stored(endpoint)
        done = await site.send(f"{at}/delete", f"{at}/delete", version=str(kept.version))
        with pytest.raises(NotFoundError):
            await site.world.now_stored(endpoint)

    assert "3 runs" in question
    assert "Archive it" in question
    assert (unasked.status_code, stale.status_code) == (412, 412)
    assert kept.description == "Still needed."
    assert done.headers["location"] == f"/jobs/{endpoint.job_id}"


@pytest.mark.parametrize("role", Role)
async def test_only_whoever_may_ends_endpoints_and_edits_jobs(role: Role) -> None:
    async with a_site() as site:
        endpoint = await filled(site, runs=1)
        at, job = f"/endpoints/{endpoint.id}", f"/jobs/{endpoint.job_id}/edit"
        async with site.browsing(role) as theirs:
            page = await theirs.text(at)
            csrf = page.partition('name="csrf" value="')[2].partition('"')[0]
            asked = [await theirs.client.get(path) for path in (f"{at}/delete", job)]
            sent = [await theirs.client.post(path, data={"csrf": csrf, "name": "x"})
                    for path in (*(f"{at}/{each}" for each in ENDINGS), job)]  # fmt: skip

    may = role in {Role.EDITOR, Role.OWNER}
    assert [each.status_code for each in asked] == [200 if may else 403] * 2
    assert [each.status_code for each in sent] == ([303, 303, 412, 412] if may else [403] * 4)
    assert (f'href="{at}/delete"' in page) == (f'action="{at}/archive"' in page) == (f'href="{at}/edit"' in page) == may


async def test_what_belongs_to_another_tenant_can_not_be_ended_or_edited() -> None:
    async with a_site() as site:
        endpoint = await filled(site, runs=1)
        at, job = f"/endpoints/{endpoint.id}", f"/jobs/{endpoint.job_id}/edit"
        _, rival = site.world.stores.database.tenants.values()
        async with Site(site.world, rival.id, site.app, site.client).browsing(Role.OWNER) as other:
            csrf = (await other.text("/jobs")).partition('name="csrf" value="')[2].partition('"')[0]
            answers = [await other.client.get(path) for path in (f"{at}/delete", job)]
            answers += [await other.client.post(path, data={"csrf": csrf, "name": "x", "version": "1"})
                        for path in (*(f"{at}/{each}" for each in ENDINGS), job)]  # fmt: skip
        after = await site.world.now_stored(endpoint)

    assert {each.status_code for each in answers} == {404}
    assert after == endpoint


async def test_a_job_is_edited_and_an_edit_in_between_is_shown() -> None:
    async with a_site() as site:
        job = await site.world.job(site.owner)
        at = f"/jobs/{job}/edit"
        opened = EnteredForm(await site.text(at), at).fields
        site.world.clock.move(seconds=1)
        bad = await site.client.post(at, data=opened | {"name": " ", "description": "kept"})
        first = await site.client.post(at, data=opened | {"name": "theirs <b>"})
        late = await site.client.post(at, data=opened | {"name": "mine"})
        between = await site.world.control.jobs.get(site.owner, job)
        again = await site.client.post(at, data=EnteredForm(late.text, at).fields)
        after = await site.world.control.jobs.get(site.owner, job)

    assert (bad.status_code, first.status_code, late.status_code, again.status_code) == (400, 303, 412, 303)
    assert 'id="name-fault"' in bad.text
    assert ">kept</textarea>" in bad.text
    assert "it is “theirs &lt;b&gt;” now, without a description" in late.text
    assert (between.name, after.name) == ("theirs <b>", "mine")
