"""The form of an endpoint: made, tried, foreseen and changed, with scripts off."""

import json
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from pydantic import BaseModel

from cronicorn.control.document import EndpointPatch, SecretDocument
from cronicorn.control.drafting import blank
from cronicorn.control.rendering import shown
from cronicorn.domain.auth import AuthKind
from cronicorn.domain.call import Method
from cronicorn.domain.cron import DstGap, DstOverlap
from cronicorn.domain.endpoint import CatchUpMode, CompileMode, JobEndpoint, KeepBodies, Overlap
from cronicorn.domain.errors import UnavailableError
from cronicorn.domain.instant import EPOCH
from cronicorn.domain.permission import Role
from cronicorn.domain.signals.signal import Adapt
from cronicorn.testing.dispatchers import Reply
from cronicorn.web.endpoint_form import NAMES, entered_of, read_endpoint
from cronicorn.web.endpoint_labels import LABELS, label_of
from cronicorn.web.form_values import PAIRS
from tests.web.entered import EnteredForm
from tests.web.site import Site, a_site, scripts_of
from tests.web.test_pages import HOSTILE, Outline

URL = "https://shop.example/stock"
ALL: dict[str, object] = {
    "name": "all",
    "description": "Everything.\nIn two lines.",
    "baselineCron": "30 2 * * *",
    "timezone": "Europe/Berlin",
    "dstGap": "skip",
    "dstOverlap": "both",
    "windowMs": 90_000,
    "minIntervalMs": 30_000,
    "maxIntervalMs": 604_800_000,
    "catchUp": {"mode": "all", "windowMs": 3_600_000, "maxRuns": 3},
    "overlap": "buffer_one",
    "retries": {"retryCount": 2, "minBackoffMs": 1500, "maxBackoffMs": 60_000, "maxDoublings": 3},
    "successStatuses": ["200-204", "304"],
    "criteria": {"fields": {"took": {"http": "latency_ms", "type": "number"}}, "degraded": "took > 500"},
    "url": URL,
    "method": "POST",
    "headersJson": {"X-Shop": "a: b", "X-Token": "{{secret.SHOP}}"},
    "bodyJson": {"a": [1, None, "x"]},
    "auth": {"type": "basic", "username": "bob", "password": "{{secret.SHOP}}"},
    "timeoutMs": 12_500,
    "maxExecutionTimeMs": 61_000,
    "maxResponseSizeKb": 64,
    "redirectsMax": 2,
    "policy": {
        "version": 1,
        "fields": {"status": {"http": "status", "type": "number"}},
        "rules": [{"id": "slow", "when": "status == 503", "action": {"interval": "5m"}}],
    },
    "compile": "off",
    "adapt": "on",
    "signals": {"trend": False, "cache-control": True},
    "flow": {"key": "shop", "rate": 5, "periodMs": 1000, "parallelism": 2},
    "keepBodies": "failures",
    "redact": {"body": ["/a/0"], "headers": ["set-cookie"]},
    "analysis": True,
    "analysisCooldownMs": 600_000,
}


def form_of(text: str, action: str) -> dict[str, str]:
    return EnteredForm(text, action).fields


async def new(site: Site, job: str, **fields: str) -> httpx.Response:
    """What comes of the form of a new endpoint of *job* with *fields* filled in."""
    path = f"/jobs/{job}/endpoints/new"
    action = f"{path}?pattern=plain&part=1"
    entered = form_of(await site.text(path), action)
    return await site.client.post(action, data=entered | {"do": "save", **fields})


async def edit(site: Site, endpoint: JobEndpoint, page: str = "", **fields: str) -> httpx.Response:
    path = f"/endpoints/{endpoint.id}/edit"
    entered = form_of(page or await site.text(path), path)
    return await site.client.post(path, data=entered | {"do": "save", **fields})


