"""Why an endpoint runs when it does: how its rules and signals stand, what was decided at an instant, and the model."""

import re
from datetime import timedelta
from urllib.parse import quote

from cronicorn.control.analyses import UNENDED
from cronicorn.domain.analysis.analysis import AnalysisUsage, CallMade
from cronicorn.domain.endpoint import JobEndpoint
from cronicorn.domain.fixtures import an_outcome
from cronicorn.domain.instant import MINUTE
from cronicorn.domain.permission import Role
from cronicorn.domain.quota.decision import DenialReason, Denied
from cronicorn.web.assets import Assets
from cronicorn.web.pages.analyses import ANALYSES_SHOWN
from tests.web.site import Site, a_site, analysed, filled
from tests.web.test_pages import HOSTILE, PAGE_BYTES_MAX, Outline

POLICY = {
    "version": 1,
    "fields": {"err": {"path": "$.err", "type": "number"}},
    "rules": [
        {
            "id": "burst",
            "why": "errors",
            "when": "err > 5",
            "until": "err < 2",
            "for": 2,
            "action": {"interval": "30s"},
        },
        {"id": "rest", "when": "err < -5", "action": {"interval": "10m"}},
    ],
}


def words(page: str, part: str) -> str:
    """What a part of *page* says."""
    found = page.partition(f'data-part="{part}"')[2].partition("</section>")[0].partition(">")[2]
    return " ".join(re.sub("<[^>]+>|&nbsp;", " ", found).split())


async def answered(site: Site, endpoint: JobEndpoint, *errors: int) -> None:
    """Let *endpoint* answer, one after the other."""
    for err in errors:
        at = await site.world.next_run_at(endpoint)
        assert at is not None
        site.world.clock.instant = max(at, site.world.clock.instant)
        await site.world.run_due(an_outcome(body=f'{{"err": {err}}}', body_is_json=True))
    site.world.clock.move(seconds=1)


async def test_rules_are_shown_as_they_stand_with_what_they_read_and_wait_for() -> None:
    async with a_site() as site:
        endpoint = await site.world.endpoint(site.owner, policy=POLICY, minIntervalMs=10_000)
        at = f"/endpoints/{endpoint.id}"
        await answered(site, endpoint, 1, 9)
        pending = [words(await site.text(path), "rules") for path in (at, f"{at}/why")]
        await answered(site, endpoint, 9)
        active, page = words(await site.text(at), "rules"), await site.text(f"{at}/why")

    assert pending[0] == pending[1]
    assert re.search(r"burst errors being confirmed since \S+ .*ago 1 of 2 answers err 9 begins when", pending[0])
    assert re.search(r"burst errors in force since \S+ .*ago err 9 ends when err &lt; 2 acted", active)
    assert "rest at rest err 9 begins when err &lt; -5" in active
    assert re.search(r"without the interval hint of 30s by a rule burst: \S+ .*baseline-interval", words(page, "plan"))
    assert "Without the interval hint of 30s by a rule burst: " in page.partition("<desc")[2].partition("</desc>")[0]
    assert "&lt; -5 is false, err is 9" in words(page, "did")
    assert "At rest: retry-after, rate-limit, " in words(page, "signals")
    assert "they don’t make them more frequent here" not in words(page, "signals")


async def test_what_was_decided_at_an_instant_is_found_from_a_run_and_from_one_decision_to_the_next() -> None:
    async with a_site() as site:
        endpoint = await site.world.endpoint(site.owner, policy=POLICY, minIntervalMs=10_000)
        at = f"/endpoints/{endpoint.id}/why"
        await answered(site, endpoint, 9, 9, 9)
        run = await site.text(f"/runs/{endpoint.id}:2:1")
        link = re.search(r'href="(\S+/why\?at=[^"]+)"', run)
        assert link is not None
        then = await site.text(link[1])
        steps = dict(re.findall(r'href="(\?at=\S+)">(?:← )?the decision (before|after)', then))
        around = {told: await site.text(at + query) for query, told in steps.items()}
        first = await site.text(f"{at}?at={quote(endpoint.created_at.isoformat())}")
        made = await site.world.control.trials.call(site.owner, endpoint.id)
        tried = await site.text(f"/runs/{made.id}")
        odd = {each: await site.client.get(at, params={"at": each}) for each in ("soon", "2999-01-01", "1999-01-01")}

    assert "The next call was planned for" in run
    assert "Somebody asked for it." in tried
    assert "Somebody asked for it." not in run
    assert f'href="/runs/{endpoint.id}:2:1"' in then
    assert "<strong>burst</strong>: active" in then
    assert f'href="/runs/{endpoint.id}:1:1"' in around["before"]
    assert f'href="/runs/{endpoint.id}:3:1"' in around["after"]
    assert "No run had ended by then" in first
    assert [each.status_code for each in odd.values()] == [400] * 3
    assert "Write an instant such as 2026-01-31T09:30:00Z" in odd["soon"].text
    assert "Nothing has been decided yet" in odd["2999-01-01"].text
    assert "The endpoint did not exist then" in odd["1999-01-01"].text
    assert all('aria-invalid="true"' in each.text and 'data-part="plan"' in each.text for each in odd.values())


