"""The cases of the threat model that no model takes part in, by their numbers: answers alone, through `decide`."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from itertools import cycle, islice

import pytest

from cronicorn.adapters.cron.cronsim_cron import CronsimCron
from cronicorn.domain.analysis.fingerprint import fingerprint_of
from cronicorn.domain.analysis.novelty import NOTHING_KNOWN, learnt
from cronicorn.domain.call import Outcome
from cronicorn.domain.compilation.answer_profile import profile_of
from cronicorn.domain.decision import Facts, decide
from cronicorn.domain.editing import started
from cronicorn.domain.endpoint import Baseline, JobEndpoint
from cronicorn.domain.fixtures import MIDNIGHT, a_lease, a_run, an_endpoint, an_outcome
from cronicorn.domain.governor import GovernorEvent
from cronicorn.domain.instant import MINUTE
from cronicorn.domain.json_body import Json
from cronicorn.domain.policy.reading import policy_of
from cronicorn.domain.run import Run
from cronicorn.domain.settlement import Settlement, Stored

CRON = CronsimCron()
BASE, LEAST, MOST = 5 * MINUTE, 30 * timedelta(seconds=1), 15 * MINUTE
FLAPPING: Mapping[str, Json] = {
    "version": 1,
    "fields": {"err": {"path": "$.err", "type": "number"}},
    "limits": {"flips_per_hour": 8},
    "rules": [{"id": "tight", "when": "err > 5", "action": {"interval": "30s"}}],
}


def watched(**changes: object) -> JobEndpoint:
    """A GET every five minutes, within 30 seconds and a quarter of an hour."""
    endpoint = an_endpoint(baseline=Baseline(interval=BASE), interval_min=LEAST, interval_max=MOST, **changes)
    return started(endpoint, MIDNIGHT, CRON)


def settled(endpoint: JobEndpoint, outcome: Outcome) -> tuple[JobEndpoint, Run, Settlement]:
    """*endpoint* after its next call, made on time, came to *outcome*."""
    plan = endpoint.state.plan
    assert plan is not None
    assert plan.next_run_at is not None
    run = a_run(a_lease(endpoint, now=plan.next_run_at), outcome)
    facts = Facts(stored=Stored(now=run.finished_at), run=run, manual=False, cron=CRON)
    settlement = decide(endpoint, facts)
    return replace(endpoint, state=settlement.state), run, settlement


def gaps(endpoint: JobEndpoint, outcomes: Iterator[Outcome]) -> list[timedelta]:
    """How long after each call the next one is planned."""
    found = []
    for outcome in outcomes:
        endpoint, run, settlement = settled(endpoint, outcome)
        plan = settlement.state.plan
        assert plan is not None
        assert plan.next_run_at is not None
        found.append(plan.next_run_at - run.started_at)
    return found


def within_guardrails(found: list[timedelta]) -> bool:
    return all(LEAST * 0.9 <= gap <= MOST + MINUTE for gap in found)


@pytest.mark.parametrize("asked", ["1", "-5", "1e308", '"30000"', "NaN", '"NaN"', "[]", "9" * 5_000, "true", "null"])
@pytest.mark.parametrize("name", ["suggested_interval_ms", "poll_after_ms", "eta_seconds", "next_poll_s"])
def test_case_9_what_a_body_suggests_is_clamped_or_left(name: str, asked: str) -> None:
    hinting = an_outcome(body=f'{{"{name}": {asked}}}', body_is_json=asked != "NaN")

    assert within_guardrails(gaps(watched(), iter([hinting] * 5)))


@pytest.mark.parametrize("status", [200, 301, 429, 503])
@pytest.mark.parametrize(
    "values",
    [
        ["999999999"], ["-1"], ["Thu, 01 Jan 1970 00:00:00 GMT"], ["120"] * 20, ["1e9"], ["\u0661"], [""],
        ["9" * 1_000], ["Fri, 31 Dec 9999 23:59:59 GMT"], ["0"],
    ],
)  # fmt: skip
def test_case_10_retry_after_never_leads_out_of_the_guardrails(values: list[str], status: int) -> None:
    headers = tuple(("retry-after", value) for value in values)

    assert within_guardrails(gaps(watched(), iter([an_outcome(status, headers=headers)] * 5)))


HUGE = [
    json.dumps({f"key{number}": number for number in range(100_000)}),
    "[" * 10_000 + "]" * 10_000,
    '{"a": 1, "a": 2, "a": {"a": ' + "9" * 4_000 + "}}",
    json.dumps({"text": "x" * 10_000_000}),
    json.dumps([{"status": "degraded"}] * 50_000),
    '{"half": "\\ud800"}',
    "\ufffd" * 100_000,
]


@pytest.mark.parametrize("body", HUGE, ids=["keys", "depth", "twice", "text", "items", "half", "no-text"])
def test_case_11_a_monstrous_body_is_read_in_bounds(body: str) -> None:
    policy = policy_of(FLAPPING)
    monster = an_outcome(body=body, body_is_json=body[0] in "[{")

    endpoint, run, settlement = settled(watched(policy=policy), monster)
    features = fingerprint_of(monster)
    known = NOTHING_KNOWN
    for number in range(300):
        known, _ = learnt(known, features)
        known, _ = learnt(known, fingerprint_of(_of_its_own(number)))
    profile = profile_of([run] * 50)

    assert within_guardrails(gaps(endpoint, iter([monster])))
    assert len(settlement.steering or "") < 2_000
    assert len(json.dumps(known.document())) < 100_000
    assert len(repr(profile)) < 50_000


def _of_its_own(number: int) -> Outcome:
    """The longest path with a name and value unlike those of any other number."""
    name = "".join(chr(97 + int(digit)) for digit in str(number)).ljust(64, "z")
    body: Json = name
    for _ in range(8):
        body = {name: body}
    return an_outcome(body=json.dumps(body), body_is_json=True)


def test_case_12_an_answer_that_flips_with_every_poll_ends_frozen_at_the_baseline() -> None:
    endpoint, frozen = watched(policy=policy_of(FLAPPING)), list[timedelta]()
    answers = [an_outcome(body=f'{{"err": {err}}}', body_is_json=True) for err in (9, 1)]
    events = set[GovernorEvent]()

    for outcome in islice(cycle(answers), 80):
        endpoint, run, settlement = settled(endpoint, outcome)
        if settlement.record is not None:
            events.update(settlement.record.events)
        if endpoint.state.memory.governor.frozen(run.finished_at):
            plan = endpoint.state.plan
            assert plan is not None
            assert plan.next_run_at is not None
            frozen.append(plan.next_run_at - run.started_at)

    assert GovernorEvent.FROZEN in events
    assert frozen
    assert max(frozen) <= BASE
    assert min(frozen[1:]) > 2 * LEAST