def test_what_the_form_shows_it_reads_back() -> None:
    before = entered_of(shown(blank("", "", "", EPOCH)))
    for fields in (
        ALL,
        {"name": "x", "url": URL, "dormant": True},
        {"name": "x", "url": URL, "onceAt": datetime(2026, 10, 25, 0, 30, tzinfo=UTC), "timezone": "Europe/Berlin"},
        {"name": "x", "url": URL, "baselineIntervalMs": 1500, "anchorAt": datetime(2026, 1, 1, 7, tzinfo=UTC)},
    ):
        entered = before | {name: text for name, text in entered_of(fields).items() if text}
        read = read_endpoint(entered, frozenset(name for name in NAMES if entered[name] != before[name]))

        assert list(read.findings.errors) == []
        assert read.document is not None
        assert read.document == EndpointPatch.model_validate(fields)


def test_every_field_of_a_document_has_its_place_in_the_form() -> None:
    places = set()
    for field in EndpointPatch.model_fields.values():
        parts = [each for each in getattr(field.annotation, "__args__", ()) if isinstance(each, type)]
        models = [each for each in parts if issubclass(each, BaseModel)]
        members = [f"/{member.alias}" for model in models for member in model.model_fields.values()]
        places |= {f"{field.alias}{member}" for member in members or [""]}

    assert places - {"dormant", "signals"} <= set(NAMES)


async def test_each_choice_is_offered() -> None:
    async with a_site() as site:
        path = f"/jobs/{await site.world.job(site.owner)}/endpoints/new"
        options = EnteredForm(await site.text(path), f"{path}?pattern=plain&part=1").options

    for name, choices in {
        "method": Method, "overlap": Overlap, "catchUp/mode": CatchUpMode, "keepBodies": KeepBodies,
        "compile": CompileMode, "adapt": Adapt, "dstGap": DstGap, "dstOverlap": DstOverlap,
    }.items():  # fmt: skip
        assert options[name] == [each.value for each in choices]
    assert options["auth/type"] == ["", *AuthKind]


async def test_an_endpoint_is_made_with_every_field_and_an_edit_that_changes_nothing_writes_nothing() -> None:
    async with a_site() as site:
        job = await site.world.job(site.owner)
        await site.world.control.secrets.set(site.owner, "SHOP", SecretDocument(value="swordfish"))
        entered = {name: text for name, text in entered_of(ALL).items() if text}
        made = await new(site, job, **entered)
        at = made.headers["location"]
        endpoint = (await site.world.control.endpoints.get(site.owner, at.rpartition("/")[2])).endpoint
        same = await edit(site, endpoint)
        after = await site.world.now_stored(endpoint)
        page = await site.text(f"{at}/edit")

    assert made.status_code == same.status_code == 303
    stored = shown(endpoint)
    assert {name: stored[name] for name in ALL if name not in {"policy", "criteria"}} == {
        name: value for name, value in ALL.items() if name not in {"policy", "criteria"}
    }
    assert {"policy", "criteria"} <= set(stored)
    assert after == endpoint
    assert "swordfish" not in page


async def test_what_is_wrong_is_told_beside_its_field_and_what_was_entered_stays() -> None:
    async with a_site() as site:
        job = await site.world.job(site.owner)
        answer = await new(
            site, job, name="", url="ftp://x", baselineIntervalMs="soon", minIntervalMs="2h", maxIntervalMs="1h",
            bodyJson="{", description=HOSTILE, **{"headersJson": "no colon", "retries/retryCount": "9"},
        )  # fmt: skip
        cron = await new(site, job, name="x", url=URL, kind="cron", baselineCron="61 * * * *", timezone="Mars/Base")
        once = await new(site, job, name="x", url=URL, kind="once", onceAt="2026-03-29T02:30", timezone="Europe/Berlin")
        nothing = await new(site, job, name="x", url=URL, kind="interval", baselineIntervalMs="")
        stored = await site.world.control.endpoints.list(site.owner, job)

    assert [each.status_code for each in (answer, cron, once, nothing)] == [400] * 4
    assert not stored
    for name, told in {
        "name": "Give the endpoint a name.", "baselineIntervalMs": "Say how long, such as 30s",
        "bodyJson": "Is no JSON", "headersJson": "has no colon", "retries/retryCount": "Must be from 0 to 5.",
    }.items():  # fmt: skip
        assert f'id="{name}-fault">' in answer.text, name
        assert told in answer.text, name
    assert 'value="soon"' in answer.text
    assert "<details open><summary>Further settings" in answer.text
    assert Outline(answer.text).open == []
    assert len(Outline(answer.text).all("script")) == len(scripts_of(answer.text))
    assert 'id="timezone-fault">' in cron.text
    assert 'id="baselineCron-fault">' in cron.text
    assert "The clock skips this time: it goes on with 2026-03-29 03:30+02:00" in once.text
    assert "Say when: this field is required." in nothing.text


