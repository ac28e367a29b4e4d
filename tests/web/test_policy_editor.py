"""The page of an endpoint's rules: read, checked, tried, put in force and taken away, with scripts off."""

import asyncio
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from cronicorn.control.document import EndpointPatch
from cronicorn.control.drafts import NO_MODEL
from cronicorn.control.policies import HOURS_MAX
from cronicorn.control.policy_text import read_policy_text, write_policy_text
from cronicorn.domain.compilation.draft import DraftStatus, Finding, FindingCheck, Severity
from cronicorn.domain.endpoint import JobEndpoint
from cronicorn.domain.errors import QuotaExceededError
from cronicorn.domain.fixtures import an_outcome
from cronicorn.domain.permission import Role
from cronicorn.domain.policy.text import policy_text
from cronicorn.web.assets import Assets
from cronicorn.web.policy_examples import POLICY_EXAMPLES
from tests.control.world import LOCAL, a_world
from tests.web.entered import EnteredForm
from tests.web.site import Site, a_browser, a_site, beside, filled, pages_of, scripts_of
from tests.web.test_pages import HOSTILE, PAGE_BYTES_MAX, Outline

POLICY = """\
version: 1
fields:
  err: {path: $.err, type: number}
rules:
  - id: surge
    why: errors above 5
    when: err > 5
    until: err < 2
    action: {interval: 30s}
tests:
  - {given: {err: 8}, expect: {interval: 30s}}
  - {given: {err: 1}, expect: {interval: 30s}}
"""


def at(endpoint: JobEndpoint) -> str:
    return f"/endpoints/{endpoint.id}/policy"


async def sent(
    site: Site, endpoint: JobEndpoint, page: str = "", *, live: bool = False, **fields: str
) -> httpx.Response:
    """What comes of the form with *fields* filled in."""
    entered = EnteredForm(page or await site.text(at(endpoint)), at(endpoint)).fields
    headers = {"x-live": "1"} if live else {}
    return await site.client.post(at(endpoint), data=entered | {"do": "save", **fields}, headers=headers)


async def surged(site: Site, **fields: Any) -> JobEndpoint:
    """An endpoint with ninety minutes of answers, errors in some of them."""
    world = site.world
    endpoint = await world.endpoint(site.owner, **({"minIntervalMs": 15_000, "maxIntervalMs": 900_000} | fields))
    for number in range(90):
        world.clock.move(minutes=1)
        body = json.dumps(
            {"err": 9 if 40 < number < 50 else 0.5, "state": "busy" if number % 2 else "idle", "ok": True}
        )
        await world.run_due(an_outcome(body=body, body_is_json=True))
    return endpoint


def test_the_examples_are_those_of_the_files() -> None:
    files = {path.stem: path.read_text(encoding="utf-8") for path in Path("examples/policies").glob("*.yaml")}

    assert {each.key: each.text for each in POLICY_EXAMPLES} == {
        name: text[text.index("version: 1") :] for name, text in files.items()
    }


async def test_rules_are_written_checked_put_in_force_shown_and_taken_away() -> None:
    async with a_site() as site:
        endpoint = await site.world.endpoint(site.owner, minIntervalMs=15_000)
        empty = await site.text(at(endpoint))
        checked = await sent(site, endpoint, do="check", policy=POLICY, description="Errors.\r\nTwice. ")
        unsaved = await site.world.now_stored(endpoint)
        saved = await sent(site, endpoint, policy=POLICY.replace("\n", "\r\n"), description="Errors.\r\nTwice. ")
        stored = await site.world.now_stored(endpoint)
        page = await site.text(at(endpoint))
        again = await sent(site, endpoint)
        same = await site.world.now_stored(endpoint)
        gone = await sent(site, endpoint, policy=" \n", description="")
        after = await site.world.now_stored(endpoint)

    assert "No rules: its baseline decides" in empty
    assert checked.status_code == 200
    assert "<dd>err is above 5</dd>" in checked.text
    assert "call it every 30s" in checked.text
    assert '<li class="good">test 1' in checked.text
    assert '<li class="bad">test 2' in checked.text
    assert "This test of the policy does not hold on this endpoint." in checked.text
    assert "added rule <code>surge</code>" in checked.text
    assert unsaved.policy is None
    assert (saved.status_code, saved.headers["location"]) == (303, f"/endpoints/{endpoint.id}")
    expected = read_policy_text(POLICY).policy
    assert expected is not None
    assert stored.policy is not None
    assert policy_text(stored.policy) == policy_text(expected)
    assert stored.description == "Errors.\nTwice."
    assert EnteredForm(page, at(endpoint)).fields["policy"].strip() == write_policy_text(expected).strip()
    assert "None: this is what is in force" in page
    assert (again.status_code, same.version) == (303, stored.version)
    assert gone.status_code == 303
    assert (after.policy, after.description) == (None, None)


