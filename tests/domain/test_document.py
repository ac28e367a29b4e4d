"""What becomes a document comes back as it was."""

import json
from collections.abc import Callable
from dataclasses import fields, replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cronicorn.domain.auth import BasicAuth, BearerAuth, ClientAuth, ClientCredentials
from cronicorn.domain.call import Method, Outcome, OutcomeKind, Request, StatusRange, SuccessCriteria
from cronicorn.domain.criteria.reading import criteria_of
from cronicorn.domain.document import endpoint_document, endpoint_of, hint_document, hint_of, state_of, state_text
from cronicorn.domain.endpoint import (
    AnalysisSwitch,
    Baseline,
    CatchUp,
    CatchUpMode,
    CompileMode,
    EndpointState,
    JobEndpoint,
    KeepBodies,
    Overlap,
    RetryPolicy,
)
from cronicorn.domain.fields import Document, Value
from cronicorn.domain.fixtures import MIDNIGHT, an_endpoint
from cronicorn.domain.flow.limits import Flow, FlowLimits, HeldBack
from cronicorn.domain.history_document import outcome_of, outcome_text, skip_document, skip_of
from cronicorn.domain.planning import plan_next_run
from cronicorn.domain.policy.reading import policy_of
from cronicorn.domain.rows import endpoint_from, endpoint_row, state_row
from cronicorn.domain.signals.signal import Adapt, Signals
from cronicorn.domain.slot import Skip, SlotState
from cronicorn.domain.trace import Trace
from cronicorn.domain.untrusted.redaction import Redaction
from tests.domain.strategies import CRON, hints, instants, lengths, maybe, wild_endpoints

texts = st.text(st.characters(), max_size=8)  # Halves of surrogate pairs included.
headers = st.lists(st.tuples(texts, texts), max_size=3).map(tuple)
requests = st.builds(
    Request,
    url=texts,
    method=st.sampled_from(Method),
    headers=headers,
    body_json=maybe(texts),
    timeout=lengths,
    execution_max=lengths,
    response_kb_max=st.integers(),
    redirects_max=st.integers(),
    auth=maybe(
        st.one_of(
            st.builds(BearerAuth, token=texts),
            st.builds(BasicAuth, username=texts, password=texts),
            st.builds(
                ClientCredentials, token_url=texts, client_id=texts, client_secret=texts,
                client_auth=st.sampled_from(ClientAuth), scope=maybe(texts), parameters=headers,
            ),
        )
    ),
)  # fmt: skip
statuses = st.builds(StatusRange, low=st.integers(), high=st.integers())
outcomes = st.builds(
    Outcome,
    kind=st.sampled_from(OutcomeKind),
    duration=lengths,
    status_code=maybe(st.integers()),
    headers=headers,
    body=maybe(texts),
    body_is_json=st.booleans(),
    body_truncated=st.booleans(),
    error=maybe(texts),
    sent_again=st.booleans(),
)
skips = st.builds(
    Skip,
    state=st.sampled_from(SlotState),
    reason=texts,
    first_at=instants,
    last_at=instants,
    count=st.integers(),
    exact=st.booleans(),
)


@st.composite
def endpoints(draw: st.DrawFn) -> JobEndpoint:
    return replace(
        draw(wild_endpoints()),
        name=draw(texts),
        description=draw(maybe(texts)),
        request=draw(requests),
        success=SuccessCriteria(statuses=tuple(draw(st.lists(statuses, max_size=2)))),
        created_at=draw(instants),
        updated_at=draw(instants),
        archived_at=draw(maybe(instants)),
        compile_mode=draw(st.sampled_from(CompileMode)),
        version=draw(st.integers()),
    )


@st.composite
def states(draw: st.DrawFn) -> EndpointState:
    endpoint = draw(wild_endpoints())
    plan = draw(maybe(st.just(plan_next_run(MIDNIGHT, endpoint, CRON))))
    if plan is not None:
        plan = plan._replace(trace=Trace.decode(plan.trace.encode()))
    return replace(endpoint.state, plan=plan, slot=draw(st.integers(1)))


def _stored(document: Value) -> dict[str, Value]:
    """*document* as it comes back from a text column."""
    stored: dict[str, Value] = json.loads(json.dumps(document, allow_nan=False))
    return stored