async def test_the_next_runs_are_foreseen_across_the_change_of_the_clock_before_anything_is_saved() -> None:
    async with a_site() as site:
        job = await site.world.job(site.owner)
        fields = {"name": "", "url": "", "kind": "cron", "baselineCron": "30 2 * * *", "timezone": "Europe/Berlin"}
        shown_ = {gap: (await new(site, job, do="preview", dstGap=gap, **fields)).text for gap in DstGap}
        steady = await new(
            site, job, do="preview", name="x", url=URL, baselineIntervalMs="2h", timezone="Europe/Berlin"
        )
        sleeping = await new(site, job, do="preview", name="x", url=URL, kind="dormant")
        there = await site.world.endpoint(site.owner)
        faulty = [
            (await edit(site, there, do="preview", **form)).text
            for form in ({"baselineIntervalMs": "2x"}, {"url": "ftp://x"})
        ]
        stored = await site.world.control.endpoints.list(site.owner, job)

    assert not stored
    assert shown_[DstGap.SKIP].count("<time datetime=") == 10 + 6
    assert "Thu 01 Jan 2026 02:30:00 +0100" in shown_[DstGap.SKIP]
    assert "Sun 29 Mar 2026 03:00:00 +0200: the clock goes forward by 1h. What falls" in shown_[DstGap.SKIP]
    assert "Sun 29 Mar 2026 02:30" not in shown_[DstGap.SKIP]
    assert "runs once, right after it, at 03:00." in shown_[DstGap.RUN_AFTER]
    assert '<time datetime="2026-03-29T01:30:00Z">Sun 29 Mar 2026 03:30:00 +0200' in shown_[DstGap.SHIFT]
    assert "goes on evenly" in steady.text
    assert "None by itself" in sleeping.text
    assert ["Without what is wrong there, if every run" in page for page in faulty] == [True, False]
    assert ["every run succeeds at once" in page for page in faulty] == [True, True]


async def test_a_test_call_shows_the_answer_and_nothing_follows_from_it() -> None:
    async with a_site() as site:
        job = await site.world.job(site.owner)
        body = json.dumps({"stock": 3, "parts": [{"name": HOSTILE}]})
        site.world.dispatcher.script = lambda _call, _number: Reply(status_code=200, body=body)
        answer = await new(site, job, name="x", url=URL, do="test", headersJson="X-Shop: 1")
        refused = await new(site, job, name="", url=URL, do="test")
        stored = await site.world.control.endpoints.list(site.owner, job)
        (call,) = site.world.dispatcher.calls

    assert answer.status_code == 200
    assert not stored
    assert call.url == URL
    assert call.headers["X-Shop"] == "1"
    assert "<code>stock</code>" in answer.text
    assert '<code class="value">3</code>' in answer.text
    assert len(Outline(answer.text).all("script")) == len(scripts_of(answer.text))
    assert Outline(answer.text).open == []
    assert 'value="x"' in answer.text
    assert refused.status_code == 400


async def test_an_edit_changes_what_was_changed_and_a_masked_header_stays() -> None:
    async with a_site() as site:
        endpoint = await site.world.endpoint(
            site.owner, headersJson={"X-Api-Key": "hunter2hunter2"}, minIntervalMs=5000
        )
        page = await site.text(f"/endpoints/{endpoint.id}/edit")
        await edit(site, endpoint, page, baselineIntervalMs="90s", minIntervalMs="")
        after = await site.world.now_stored(endpoint)

    assert "hunter2" not in page
    assert after.request == endpoint.request
    assert shown(after)["baselineIntervalMs"] == 90_000
    assert after.interval_min is None


