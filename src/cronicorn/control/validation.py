"""What doors refuse: endpoints that contradict themselves or could never be called. What is only odd is a warning.

The planner accepts every state; this is what keeps people from asking for one they can't mean.
"""

from datetime import datetime
from itertools import pairwise

from cronicorn.control.findings import Findings
from cronicorn.control.policy_judging import judge_policy
from cronicorn.domain.auth import AUTHORIZATION
from cronicorn.domain.call import Request
from cronicorn.domain.cron import CronSchedule
from cronicorn.domain.endpoint import Baseline, BaselineKind, CatchUpMode, JobEndpoint, RetryPolicy
from cronicorn.domain.errors import InvalidInputError
from cronicorn.domain.instant import INTERVAL_LEAST, MILLISECOND, ZERO
from cronicorn.domain.json_pointer import json_pointer
from cronicorn.domain.masking import MASK
from cronicorn.domain.outgoing import FRAMING, HEADER_NAME, HEADER_VALUE, RESERVED, RESPONSE_KB_MAX
from cronicorn.domain.ports import Cron
from cronicorn.domain.secret_references import named_in
from cronicorn.domain.target import parse_target

HEADERS_MAX = 100
HEADER_CHARACTERS_MAX = 32_768
GAPS_LOOKED_AT = 25
"""Instants of a cron schedule that are compared with the maximum."""


def judge(endpoint: JobEndpoint, before: JobEndpoint, now: datetime, cron: Cron, findings: Findings) -> None:
    """Report what *endpoint*, drafted on *before*, can't mean at *now*, and what it may not have meant."""
    if not endpoint.name.strip() and not findings.found("/name"):
        findings.refuse("/name", "Give the endpoint a name.")
    if not endpoint.request.url:
        findings.refuse("/url", "Say which URL to call.")
    judge_schedule(endpoint, before, now, cron, findings)
    judge_request(endpoint.request, findings)
    judge_policy(endpoint, findings)


def judge_schedule(endpoint: JobEndpoint, before: JobEndpoint, now: datetime, cron: Cron, findings: Findings) -> None:
    """As `judge`, but only what the schedule depends on."""
    _judge_baseline(endpoint.baseline, before.baseline, now, findings)
    if _reads_cron(endpoint.baseline, now, cron, findings):
        _warn_of_gaps(endpoint, now, cron, findings)
    _judge_guardrails(endpoint, findings)
    _judge_retries(endpoint.retries, findings)
    if endpoint.catch_up.runs_max > 1 and endpoint.catch_up.mode is not CatchUpMode.ALL:
        findings.warn("/catchUp/maxRuns", "Only the mode `all` runs more than one late instant.")


def _judge_baseline(baseline: Baseline, before: Baseline, now: datetime, findings: Findings) -> None:
    kinds = ("/baselineCron", "/baselineIntervalMs", "/onceAt", "/dormant")
    nothing = baseline.kind is BaselineKind.INTERVAL and baseline.interval is None
    if nothing and not any(findings.found(kind) for kind in kinds):
        findings.refuse("", "Say when to run: give baselineCron, baselineIntervalMs, onceAt or dormant.")
    if baseline.once_at is not None and baseline.once_at != before.once_at and baseline.once_at <= now:
        findings.refuse("/onceAt", "Must lie in the future.")
    if baseline.window > ZERO and baseline.kind in {BaselineKind.ONCE, BaselineKind.DORMANT}:
        findings.refuse("/windowMs", "Only a cron or interval baseline can be spread over a window; send null.")
    if baseline.kind is BaselineKind.INTERVAL and baseline.interval and baseline.window > baseline.interval:
        findings.refuse("/windowMs", "Must not be longer than baselineIntervalMs.")


def _reads_cron(baseline: Baseline, now: datetime, cron: Cron, findings: Findings) -> bool:
    """Whether there is a cron schedule that can be evaluated."""
    zone = baseline.zone
    try:
        cron.check(CronSchedule("* * * * *", zone), now)
    except InvalidInputError as error:
        findings.refuse("/timezone", str(error))
        zone = "UTC"
    if baseline.kind is not BaselineKind.CRON or findings.found("/baselineCron"):
        return False
    try:
        cron.check(baseline.cron_schedule._replace(zone=zone), now)
    except InvalidInputError as error:
        findings.refuse("/baselineCron", str(error))
    return not findings.found("/timezone") and not findings.found("/baselineCron")


