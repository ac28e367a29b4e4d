"""The audit log in the web app: filters, pages, and what was before and after."""

import re
from dataclasses import replace

import pytest

from cronicorn.control.document import EndpointPatch, JobDocument, JobPatch
from cronicorn.control.keys import KeyDocument
from cronicorn.domain.access.audit_entry import AuditEntry
from cronicorn.domain.fixtures import MIDNIGHT
from cronicorn.domain.permission import Role
from cronicorn.domain.principal import ActorKind
from cronicorn.web.changes import ChangedValue, changes_of
from cronicorn.web.pages.audit import ENTRIES_SHOWN
from tests.web.site import a_site, filled
from tests.web.test_pages import HOSTILE

ROW = re.compile(r"<tr><th scope=\"row\"><code>(.*?)</code></th>(.*?)</tr>")
CELL = re.compile(r"<td[^>]*>(.*?)</td>")


async def test_a_change_is_told_field_by_field_in_words() -> None:
    async with a_site() as site:
        endpoint = await filled(site, runs=1)
        patch = EndpointPatch.model_validate({"name": "levels", "minIntervalMs": 20_000})
        await site.world.control.endpoints.edit(site.owner, endpoint.id, patch)
        page = await site.text(f"/audit?action=endpoint.edit&thing={endpoint.id}")

    rows = {name: CELL.findall(cells) for name, cells in ROW.findall(page)}
    assert rows == {"name": ["stock", "levels"], "interval_min": ["15s", "20s"]}
    assert f'href="/endpoints/{endpoint.id}"' in page
    assert "2 changed" in page


async def test_entries_are_chosen_and_come_in_pages() -> None:
    async with a_site() as site:
        job = await site.world.job(site.owner)
        for number in range(ENTRIES_SHOWN + 2):
            await site.world.control.jobs.edit(site.owner, job, JobPatch(name=f"name {number}"))
        await site.world.control.jobs.create(site.owner, JobDocument(name="other"))
        first = await site.text(f"/audit?thing={job}&action=job.edit")
        further = re.search(r'href="(/audit\?[^"]*before=\d+)"', first)
        assert further is not None
        second = await site.text(further[1].replace("&amp;", "&"))
        none = await site.text("/audit?action=job.nothing")
        odd = [await site.text(f"/audit?before={text}") for text in ("x", "-1", "9" * 40, "²")]

    assert first.count("<li>") == ENTRIES_SHOWN
    assert second.count("<li>") == 2
    assert "name 0" in second
    assert "other" not in first
    assert "No entry fits" in none
    assert all("job.create" in page for page in odd)


async def test_whom_and_what_is_meant_may_be_typed_as_a_name_or_a_part_of_an_id() -> None:
    async with a_site() as site:
        control = site.world.control
        shop, bank = await site.world.job(site.owner), await site.world.job(site.owner, "bank")
        stock = await site.world.endpoint(site.owner, jobId=shop, name="Stock")
        rates = await site.world.endpoint(site.owner, jobId=bank, name="rates")
        gone = await site.world.endpoint(site.owner, jobId=bank, name="gone")
        await control.endpoints.delete(site.owner, gone.id)
        async with site.browsing(Role.EDITOR) as editor:
            await editor.client.get("/jobs")
        key = await control.keys.create(site.owner, KeyDocument.model_validate({"name": "deploy", "role": "editor"}))
        by_key = replace(site.owner, kind=ActorKind.KEY, actor_id=key.key.id, actor="deploy")
        await control.jobs.edit(by_key, bank, JobPatch(description="of the key"))
        asked = {
            "endpoint": await site.text("/audit?thing=stock"),
            "words": await site.text("/audit?thing=bank+rat"),
            "full": await site.text("/audit?thing=bank%2FRates"),
            "job": await site.text("/audit?thing=bank"),
            "gone": await site.text(f"/audit?thing={gone.id}"),
            "key": await site.text("/audit?actor=deploy"),
            "part": await site.text("/audit?actor=DEPL&action=job.edit"),
            "nobody": await site.text("/audit?actor=nobody+at+all"),
        }
        actions, none = await site.text("/audit?action=edit"), await site.text("/audit?thing=nothing-like-it")
        many = await site.text("/audit?thing=ep_")

    assert {name for name, page in asked.items() if "No entry fits" in page} == {"nobody"}
    linked = {name: set(re.findall(r'href="/(?:endpoints|jobs)/([^"]*)"', page)) for name, page in asked.items()}
    assert linked == {
        "endpoint": {stock.id}, "words": {rates.id}, "full": {rates.id}, "job": {bank}, "gone": {gone.id},
        "key": {bank}, "part": {bank}, "nobody": set(),
    }  # fmt: skip
    assert "endpoint.delete" in asked["gone"]
    assert "of the key" in asked["key"]
    assert '<option value="deploy">key</option>' in asked["job"]
    assert 'href="/audit?action=job.edit"' in actions
    assert "Which change?" in actions
    assert "No entry fits" in none
    assert f'href="/audit?thing={stock.id}">shop/Stock</a>' in many
    assert f'href="/audit?thing={rates.id}">bank/rates</a>' in many


async def test_only_owners_see_it_and_nobody_sees_anothers() -> None:
    async with a_site() as site:
        await site.world.job(site.owner, HOSTILE)
        page = await site.text("/audit?action=job.create&thing=%3Cscript%3E")
        shown = await site.text("/audit")
        async with site.browsing(Role.EDITOR) as editor:
            refused, settings = await editor.text("/audit", 403), await editor.text("/settings")

    assert "<script>alert" not in shown + page
    assert "rival" not in shown
    assert "audit:read" in refused
    assert 'href="/audit"' not in settings
    assert 'href="/usage"' in settings


def entry(before: object, after: object) -> AuditEntry:
    return AuditEntry(
        tenant_id="t1", at=MIDNIGHT, actor_kind=ActorKind.USER, actor_id="m1", actor="ann", action="job.edit",
        object_kind="job", object_id="j", before=before, after=after, request_id=None,  # type: ignore[arg-type]
    )  # fmt: skip


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (
            {"expires_at_us": 1_767_225_600_000_000},
            {"expires_at_us": None},
            [("expires_at", "2026-01-01T00:00:00Z", "null")],
        ),
        ({"a": {"b": {"c": {"d": 1}}}}, {"a": {"b": {"c": {"d": 2}}}}, [("a.b.c", '{"d": 1}', '{"d": 2}')]),
        ({"hints": [{"interval_us": 1_000_000}]}, {"hints": []}, [("hints", "", "[]"), ("hints 1.interval", "1s", "")]),
        (None, {"name": "x", "on": True}, [("name", "", "x"), ("on", "", "true")]),
        ({"at_us": 10**30}, None, [("at", "1" + "0" * 30, "")]),
        ({}, {}, []),
    ],
)
def test_values_are_told_as_a_person_reads_them(
    before: object, after: object, told: list[tuple[str, str, str]]
) -> None:
    assert changes_of(entry(before, after)) == [ChangedValue(name=n, before=b, after=a) for n, b, a in told]