async def test_a_fault_stands_beside_its_line_and_nothing_is_stored() -> None:
    wrong = POLICY.replace("when: err > 5", 'when: err > "five"').replace("until:", "unti:")
    async with a_site() as site:
        endpoint = await site.world.endpoint(site.owner)
        answers = [await sent(site, endpoint, do=do, policy=wrong) for do in ("check", "save", "replay")]
        live = await sent(site, endpoint, do="check", live=True, policy=wrong)
        long = await sent(site, endpoint, policy=POLICY, description="x" * 2_001)
        stored = await site.world.now_stored(endpoint)

    assert [each.status_code for each in [*answers, live, long]] == [200, 400, 400, 200, 400]
    for answer in [*answers, live]:
        assert '<a href="#policy" data-line="7">line 7</a> <code>when: err &gt; &#34;five&#34;</code>' in answer.text
        assert "<code>/rules/0/when</code>" in answer.text
        assert "<code>/rules/0/unti</code> Unknown field. Did you mean `until`?" in answer.text
        assert re.search(r'id="policy-fault">2 faults, the first in line 7: see below\.', answer.text)
        assert 'aria-invalid="true"' in answer.text
        assert EnteredForm(answer.text, at(endpoint)).fields["policy"].strip() == wrong.strip()
    assert "What its answers hold" in answers[0].text
    assert "What its answers hold" not in live.text
    assert re.search(r'id="description-fault">Must be 0 to 2,?000 characters', long.text)
    assert (stored.policy, stored.version) == (None, endpoint.version)


async def test_nobody_overwrites_what_somebody_else_put_in_force() -> None:
    async with a_site() as site:
        endpoint = await site.world.endpoint(site.owner)
        page = await site.text(at(endpoint))
        theirs = POLICY.replace("err > 5", "err > 6")
        await sent(site, endpoint, policy=theirs, description="Theirs.")
        late = await sent(site, endpoint, page, policy=POLICY, description="Mine.")
        between = await site.world.now_stored(endpoint)
        saved = await sent(site, endpoint, late.text)
        after = await site.world.now_stored(endpoint)

    assert late.status_code == 412
    assert "Somebody else saved this endpoint" in late.text
    assert "Its description is now: “Theirs.”" in late.text
    row = re.search(r"changed rule <code>surge</code>.*?</tr>", late.text, re.DOTALL)
    assert row is not None
    assert '<code class="line-gone">err &gt; 6</code>' in row[0]
    assert '<code class="line-new">err &gt; 5</code>' in row[0]
    assert between.description == "Theirs."
    assert saved.status_code == 303
    assert after.description == "Mine."
    assert after.policy is not None
    assert after.policy.rules[0].when.text == "err > 5"


