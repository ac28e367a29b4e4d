"""How long it takes to judge an answer by rules, to settle with and without them, and to store what they decided."""

from collections.abc import Callable, Mapping
from datetime import timedelta

from benchmarks.report import Report, Row, microseconds_each
from cronicorn.adapters.cron.cronsim_cron import CronsimCron
from cronicorn.domain.call import OutcomeKind
from cronicorn.domain.condition.condition import condition_of
from cronicorn.domain.condition.kinds import FieldKind
from cronicorn.domain.decision import Facts, decide
from cronicorn.domain.editing import started
from cronicorn.domain.endpoint import JobEndpoint
from cronicorn.domain.fixtures import MIDNIGHT, a_lease, a_run, an_endpoint, an_outcome
from cronicorn.domain.json_body import Json
from cronicorn.domain.policy.acting import Setting
from cronicorn.domain.policy.memory import BLANK, PolicyMemory
from cronicorn.domain.policy.observing import Seen
from cronicorn.domain.policy.policy import Policy
from cronicorn.domain.policy.reading import policy_of
from cronicorn.domain.policy.ruling import Ruling, ruled
from cronicorn.domain.settlement import Settlement, Stored
from cronicorn.domain.steering_record import SteeringRecord

FIELDS, RULES = 10, 5
QUIET = '{"f0":1,"f1":1,"f2":1,"f3":1,"f4":1,"f5":1,"f6":1,"f7":1,"f8":"healthy","f9":false}'
_LOUD = '{"f0":9,"f1":9,"f2":9,"f3":9,"f4":9,"f5":9,"f6":9,"f7":9,"f8":"degraded","f9":true}'
POLICY: Mapping[str, Json] = {
    "version": 1,
    "fields": {
        **{f"f{number}": {"path": f"$.f{number}", "type": "number"} for number in range(8)},
        "f8": {"path": "$.f8", "type": "string"},
        "f9": {"path": "$.f9", "type": "bool"},
    },
    "rules": [
        {"id": "one", "when": "f0 > 5 || f8 == 'degraded'", "until": "f0 < 2", "action": {"interval": "30s"}},
        {"id": "two", "when": "f1 > 5 && f2 > 5", "for": 2, "until_for": 2, "action": {"interval": "20s"}},
        {"id": "three", "when": "f3 + f4 > 10", "hold": "2m", "action": {"interval": "40s"}},
        {"id": "four", "when": "f5 * f6 / 2 > 20", "action": {"interval": "50s"}},
        {"id": "five", "when": "f9 && f7 > 5", "cooldown": "5m", "action": {"run_once": "10s"}},
    ],
}
_CRON = CronsimCron()


def run(*, as_json: bool, quick: bool) -> None:
    """Measure and show."""
    number = 20 if quick else 2_000
    cases = _cases()
    bound = microseconds_each(cases.pop("bound: decide, no policy, no body"), number=number)
    rows: list[Row] = [{"what": "bound: decide, no policy, no body", "µs": bound, "times the bound": 1.0}]
    for name, function in cases.items():
        mean = microseconds_each(function, number=number)
        rows.append({"what": name, "µs": mean, "times the bound": mean / bound})
    about = f"{RULES} rules over {FIELDS} fields; µs per call, median of 7 rounds"
    Report(name="rules", about=about, rows=rows).show(as_json=as_json)


def _cases() -> dict[str, Callable[[], object]]:
    policy = policy_of(POLICY)
    plain, ruling = _endpoint(None), _endpoint(policy)
    record = _settling(ruling, _LOUD)().record
    assert record is not None
    text = record.encode()
    begin = _ruling(policy, 9.0, "degraded", flag=True)
    confirmed = _ruling(policy, 9.0, "degraded", flag=True, memory=begin().memory)().memory
    condition = condition_of("f0 > 5 || f8 == 'degraded'", {"f0": FieldKind.NUMBER, "f8": FieldKind.STRING})
    return {
        "bound: decide, no policy, no body": _settling(plain, None),
        "decide, no policy, a body with 10 fields": _settling(plain, QUIET),
        "decide, a policy, nothing to do": _settling(ruling, QUIET),
        "decide, a policy, all rules begin": _settling(ruling, _LOUD),
        "ruled, nothing to do": _ruling(policy, 1.0, "healthy", flag=False),
        "ruled, all rules begin": begin,
        "ruled, all rules in force": _ruling(policy, 9.0, "degraded", flag=True, memory=confirmed),
        "one condition": lambda: condition.evaluate({"f0": 1.0, "f8": "healthy"}),
        "the record to its stored form": record.encode,
        "the record from its stored form": lambda: SteeringRecord.decode(text),
    }


def _endpoint(policy: Policy | None) -> JobEndpoint:
    return started(an_endpoint(policy=policy, interval_min=timedelta(seconds=10)), MIDNIGHT, _CRON)


def _settling(endpoint: JobEndpoint, body: str | None) -> Callable[[], Settlement]:
    plan = endpoint.state.plan
    assert plan is not None
    assert plan.next_run_at is not None
    outcome = an_outcome(kind=OutcomeKind.RESPONDED, body=body, body_is_json=body is not None)
    finished = a_run(a_lease(endpoint, now=plan.next_run_at), outcome)
    facts = Facts(stored=Stored(now=finished.finished_at), run=finished, manual=False, cron=_CRON)
    return lambda: decide(endpoint, facts)


def _ruling(
    policy: Policy, number: float, word: str, *, flag: bool, memory: PolicyMemory = BLANK
) -> Callable[[], Ruling]:
    body: Json = {**{f"f{each}": number for each in range(8)}, "f8": word, "f9": flag}
    setting = Setting(
        endpoint_id="ep1", policy=policy, now=MIDNIGHT, base=timedelta(minutes=1), interval_min=timedelta(seconds=10),
        interval_max=None,
    )  # fmt: skip
    seen = Seen(at=MIDNIGHT, body=body, ok=True, status=200)
    return lambda: ruled(setting, memory, seen)