async def test_an_edit_of_what_somebody_else_changed_shows_what_that_was_and_saves_both_when_sent_again() -> None:
    async with a_site() as site:
        endpoint = await site.world.endpoint(site.owner, description="first")
        mine = await site.text(f"/endpoints/{endpoint.id}/edit")
        await edit(site, endpoint, url="https://shop.example/other", description="theirs")
        conflict = await edit(site, endpoint, mine, description="mine", timeoutMs="7s")
        between = await site.world.now_stored(endpoint)
        again = await edit(site, endpoint, conflict.text)
        after = await site.world.now_stored(endpoint)

    assert conflict.status_code == 412
    assert "Somebody else saved this endpoint" in conflict.text
    assert "https://shop.example/other" in conflict.text
    assert ">theirs</td><td>mine</td>" in conflict.text
    assert between.description == "theirs"
    assert again.status_code == 303
    assert (after.description, after.request.url, after.request.timeout.seconds) == (
        "mine",
        "https://shop.example/other",
        7,
    )


@pytest.mark.parametrize("role", Role)
async def test_only_whoever_may_makes_and_changes_endpoints(role: Role) -> None:
    async with a_site() as site:
        endpoint = await site.world.endpoint(site.owner)
        pages = [f"/jobs/{endpoint.job_id}/endpoints/new", f"/endpoints/{endpoint.id}/edit"]
        async with site.browsing(role) as theirs:
            job = await theirs.text(f"/jobs/{endpoint.job_id}")
            csrf = job.partition('name="csrf" value="')[2].partition('"')[0]
            seen = [await theirs.client.get(path) for path in pages]
            sent = [await theirs.client.post(path, data={"csrf": csrf, "do": do, "name": "x", "url": URL})
                    for path in pages for do in ("save", "test", "preview")]  # fmt: skip
            bare = [await theirs.client.post(path, data={"do": "save"}) for path in pages]

    may = role in {Role.EDITOR, Role.OWNER}
    assert (f'href="{pages[0]}"' in job) == may
    assert {each.status_code for each in seen} == {200 if may else 403}
    assert {each.status_code for each in bare} == {403}
    assert ({each.status_code for each in sent} == {403}) == (not may)
    assert bool(site.world.dispatcher.calls) == may


async def test_the_endpoints_and_jobs_of_another_tenant_are_not_there_and_nothing_is_called() -> None:
    async with a_site() as site:
        endpoint = await site.world.endpoint(site.owner)
        _, rival = site.world.stores.database.tenants.values()
        async with Site(site.world, rival.id, site.app, site.client).browsing(Role.OWNER) as other:
            csrf = (await other.text("/jobs")).partition('name="csrf" value="')[2].partition('"')[0]
            answers = []
            for path in (f"/jobs/{endpoint.job_id}/endpoints/new", f"/endpoints/{endpoint.id}/edit"):
                answers.append(await other.client.get(path))
                for do in ("save", "test", "preview", "check"):
                    sent = {"csrf": csrf, "do": do, "name": "x", "url": URL, "baselineIntervalMs": "5m"}
                    answers.append(await other.client.post(path, data=sent))

    assert {each.status_code for each in answers} == {404}
    assert site.world.dispatcher.calls == []


async def test_a_form_that_is_checked_while_one_types_is_told_in_the_page() -> None:
    async with a_site() as site:
        job = await site.world.job(site.owner)
        path = f"/jobs/{job}/endpoints/new"
        action = f"{path}?pattern=plain&part=1"
        limits = {"minIntervalMs": "9h", "maxIntervalMs": "1h"}
        sent = form_of(await site.text(path), action) | {"do": "check", "name": "x", "url": URL} | limits
        answer = await site.client.post(action, data=sent, headers={"x-live": "1"})
        stored = await site.world.control.endpoints.list(site.owner, job)

    assert answer.status_code == 200
    assert 'id="minIntervalMs-fault">' in answer.text
    assert "data-checked" in answer.text
    assert not stored


async def test_marks_that_nobody_made_change_nothing() -> None:
    async with a_site() as site:
        endpoint = await site.world.endpoint(site.owner)
        for marks in ("", "[]", "[" * 5000, '{"name": 1}', "null"):
            await edit(site, endpoint, name="x", marks=marks, version="1")
        stale = await edit(site, endpoint, description="y", version="99999999999999999999")
        after = await site.world.now_stored(endpoint)

    assert stale.status_code == 412
    assert after.description is None