def _warn_of_gaps(endpoint: JobEndpoint, now: datetime, cron: Cron, findings: Findings) -> None:
    if endpoint.interval_max is None:
        return
    instants = [now]
    while len(instants) <= GAPS_LOOKED_AT:
        instant = cron.next(endpoint.baseline.cron_schedule, instants[-1])
        if instant is None:
            break
        instants.append(instant)
    gap = max((later - earlier for earlier, later in pairwise(instants[1:])), default=ZERO)
    if gap > endpoint.interval_max:
        findings.warn(
            "/maxIntervalMs",
            f"baselineCron leaves gaps of {gap // MILLISECOND} ms, which is more: the endpoint also runs in between.",
        )


def _judge_guardrails(endpoint: JobEndpoint, findings: Findings) -> None:
    low, high, baseline = endpoint.interval_min, endpoint.interval_max, endpoint.baseline
    if low is not None and high is not None and low > high:
        findings.refuse("/minIntervalMs", "Must not be above maxIntervalMs; lower it or raise the other.")
    if high is not None and baseline.kind in {BaselineKind.ONCE, BaselineKind.DORMANT}:
        findings.refuse(
            "/maxIntervalMs",
            f"A maximum would make the endpoint run again and again, which {baseline.kind} rules out; send null.",
        )
    if high is not None and high < INTERVAL_LEAST:
        least = INTERVAL_LEAST // MILLISECOND
        findings.warn("/maxIntervalMs", f"Counts as {least} ms once the endpoint has run: no maximum drives it faster.")
    if baseline.kind is not BaselineKind.INTERVAL or baseline.interval is None:
        return
    if low is not None and low > baseline.interval:
        findings.warn("/minIntervalMs", "Above baselineIntervalMs: the endpoint runs at the minimum instead.")
    if high is not None and high < baseline.interval:
        findings.warn("/maxIntervalMs", "Below baselineIntervalMs: the endpoint runs at the maximum instead.")


def _judge_retries(retries: RetryPolicy, findings: Findings) -> None:
    if retries.backoff_min > retries.backoff_max:
        findings.refuse("/retries/minBackoffMs", "Must not be above maxBackoffMs; lower it or raise the other.")


def judge_request(request: Request, findings: Findings) -> None:
    try:
        if named_in(request.url):
            findings.refuse("/url", "URLs are shown and logged by many: name a secret in a header or the body instead.")
        if request.url and not findings.found("/url"):
            parse_target(request.url)
    except InvalidInputError as error:
        findings.refuse("/url", str(error))
    _judge_headers(request.headers, findings.inside("/headersJson"))
    if request.auth is not None:
        for name, _ in request.headers:
            if name.lower() == AUTHORIZATION.lower():
                why = "`auth` makes this header: leave one of them out (`auth` is taken out by null)."
                findings.refuse(json_pointer(["headersJson", name]), why)
    if request.timeout > request.execution_max:
        most = request.execution_max // MILLISECOND
        findings.warn("/timeoutMs", f"A call ends after maxExecutionTimeMs, here {most} ms, whatever this says.")
    if request.response_kb_max > RESPONSE_KB_MAX:
        findings.warn("/maxResponseSizeKb", f"No answer is kept beyond {RESPONSE_KB_MAX} KiB.")
    if request.body_json is not None and request.method in {"GET", "HEAD"}:
        findings.warn("/bodyJson", f"It is sent, but many servers ignore or refuse a {request.method} with a body.")


def _judge_headers(headers: tuple[tuple[str, str], ...], findings: Findings) -> None:
    if len(headers) > HEADERS_MAX or sum(len(name) + len(value) for name, value in headers) > HEADER_CHARACTERS_MAX:
        findings.refuse("", f"At most {HEADERS_MAX} headers with {HEADER_CHARACTERS_MAX} characters in all.")
        return
    seen: set[str] = set()
    for name, value in headers:
        pointer = json_pointer([name])
        fault = _header_fault(name, value, seen)
        if fault:
            findings.refuse(pointer, fault)
        if name.lower() in RESERVED:
            findings.warn(pointer, "Each call carries one of its own; this one is left out.")
        seen.add(name.lower())


def _header_fault(name: str, value: str, seen: set[str]) -> str | None:
    if HEADER_NAME.fullmatch(name) is None:
        return "A header's name has only letters, digits and !#$%&'*+-.^_`|~."
    if name.lower() in FRAMING:
        return "Set by the client for each connection; leave it out."
    if name.lower() in seen:
        return "Given twice: names of headers are the same in upper and lower case."
    if value == MASK:
        return "This is the mask of a value, and none is stored: send the value itself."
    if HEADER_VALUE.fullmatch(value) is None:
        return "A header's value has only printable ASCII characters, spaces and tabs."
    return None