def _documents(endpoint: JobEndpoint, state: EndpointState, outcome: Outcome) -> list[dict[str, Value]]:
    return [endpoint_document(endpoint), json.loads(state_text(state)), json.loads(outcome_text(outcome))]


def _newer(document: dict[str, Value]) -> dict[str, Value]:
    """*document* as a newer version might write it, which knows more."""
    return {key: _newer_part(part) for key, part in document.items()} | {"from_the_future": [{"a": None}]}


def _newer_part(value: Value) -> Value:
    match value:
        case dict():
            return _newer(value)
        case list():
            return [_newer_part(part) for part in value]
        case _:
            return value


@given(endpoints())
def test_an_endpoint_comes_back_without_its_state(endpoint):
    assert endpoint_of(_stored(endpoint_document(endpoint))) == replace(endpoint, state=EndpointState())


@given(states())
def test_a_state_comes_back(state):
    assert state_of(json.loads(state_text(state))) == state


@given(hints(), texts)
def test_a_hint_comes_back(hint, reason):
    hint = replace(hint, reason=reason)

    assert hint_of(_stored(hint_document(hint))) == hint


@given(skips)
def test_a_skip_comes_back(skip):
    assert skip_of(_stored(skip_document(skip))) == skip


@given(outcomes)
def test_an_outcome_comes_back_with_the_body_that_was_kept_apart(outcome):
    document = json.loads(outcome_text(outcome))

    assert "body" not in document
    assert outcome_of(document, outcome.body) == outcome


@given(endpoints(), states(), outcomes)
def test_keys_of_a_newer_version_are_passed_over(endpoint, state, outcome):
    documents = _documents(endpoint, state, outcome)

    newer = [_newer(document) for document in documents]

    assert endpoint_of(newer[0]) == replace(endpoint, state=EndpointState())
    assert state_of(newer[1]) == state
    assert outcome_of(newer[2], outcome.body) == outcome


@given(endpoints(), states(), outcomes)
def test_a_document_holds_whole_numbers_only_and_says_their_unit(endpoint, state, outcome):
    for document in _documents(endpoint, state, outcome):
        _check_values(document)


def _check_values(value: Value) -> None:
    match value:
        case dict():
            assert not [key for key in value if key.endswith(("_at", "_until", "interval", "window", "timeout"))]
            for part in value.values():
                _check_values(part)
        case list():
            for part in value:
                _check_values(part)
        case _:
            assert isinstance(value, str | int | bool)


def test_what_an_older_version_left_out_takes_its_default():
    endpoint = an_endpoint(request=Request(url="http://shop.example/"), baseline=an_endpoint().baseline)
    known = {"id", "tenant_id", "job_id", "name", "request", "baseline", "created_at_us", "updated_at_us"}
    document = {key: value for key, value in endpoint_document(endpoint).items() if key in known}
    document["request"] = {"url": "http://shop.example/"}

    assert endpoint_of(document) == replace(endpoint, state=EndpointState())
    assert state_of({}) == EndpointState()


REQUEST: Document = {"url": "http://127.0.0.1:8000/stock"}
BASELINE: Document = {"interval_us": 60_000_000, "anchor_at_us": 1_767_225_600_000_000}
PLAIN: Document = {
    "id": "ep1", "tenant_id": "t1", "job_id": "job1", "name": "stock", "request": REQUEST, "baseline": BASELINE,
    "created_at_us": 1_767_225_600_000_000, "updated_at_us": 1_767_225_600_000_000,
}  # fmt: skip
PARTS_IN_FULL: dict[str, Document] = {
    "request": REQUEST | {
        "method": "GET", "headers": [], "timeout_us": 30_000_000, "execution_max_us": 60_000_000,
        "response_kb_max": 100, "redirects_max": 0,
    },
    "baseline": BASELINE | {
        "dormant": False, "zone": "UTC", "dst_gap": "run_after", "dst_overlap": "debian", "window_us": 0,
    },
    "catch_up": {"mode": "latest", "runs_max": 1},
    "retries": {"count": 0, "backoff_min_us": 5_000_000, "backoff_max_us": 3_600_000_000, "doublings_max": 5},
}  # fmt: skip
IN_FULL: Document = PLAIN | PARTS_IN_FULL | {"overlap": "skip", "success": [[200, 299], [304, 304]], "version": 1}
"""The same as every version before 1.0 wrote it: what is left out means this for ever."""


