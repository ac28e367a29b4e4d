"""What files own is told wherever somebody is about to change it, and what becomes of that."""

import re
from collections.abc import Sequence
from typing import Any

from cronicorn.control.alert_documents import AlertRouteDocument
from cronicorn.control.document import EndpointPatch
from cronicorn.domain.alert.alerting import AlertRoute
from cronicorn.domain.endpoint import JobEndpoint
from cronicorn.domain.permission import Role
from cronicorn.domain.policy.text import policy_document
from tests.control.drafts_by_hand import SURGE
from tests.web.site import Site, a_site, beside
from tests.web.test_pages import HOSTILE, PAGE_BYTES_MAX, Outline

SET = f"shop {HOSTILE}"[:60]
STOCK = {
    "name": "stock", "url": "https://shop.example/stock", "baselineIntervalMs": 60_000, "headersJson": {"Accept": "x"},
    "catchUp": {"mode": "latest"}, "policy": None,
}  # fmt: skip


async def an_owned(site: Site, name: str = SET, **fields: Any) -> JobEndpoint:
    """An endpoint that the files of one set have made."""
    control = site.world.control
    jobs = [{"name": "shop", "description": "The shop", "endpoints": [STOCK | fields]}]
    await control.files.apply(site.owner, {"set": name, "jobs": jobs})
    ((job, _),) = await control.jobs.list(site.owner)
    (view,) = await control.endpoints.list(site.owner, job.id)
    return view.endpoint


def marked(page: str) -> dict[str, str]:
    """The fields beside which something of files is told, and what."""
    return dict(re.findall(r'<p class="hint" id="([^"]*)-files">(.*?)</p>', page))


async def test_the_page_of_an_endpoint_tells_the_set_in_a_line_and_which_fields_were_edited_since() -> None:
    async with a_site() as site:
        endpoint = await an_owned(site, "store")
        at = f"/endpoints/{endpoint.id}"
        fresh = await site.text(at)
        async with site.browsing(Role.VIEWER) as viewer:
            looked_on = await viewer.text(at)
        patch = EndpointPatch.model_validate({"baselineIntervalMs": 90_000, "timeoutMs": 5_000})
        await site.world.control.endpoints.edit(site.owner, endpoint.id, patch)
        edited = await site.text(at)
        await site.send(at, f"{at}/archive")
        archived = await site.text(at)
        other = await site.world.endpoint(site.owner, name="free")
        free = await site.text(f"/endpoints/{other.id}")

    assert "<dt>Files</dt><dd>of the set <strong>store</strong></dd>" in fresh
    assert "<dt>Files</dt><dd>of the set <strong>store</strong></dd>" in looked_on
    assert "of the set <strong>store</strong>; edited since: baseline, so its next apply is refused</dd>" in edited
    assert "Applying files leaves pauses and hints alone." in edited
    assert "The files of <strong>store</strong> list it: their next apply is refused" in archived
    assert "files" not in free.lower()


async def test_each_field_that_files_name_says_so_beside_it_before_anything_is_saved() -> None:
    async with a_site() as site:
        endpoint = await an_owned(
            site, "store", policy=policy_document(SURGE), headersJson={"Accept": "x", "X-Two": "2"}
        )
        patch = EndpointPatch.model_validate({"headersJson": {"Accept": "y", "X-Two": "2"}})
        await site.world.control.endpoints.edit(site.owner, endpoint.id, patch)
        form = await site.text(f"/endpoints/{endpoint.id}/edit")
        new = await site.text(f"/jobs/{endpoint.job_id}/endpoints/new?pattern=plain")
        rules = await site.text(f"/endpoints/{endpoint.id}/policy")
        faulty = await site.send(
            f"/endpoints/{endpoint.id}/edit", f"/endpoints/{endpoint.id}/edit", name="", do="save",
            marks="{}", version="x",
        )  # fmt: skip

    said = "In the files of store."
    assert marked(form) == {
        **dict.fromkeys(("name", "url", "kind", "baselineIntervalMs", "baselineCron", "onceAt", "policy"), said),
        "catchUp/mode": said, "headersJson": "In the files of store, and edited since.",
    }  # fmt: skip
    described = {
        attributes.get("id"): attributes["aria-describedby"] or ""
        for _, attributes in Outline(form).elements
        if "aria-describedby" in attributes
    }
    assert "url-files" in described["url"].split()
    assert "timeoutMs-files" not in described["timeoutMs"].split()
    assert "<code>cronicorn apply</code> of that set is refused until a file says the same" in form
    assert marked(new) == {}
    assert "cronicorn apply" not in new
    assert marked(rules) == {"policy": said}
    assert "cronicorn apply" in rules
    assert marked(faulty.text) == marked(form)