async def test_rules_are_replayed_on_the_history_before_they_count() -> None:
    async with a_site() as site:
        endpoint = await surged(site)
        replayed = await sent(site, endpoint, do="replay", policy=POLICY)
        shorter = await sent(site, endpoint, do="replay", policy=POLICY, over="10m")
        none = await sent(site, endpoint, do="replay", policy="")
        wrong = [await sent(site, endpoint, do="replay", policy=POLICY, over=over)
                 for over in ("soon", "0s", f"{HOURS_MAX // 24 + 1}d", "9" * 30)]  # fmt: skip
        edited = await sent(site, endpoint, replayed.text, live=True, do="check", policy=POLICY)
        stored = await site.world.now_stored(endpoint)

    assert replayed.status_code == 200
    assert "<strong>9 calls would have come, or not come, at another time.</strong>" in replayed.text
    cells = dict(
        re.findall(
            r'<th scope="row">([^<]+)</th><td class="number">.*?</td><td class="number">(.*?)</td>', replayed.text
        )
    )
    assert cells["Calls"] == "99"
    assert cells["Reaction, on average"] == "0 ms to 1 min"
    assert re.search(r'<th scope="row">surge</th><td class="number">1</td>', replayed.text)
    assert '<desc id="replay-told">90 calls as it happened, 99 under these rules;' in replayed.text
    assert '<desc id="reaction-told">as it happened: 0 ms to 1 min on average' in replayed.text
    assert 'class="unsure"' in replayed.text
    assert "11 recorded runs" in shorter.text
    assert "90 calls as it happened, 90 under these rules" in none.text
    assert [each.status_code for each in wrong] == [400] * 4
    assert "Say how far back" in wrong[0].text
    assert f"at most {HOURS_MAX // 24}d" in wrong[2].text
    assert all('id="over-fault">' in each.text for each in wrong)
    assert "recorded runs" not in edited.text
    assert stored.policy is None


async def test_a_replay_that_can_t_be_made_now_says_so_and_keeps_what_was_entered() -> None:
    async with a_site() as site:
        endpoint = await surged(site)
        page = await site.text(at(endpoint))
        answers = await asyncio.gather(*(sent(site, endpoint, page, do="replay", policy=POLICY) for _ in range(3)))

    busy = [each for each in answers if each.status_code == 429]
    assert busy
    assert "One of your backtests is under way" in busy[0].text
    assert busy[0].headers["retry-after"]
    assert EnteredForm(busy[0].text, at(endpoint)).fields["policy"].strip() == POLICY.strip()


async def test_what_answers_really_hold_is_told_with_its_range_and_as_fields_that_can_be_read() -> None:
    async with a_site() as site:
        endpoint = await surged(site)
        page = await site.text(at(endpoint))
        text = "version: 1\nfields:\n" + "".join(
            f"  {line}\n" for line in re.findall(r'<th scope="row"><code>(.*?)</code></th>', page)
        ) + "rules: []\n"  # fmt: skip
        quiet = await site.world.endpoint(site.owner, name="quiet")
        none = await site.text(at(quiet))

    assert "0.5 and 9, half below 0.5" in page
    assert "busy, idle" in page
    assert "100&nbsp;%" in page
    policy = read_policy_text(text).policy
    assert policy is not None
    assert [(each.name, each.type.value) for each in policy.fields] == [
        ("err", "number"),
        ("ok", "bool"),
        ("state", "string"),
    ]
    assert "No answer with JSON is on record" in none


async def test_an_example_or_a_draft_takes_the_place_of_the_text_and_nothing_else_happens() -> None:
    async with a_site() as site:
        endpoint = await site.world.endpoint(site.owner)
        draft = (await site.world.control.drafts.make(site.owner, endpoint.id)).draft
        queries = [*(f"example={each.key}" for each in POLICY_EXAMPLES), f"draft={draft.id}", "example=none"]
        pages = {query: await site.text(f"{at(endpoint)}?{query}") for query in queries}
        absent = [await site.client.get(f"{at(endpoint)}?draft={each}") for each in ("nobody", "a%00b", "%EF%BF%BF")]
        stored = await site.world.now_stored(endpoint)

    for example in POLICY_EXAMPLES:
        page = pages[f"example={example.key}"]
        assert EnteredForm(page, at(endpoint)).fields["policy"].strip() == example.text.strip()
        assert f'href="{at(endpoint)}?example={example.key}#rules"' in page
        assert "added rule" in page
    assert "id: surge" in EnteredForm(pages[f"draft={draft.id}"], at(endpoint)).fields["policy"]
    assert EnteredForm(pages["example=none"], at(endpoint)).fields["policy"].strip() == ""
    assert [each.status_code for each in absent] == [404] * 3
    assert (stored.policy, stored.version) == (None, endpoint.version)