def test_what_an_endpoint_has_by_default_is_not_written():
    assert endpoint_document(an_endpoint()) == PLAIN
    assert state_text(EndpointState(slot=2, slots_issued=2)) == '{"slot":2,"slots_issued":2}'


def test_what_is_not_written_means_what_older_versions_wrote():
    assert endpoint_of(PLAIN) == endpoint_of(IN_FULL) == an_endpoint()


@pytest.mark.parametrize(("key", "part"), PARTS_IN_FULL.items())
def test_each_part_that_an_older_version_wrote_in_full_is_read(key: str, part: Document):
    for name, value in part.items():
        assert endpoint_of({**IN_FULL, key: {**part, name: _another(value)}}) != an_endpoint()


def _another(value: Value) -> Value:
    """A value that an endpoint may have in the place of *value*."""
    others = {"GET": "PUT", "run_after": "skip", "debian": "first", "latest": "all", "UTC": "Europe/Berlin"}
    match value:
        case bool():
            return not value
        case int():
            return value + 1
        case str():
            return others.get(value, "http://shop.example/")
        case _:
            return [["accept", "text/plain"]]


@pytest.mark.parametrize(
    ("read", "document"),
    [
        (endpoint_of, {}),
        (endpoint_of, endpoint_document(an_endpoint()) | {"version": True}),
        (endpoint_of, endpoint_document(an_endpoint()) | {"request": {"url": "u", "timeout_us": "soon"}}),
        (endpoint_of, endpoint_document(an_endpoint()) | {"name": 7}),
        (endpoint_of, endpoint_document(an_endpoint()) | {"request": []}),
        (endpoint_of, endpoint_document(an_endpoint()) | {"success": [[200]]}),
        (state_of, {"slot": "one"}),
        (state_of, {"hints": [3]}),
        (state_of, {"plan": {"source": "paused"}}),
        (state_of, {"plan": {"source": "elsewhere", "trace": "1"}}),
        (hint_of, {"kind": "pause"}),
        (skip_of, {"state": "ran", "first_at_us": 0}),
    ],
)
def test_what_is_no_such_document_is_refused(read: Callable[[dict[str, Value]], object], document: dict[str, Value]):
    with pytest.raises(ValueError, match=r"missing|is|not|holds"):
        read(document)


def test_the_longest_length_comes_back():
    endpoint = an_endpoint(interval_min=timedelta.max, interval_max=timedelta.min)

    back = endpoint_of(_stored(endpoint_document(endpoint)))

    assert (back.interval_min, back.interval_max) == (timedelta.max, timedelta.min)


def test_every_field_of_an_endpoint_comes_back_from_its_row():
    policy = policy_of({"version": 1, "fields": {}, "rules": []})
    endpoint = JobEndpoint(
        id="e1", tenant_id="t1", job_id="j1", name="stock", request=Request(url="http://shop.example/"),
        baseline=Baseline(cron="* * * * *"), created_at=MIDNIGHT, updated_at=MIDNIGHT, description="What matters.",
        interval_min=timedelta(1), interval_max=timedelta(2), catch_up=CatchUp(mode=CatchUpMode.ALL),
        overlap=Overlap.BUFFER_ONE, retries=RetryPolicy(count=2), success=SuccessCriteria(statuses=()),
        signals=Signals(adapt=Adapt.ON), policy=policy, redaction=Redaction(body=("/a",), headers=("b",)),
        criteria=criteria_of({"fields": {"ok": {"http": "ok"}}, "failure": "!ok"}),
        flow=Flow(key="k", limits=FlowLimits(rate=2, period=timedelta(seconds=3), parallelism=4)),
        analysis=AnalysisSwitch(enabled=True), compile_mode=CompileMode.OFF, archived_at=MIDNIGHT, version=7,
        keep_bodies=KeepBodies.ON_CHANGE,
        state=EndpointState(
            slot=3, body_mark="ab", held=HeldBack(until=MIDNIGHT, reason="r", turn_at=MIDNIGHT + timedelta(days=2))
        ),
    )  # fmt: skip

    row = endpoint_row(endpoint)

    assert [each.name for each in fields(endpoint) if getattr(endpoint, each.name) == each.default] == []
    assert endpoint_from(str(row["document"]), str(state_row(endpoint.state)["state"])) == endpoint