async def test_whoever_would_delete_activate_or_change_the_job_is_told_what_becomes_of_it() -> None:
    async with a_site() as site:
        endpoint = await an_owned(site, "store", policy=policy_document(SURGE))
        draft = (await site.world.control.drafts.make(site.owner, endpoint.id)).draft.id
        pages = [
            await site.text(path)
            for path in (
                f"/endpoints/{endpoint.id}/delete",
                f"/endpoints/{endpoint.id}/policy/drafts/{draft}",
                f"/jobs/{endpoint.job_id}",
                f"/jobs/{endpoint.job_id}/edit",
            )
        ]
        await site.send(f"/jobs/{endpoint.job_id}", f"/jobs/{endpoint.job_id}/archive")
        pages.append(await site.text(f"/jobs/{endpoint.job_id}"))

    told = (
        "The files of <strong>store</strong> list it: unless they do no longer, the next <code>cronicorn apply</code>",
        "Files of the set <strong>store</strong> name its rules, which this would change.",
        "In the files of the set <strong>store</strong>.",
        "Files of the set <strong>store</strong> name this job.",
        "The files of <strong>store</strong> list it: their next apply is refused",
    )
    assert [text in page for text, page in zip(told, pages, strict=True)] == [True] * len(told)


async def test_however_sets_are_called_pages_stay_light_and_what_they_are_called_stays_text() -> None:
    async with a_site() as site:
        endpoint = await an_owned(site)
        for number in range(6):
            await an_owned(site, f"{number} {SET}")
        patch = EndpointPatch.model_validate({"baselineIntervalMs": 90_000, "url": "https://shop.example/other"})
        await site.world.control.endpoints.edit(site.owner, endpoint.id, patch)
        at = f"/endpoints/{endpoint.id}"
        pages = {path: await site.text(path) for path in (at, f"{at}/edit", f"{at}/policy", f"{at}/delete")}

    for path, page in pages.items():
        assert len(page.encode()) + beside(page) < PAGE_BYTES_MAX, path
        assert Outline(page).open == [], path
        assert "<script>alert" not in page
        assert path.endswith("/policy") or " and 4 more" in page
    assert "4 more" in marked(pages[f"{at}/edit"])["url"]


async def test_routes_rules_and_windows_that_files_name_tell_it_and_others_do_not() -> None:
    async with a_site() as site:
        control = site.world.control
        mail = {"name": "mail", "channel": "email", "target": "ops@example.com"}
        window = {"name": "nightly", "cron": "0 3 * * *", "timezone": "UTC", "durationMs": 60_000}
        alerts = {"rules": {"failures": 5}, "routes": [mail], "maintenance": [window]}
        document = {"set": "store", "jobs": [], "alerts": alerts}
        other = await control.alerts.create_route(
            site.owner, AlertRouteDocument.model_validate(mail | {"name": "by hand"})
        )
        free = [await site.text(path) for path in ("/alerts/rules", "/alerts/rules/change", "/alerts/maintenance")]
        await control.files.apply(site.owner, document)
        at = f"/alerts/routes/{next(route.id for route in await routes(site) if route.name == 'mail')}"
        paths = (at, f"{at}/edit", "/alerts/rules", "/alerts/rules/change", "/alerts/rules/new", "/alerts/maintenance")
        pages = {path: await site.text(path) for path in paths}
        free += [await site.text(f"/alerts/routes/{other.id}{end}") for end in ("", "/edit")]

    assert [path for path, page in pages.items() if "<strong>store</strong>" not in page] == []
    assert [path for path, page in pages.items() if Outline(page).open] == []
    assert [path for path, page in pages.items() if len(page.encode()) + beside(page) >= PAGE_BYTES_MAX] == []
    assert "their next apply makes it anew" in pages[at]
    assert "is refused until a file says the same" in pages[f"{at}/edit"]
    assert not any("store" in page for page in free)


async def routes(site: Site) -> Sequence[AlertRoute]:
    return (await site.world.control.alerts.show(site.owner)).routes