async def test_a_plan_that_nobody_takes_and_a_call_in_progress_are_told() -> None:
    async with a_site() as site:
        endpoint = await site.world.endpoint(site.owner)
        site.world.clock.move(minutes=9)
        lying = await site.text(f"/endpoints/{endpoint.id}")
        lease = await site.world.claim()
        running = await site.text(f"/endpoints/{endpoint.id}/why")
        waiting = await site.text(f"/runs/{lease.run_id}")

    assert "because no scheduler has taken it yet" in lying
    assert "because no scheduler has taken it yet" not in running
    assert f'href="/runs/{lease.run_id}"' in running
    assert "Why then" in waiting
    assert "baseline-interval" in waiting


async def test_analyses_are_shown_with_their_reasons_tokens_and_what_they_proposed() -> None:
    call = CallMade(tool="propose_rule", arguments='{"id":"sale"}', result='{"kept": true}')
    refused = CallMade(tool="pause", arguments='{"for":"9d"}', result="longer than a day", refused=True)
    async with a_site() as site:
        endpoint = await site.world.endpoint(site.owner, analysis=True)
        spent = AnalysisUsage(
            input=1200, output=34, cached=1000, charged=1234, cost="0.0042", duration=timedelta(seconds=3)
        )
        made = await analysed(
            site, reasoning="A sale began.", confidence_percent=80, calls=(call, refused), spent=spent, model="m-1",
            applied=("interval hint of 30s",), warnings=("grant_exceeded",), next_analysis=timedelta(hours=2),
        )  # fmt: skip
        failed = await analysed(site, error="The model is away.")
        denied = Denied(reason=DenialReason.BUDGET, remaining=7, retry_after=MINUTE, reset_at=site.world.clock.now())
        await analysed(site, denied=denied)
        await analysed(site, warnings=(UNENDED,))
        page, listed = (
            await site.text(f"/endpoints/{endpoint.id}"),
            await site.text(f"/endpoints/{endpoint.id}/analyses"),
        )
        shown = words(await site.text(f"/analyses/{made.id}"), "analysis")
        whole = " ".join(re.sub("<[^>]+>", " ", await site.text(f"/analyses/{made.id}")).split())

    assert page.count('href="/analyses/') == 3
    assert "All 4" in page
    assert f'href="/analyses/{failed.id}">failed: The model is away.</a>' in listed
    assert "not ended, nothing changed" in listed
    assert "not made, denied: " in listed
    assert "1,234 tokens, 80 % sure" in listed
    assert "A sale began." in shown
    assert "interval hint of 30s" in shown
    assert "The provider billed more tokens than were reserved" in shown
    assert "1,200 sent (1,000 of them cached), 34 received; 1,234 charged" in whole
    assert "0.0042 USD" in whole
    assert "propose_rule" in whole
    assert "&#34;sale&#34;" in whole
    assert "pause refused" in whole