async def test_drafts_are_made_shown_activated_and_rejected() -> None:
    async with a_site() as site:
        endpoint = await site.world.endpoint(site.owner, description="Errors.")
        made = await site.send(at(endpoint), f"{at(endpoint)}/drafts#drafts")
        page = made.headers["location"]
        waiting, listed = await site.text(page), await site.text(at(endpoint))
        active = await site.send(page, f"{page}/activate")
        stored = await site.world.now_stored(endpoint)
        shown = await site.text(page)
        csrf = EnteredForm(listed, at(endpoint)).fields["csrf"]
        over = await site.client.post(f"{page}/reject", data={"csrf": csrf})
        other = (await site.send(at(endpoint), f"{at(endpoint)}/drafts#drafts")).headers["location"]
        await site.world.control.endpoints.edit(
            site.owner, endpoint.id, EndpointPatch.model_validate({"description": "Other."})
        )
        stale = await site.text(other)
        refused = await site.send(other, f"{other}/activate")
        rejected = await site.send(other, f"{other}/reject")
        for _ in range(9):
            await site.send(at(endpoint), f"{at(endpoint)}/drafts#drafts")
        many, every = await site.text(at(endpoint)), await site.text(f"{at(endpoint)}?drafts=all")

    assert (made.status_code, page.startswith(f"{at(endpoint)}/drafts/")) == (303, True)
    assert "It waits for a person to decide" in waiting
    assert "added rule <code>surge</code>" in waiting
    assert "err is above 5" in waiting
    assert f'href="{page}">draft</a>' in listed
    assert (active.status_code, active.headers["location"]) == (303, f"/endpoints/{endpoint.id}")
    assert stored.policy is not None
    assert "In force since" in shown
    assert f"{page}/activate" not in shown
    assert over.status_code == 409
    assert "only one that waits is rejected" in over.text
    assert "The description has changed since this was made" in stale
    assert (refused.status_code, "compile it again" in refused.text) == (409, True)
    assert (rejected.status_code, rejected.headers["location"]) == (303, at(endpoint))
    assert many.count("/policy/drafts/dr_") == 8
    assert 'drafts=all#drafts">3 older</a>' in many
    assert every.count("/policy/drafts/dr_") == 11


async def test_a_draft_of_which_no_policy_came_says_so_and_takes_no_rules_away() -> None:
    async with a_site() as site:
        endpoint = await site.world.endpoint(
            site.owner, description="Errors.", policy=read_policy_text(POLICY).document
        )
        made = (await site.world.control.drafts.make(site.owner, endpoint.id)).draft
        message = f"{HOSTILE} Mend it."
        found = Finding(check=FindingCheck.SCHEMA, severity=Severity.ERROR, pointer="/rules/0", message=message)
        failed = replace(made, id="dr_none", status=DraftStatus.NEEDS_ATTENTION, policy=None, findings=(found,))
        await site.world.stores.drafts.add(failed)
        page = f"{at(endpoint)}/drafts/dr_none"
        shown, opened = await site.text(page), await site.text(f"{at(endpoint)}?draft=dr_none")
        rejected = await site.send(page, f"{page}/reject")

    assert "No policy came of it that could be accepted" in shown
    assert "{{ 7 * 7 }} Mend it." in shown
    assert "<img src=x" not in shown
    assert (f"{page}/activate" in shown, "Open in the editor" in shown) == (False, False)
    assert "id: surge" in EnteredForm(opened, at(endpoint)).fields["policy"]
    assert rejected.status_code == 303