async def test_lines_as_browsers_end_them_are_no_change() -> None:
    async with a_site() as site:
        endpoint = await site.world.endpoint(site.owner, description=" one\r\ntwo\n")
        page = form_of(await site.text(f"/endpoints/{endpoint.id}/edit"), f"/endpoints/{endpoint.id}/edit")
        as_sent = "\r\n".join(page["description"].splitlines())
        await edit(site, endpoint, description=as_sent)
        after = await site.world.now_stored(endpoint)

    assert after == endpoint


def test_pairs_are_read_as_they_are_shown() -> None:
    pairs = {"X-Shop": "a: b", "urn:ietf:scope": "x", "X-Empty": "", "X-Time": "10:30"}

    assert PAIRS.read(PAIRS.show(pairs)) == pairs
    assert PAIRS.read("A:1\n  B :2") == {"A": "1", "B": "2"}


async def test_a_form_that_is_sent_twice_makes_one_endpoint_and_one_with_something_else_in_it_another() -> None:
    async with a_site() as site:
        job = await site.world.job(site.owner)
        action = f"/jobs/{job}/endpoints/new?pattern=plain&part=1"
        sent = form_of(await site.text(action), action) | {"do": "save", "name": "x", "url": URL}
        faulty = await site.client.post(action, data=sent | {"timeoutMs": "soon"})
        first, again = [await site.client.post(action, data=sent) for _ in range(2)]
        other = await site.client.post(action, data=sent | {"name": "y"})
        stored = await site.world.control.endpoints.list(site.owner, job)
        entered = form_of(await site.text("/jobs/new"), "/jobs/new") | {"name": "one"}
        jobs = {(await site.client.post("/jobs/new", data=entered)).headers["location"] for _ in range(2)}

    assert faulty.status_code == 400
    assert '<a href="#timeoutMs">“Timeout”</a>' in faulty.text
    assert first.headers["location"] == again.headers["location"] != other.headers["location"]
    assert [each.endpoint.name for each in stored] == ["x", "y"]
    assert len(jobs) == 1


async def test_what_nobody_can_say_was_made_is_not_made_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    async with a_site() as site:
        job = await site.world.job(site.owner)
        action = f"/jobs/{job}/endpoints/new?pattern=plain&part=1"
        sent = form_of(await site.text(action), action) | {"do": "save", "name": "x", "url": URL}
        add = site.world.stores.endpoints.add

        async def lost(*args: Any) -> JobEndpoint:
            await add(*args)
            raise UnavailableError("The store went away.")

        monkeypatch.setattr(site.world.stores.endpoints, "add", lost)
        first = await site.client.post(action, data=sent)
        monkeypatch.undo()
        again = await site.client.post(action, data=sent)
        stored = await site.world.control.endpoints.list(site.owner, job)

    assert (first.status_code, again.status_code) == (503, 409)
    assert "The store went away." in first.text
    assert "it may have been carried out or not" in again.text
    assert len(stored) == 1


async def test_a_name_that_another_endpoint_of_the_job_has_is_warned_of_before_it_is_saved() -> None:
    async with a_site() as site:
        first = await site.world.endpoint(site.owner, name="stock")
        other = await site.world.endpoint(site.owner, jobId=first.job_id, name="price")
        action, edit = f"/jobs/{first.job_id}/endpoints/new?pattern=plain&part=1", f"/endpoints/{other.id}/edit"
        entered, kept = form_of(await site.text(action), action), form_of(await site.text(edit), edit)
        looked = [
            (await site.client.post(path, data=form | {"name": name, "url": URL, "do": "preview"})).text
            for path, form in ((action, entered), (edit, kept)) for name in ("stock", "other")
        ]  # fmt: skip

    told = "<strong>Name</strong>: Another endpoint of the job has this name"
    assert [told in page for page in looked] == [True, False, True, False]


def test_each_field_has_a_label_by_which_faults_of_it_are_told() -> None:
    assert set(LABELS) == set(NAMES)
    assert label_of("/retries/minBackoffMs") == "First after"
    assert label_of("/policy/rules/0/when") == "Rules"
    assert label_of("/nothing/of/ours") == "nothing/of/ours"