async def test_an_analysis_is_asked_for_with_what_may_keep_it_from_being_made() -> None:
    async with a_site() as site:
        endpoint = await site.world.endpoint(site.owner, analysis=True)
        off = await site.world.endpoint(site.owner, jobId=endpoint.job_id, name="off")
        at = f"/endpoints/{endpoint.id}/analyses"
        empty = await site.text(at)
        asked = await site.send(at, at)
        taught = await site.text(f"/endpoints/{off.id}/analyses")
        csrf = re.search(r'name="csrf" value="([0-9a-f]+)"', empty)
        assert csrf is not None
        refused = await site.client.post(f"/endpoints/{off.id}/analyses", data={"csrf": csrf[1]})
        forged = await site.client.post(at, data={"csrf": "0"})
        async with site.browsing(Role.VIEWER) as theirs:
            seen = await theirs.text(at)
            may_not = await theirs.client.post(at, data={"csrf": re.search(r'"csrf" value="(\w+)"', seen)[1]})  # type: ignore[index]

    assert "None yet." in empty
    assert "No model is named here" in empty
    assert "Asked for: the planner makes one at its next look" in asked.text
    assert "start `cronicorn planner`" in asked.text
    assert f'href="/endpoints/{off.id}/edit"' in taught
    assert refused.status_code == 409
    assert 'role="alert"' in refused.text
    assert (forged.status_code, may_not.status_code) == (403, 403)
    assert "Ask for one now" not in seen


async def test_analyses_come_in_pages_stay_light_and_text_of_a_model_stays_text() -> None:
    async with a_site() as site:
        endpoint = await site.world.endpoint(site.owner, analysis=True)
        calls = tuple(CallMade(tool="x", arguments=HOSTILE * 40, result=HOSTILE * 40) for _ in range(20))
        texts = {"reasoning": HOSTILE * 20, "calls": calls, "applied": (HOSTILE,), "warnings": (HOSTILE,)}
        made = [await analysed(site, **texts) for _ in range(ANALYSES_SHOWN + 1)][-1]
        listed = await site.text(f"/endpoints/{endpoint.id}/analyses")
        further = re.search(r'href="(\S+)">Earlier ones', listed)
        assert further is not None
        rest, page = await site.text(further[1]), await site.text(f"/analyses/{made.id}")
        _, rival = site.world.stores.database.tenants.values()
        async with Site(site.world, rival.id, site.app, site.client).browsing(Role.OWNER) as other:
            theirs = [
                (await other.client.get(path)).status_code
                for path in (
                    f"/analyses/{made.id}",
                    f"/endpoints/{endpoint.id}/analyses",
                    f"/endpoints/{endpoint.id}/why",
                )
            ]

    beside = sum(Assets().size(name) for name in ("app.css", "live.js", "icon.svg"))
    for each in (listed, rest, page):
        outline = Outline(each)
        assert outline.open == []
        assert len(outline.all("script")) == 1
        assert len(each.encode()) + beside < PAGE_BYTES_MAX
    assert listed.count('href="/analyses/') == ANALYSES_SHOWN
    assert rest.count('href="/analyses/') == 1
    assert theirs == [404] * 3


async def test_however_many_rules_there_are_and_whatever_they_say_pages_stay_light() -> None:
    fields = {f"field_{number}": {"path": f"$.{'x' * 40}{number}", "type": "string"} for number in range(32)}
    rules = [
        {"id": f"rule-{number}", "why": HOSTILE, "action": {"interval": "30s"},
         "when": " || ".join(f"field_{each} == '{'<&' * 20}'" for each in range(8))}
        for number in range(32)
    ]  # fmt: skip
    async with a_site() as site:
        policy = {"version": 1, "fields": fields, "rules": rules}
        endpoint = await filled(site, runs=80, body=f'{{"{"x" * 40}1": "{"<&" * 20}"}}', policy=policy, analysis=True)
        for _ in range(3):
            await analysed(site, reasoning=HOSTILE * 20, applied=(HOSTILE * 9,), error=HOSTILE * 9)
        pages = {path: await site.text(path) for path in (f"/endpoints/{endpoint.id}", f"/endpoints/{endpoint.id}/why")}
        run = await site.text(f"/runs/{endpoint.id}:80:1")

    beside = sum(Assets().size(name) for name in ("app.css", "live.js", "icon.svg"))
    weights = {path: len(each.encode()) + beside for path, each in (pages | {"run": run}).items()}
    assert {path: weight for path, weight in weights.items() if weight >= PAGE_BYTES_MAX} == {}
    assert all("rule-31" in page or "more, " in page for page in pages.values())