async def test_rules_are_proposed_for_somebody_else_to_decide_about() -> None:
    sound = POLICY.replace(
        "  - {given: {err: 1}, expect: {interval: 30s}}\n", "  - {given: {err: 1}, expect: {interval: baseline}}\n"
    )
    async with a_site() as site:
        endpoint = await surged(site, description="Errors.")
        page = await site.text(at(endpoint))
        proposed = await sent(site, endpoint, page, do="propose", policy=sound)
        again = await sent(site, endpoint, page, do="propose", policy=sound)
        draft = await site.text(proposed.headers["location"])
        failing = await sent(site, endpoint, page, do="propose", policy=POLICY)
        none = await sent(site, endpoint, page, do="propose", policy="")
        other = await sent(site, endpoint, page, do="propose", policy=sound, description="Other.")
        stored = await site.world.now_stored(endpoint)
        async with site.browsing(Role.OPERATOR) as theirs:
            seen = await theirs.text(at(endpoint))
            refused = await sent(theirs, endpoint, do="propose", policy=sound)

    assert proposed.status_code == 303
    assert proposed.headers["location"] == again.headers["location"]
    assert "It waits for a person to decide" in draft
    assert "(proposed)" in draft
    assert "90</dd>" in draft
    assert failing.status_code == 400
    assert '<a href="#policy" data-line="12">line 12</a> <code>- {given: {err: 1}' in failing.text
    assert "<code>/tests/1</code>" in failing.text
    assert 'id="policy-fault">One fault, in line 12: see below.' in failing.text
    assert (none.status_code, "Write the rules that you propose" in none.text) == (400, True)
    assert (other.status_code, 'id="description-fault">Save the description first' in other.text) == (400, True)
    assert stored.policy is None
    assert ('value="propose"' in page, 'value="propose"' in seen, refused.status_code) == (True, False, 403)


async def test_what_keeps_a_model_from_drafting_is_told() -> None:
    async with a_site() as site:
        bare = await site.world.endpoint(site.owner, name="bare")
        undescribed = await site.text(at(bare))
        endpoint = await site.world.endpoint(site.owner, description="Errors.")

        async def broke(*_: object) -> None:
            raise QuotaExceededError("Only 3 tokens are left.", retry_after=None)

        site.world.control.drafts.make = broke  # type: ignore[method-assign, assignment]
        denied = await site.send(at(endpoint), f"{at(endpoint)}/drafts#drafts")
    world = a_world(drafting=False)
    await world.control.tenants.add(LOCAL, "acme")
    (tenant,) = world.stores.database.tenants.values()
    site = Site(world, tenant.id, pages_of(world), a_browser(pages_of(world)))
    modelless = await world.endpoint(site.owner, description="Errors.")
    async with site.browsing(Role.OWNER) as theirs:
        told = await theirs.text(at(modelless))
        csrf = EnteredForm(told, at(modelless)).fields["csrf"]
        forced = await theirs.client.post(f"{at(modelless)}/drafts", data={"csrf": csrf})

    assert "There is nothing to make rules of yet" in undescribed
    assert "/drafts#drafts" not in undescribed
    assert denied.status_code == 429
    assert '<div class="note is-bad" role="alert"><p>Only 3 tokens are left.</p>' in denied.text
    assert NO_MODEL.partition("(")[0] in told
    assert "/drafts#drafts" not in told
    assert (forced.status_code, NO_MODEL.partition("(")[0] in forced.text) == (503, True)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR, Role.EDITOR])
async def test_each_role_sees_what_it_may_do_with_rules(role: Role) -> None:
    async with a_site() as site:
        endpoint = await surged(site, description="Errors.")
        draft = (await site.world.control.drafts.make(site.owner, endpoint.id)).draft
        async with site.browsing(role) as theirs:
            page, one = await theirs.text(at(endpoint)), await theirs.text(f"{at(endpoint)}/drafts/{draft.id}")
            replayed = await sent(theirs, endpoint, do="replay", policy=POLICY)
            csrf = EnteredForm(page, at(endpoint)).fields["csrf"]
            tried = [await sent(theirs, endpoint, policy=POLICY), await sent(theirs, endpoint)]
            tried += [await theirs.client.post(f"{at(endpoint)}/drafts{end}", data={"csrf": csrf})
                      for end in (f"/{draft.id}/reject", f"/{draft.id}/activate", "")]  # fmt: skip
            unasked = await theirs.client.post(at(endpoint), data={"do": "save", "policy": POLICY})

    writes = role is Role.EDITOR
    assert ("Put in force" in page, "Draft rules now" in page) == (writes, writes)
    assert (f"{draft.id}/activate" in one, f"{draft.id}/reject" in one) == (writes, writes)
    assert replayed.status_code == 200
    assert [each.status_code for each in tried] == ([303, 303, 303, 409, 303] if writes else [403] * 5)
    assert unasked.status_code == 403


async def test_another_tenant_s_rules_and_drafts_are_not_there() -> None:
    async with a_site() as site:
        endpoint = await filled(site, runs=1)
        draft = (await site.world.control.drafts.make(site.owner, endpoint.id)).draft
        _, rival = site.world.stores.database.tenants.values()
        theirs = Site(site.world, rival.id, site.app, site.client)
        one = f"{at(endpoint)}/drafts/{draft.id}"
        async with theirs.browsing(Role.OWNER) as other:
            csrf = (await other.text("/jobs")).partition('name="csrf" value="')[2].partition('"')[0]
            own = await other.world.endpoint(other.owner)
            pages = [at(endpoint), one, f"{at(own)}?draft={draft.id}", f"{at(own)}/drafts/{draft.id}"]
            answers = [await other.client.get(path) for path in pages]
            forms = [(at(endpoint), do) for do in ("save", "replay", "check")]
            forms += [(path, "") for path in (f"{at(endpoint)}/drafts", f"{one}/activate", f"{one}/reject")]
            for path, do in forms:
                answers.append(await other.client.post(path, data={"csrf": csrf, "do": do, "policy": POLICY}))
        stored = await site.world.now_stored(endpoint)

    assert [answer.status_code for answer in answers] == [404] * len(answers)
    assert stored.version == endpoint.version


async def test_the_schema_of_policies_is_there_for_editors() -> None:
    async with a_site() as site, a_browser(site.app) as stranger:
        answer, refused = await site.client.get("/policies/schema.json"), await stranger.get("/policies/schema.json")

    assert answer.headers["content-type"] == "application/schema+json"
    assert answer.json()["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert refused.status_code == 303


async def test_hostile_text_stays_text_and_a_page_light_whatever_rules_and_answers_say() -> None:
    long = "<&'\"" * 60
    rules = [
        {"id": f"rule-{number}", "why": HOSTILE + long[:200], "when": f"f{number} == '{'<&' * 60}'",
         "action": {"run": f"{number} {long[:150]}"}}
        for number in range(32)
    ]  # fmt: skip
    odd_path = HOSTILE[:30].replace("'", "")
    document = {
        "version": 1,
        "fields": {f"f{number}": {"path": f"$['{odd_path}{number}']", "type": "string"} for number in range(32)},
        "rules": rules, "unsupported": [long + HOSTILE] * 32,
        "tests": [{"given": {f"f{number}": long}, "expect": {"interval": "30s"}} for number in range(32)],
    }  # fmt: skip
    body = json.dumps(
        {f"place_{number}_{'x' * 30}": f"word{number % 12}" * 4 for number in range(80)} | {HOSTILE: HOSTILE}
    )
    async with a_site() as site:
        endpoint = await filled(site, runs=20, body=body, description=HOSTILE, name=HOSTILE[:100])
        text = json.dumps(document, indent=1)
        pages = [await sent(site, endpoint, do=do, policy=text) for do in ("check", "replay")]
        faulty = await sent(
            site, endpoint, do="check", policy=text.replace('"when"', f'{json.dumps(HOSTILE)}: 1, "wen"')
        )
        odd = await sent(site, endpoint, do="replay", policy=f"{HOSTILE}\n{{", over=HOSTILE)

    assert pages[1].status_code == 200
    for page in (*pages, faulty, odd):
        outline = Outline(page.text)
        assert outline.open == []
        assert [attributes.get("src") for attributes in outline.all("script")] == [
            Assets().url(name) for name in scripts_of(page.text)
        ]
        assert [attributes for attributes in outline.all("img") if attributes.get("src") == "x"] == []
        assert "49" not in page.text.partition("{{ 7 * 7 }}")[0][-80:]
        own = re.search(r'<textarea id="policy".*?</textarea>', page.text, re.DOTALL)
        assert own is not None
        assert len(page.content) - len(own[0].encode()) + beside(page.text) < PAGE_BYTES_MAX
