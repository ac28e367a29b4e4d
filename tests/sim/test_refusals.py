"""What is wrong with a scenario is told where it stands, with what to do, and all at once."""

import pytest

from cronicorn.domain.errors import InvalidInputError
from tests.sim.scenarios import STOCK, document, policy, read

A = {"name": "a", "every": "60s"}
COUNTED = {"every": "1m", "count": True, "lasts": "1s"}


def expected(parts):
    return {"expect": [{"name": "n", **parts}]}


BAD = [
    ({"version": 2}, "/version", "Must be 1"),
    ({"lenght": "1h"}, "/lenght", "Did you mean `length`?"),
    ({"length": "soon"}, "/length", "Must be a length of time such as"),
    ({"length": None}, "/length", "Give `length`"),
    ({"start": "2026-01-01T00:00:00"}, "/start", "with its offset"),
    ({"seed": -1}, "/seed", "whole number from 0"),
    ({"workers": 0}, "/workers", "whole number from 1"),
    ({"workers": {"counts": 2}}, "/workers/counts", "Did you mean `count`?"),
    ({"crashes": [{"at": "1m", "worker": 2}]}, "/crashes/0/worker", "from 1 to 1"),
    ({"crashes": [{"worker": 1}]}, "/crashes/0/at", "Give `at`"),
    ({"endpoints": []}, "/endpoints", "at least one"),
    ({"endpoints": None}, "/endpoints", "Give a list"),
    ({"endpoints": [{"every": "60s"}]}, "/endpoints/0/name", "Give the endpoint a name."),
    ({"endpoints": [A, A]}, "/endpoints/1/name", "Another endpoint is called a."),
    ({"endpoints": [{"name": "a"}]}, "/endpoints/0", "one of every, cron, once, dormant"),
    ({"endpoints": [{**A, "cron": "* * * * *"}]}, "/endpoints/0", "every or cron, not both"),
    ({"endpoints": [{"name": "a", "cron": "61 * * * *"}]}, "/endpoints/0/cron", "61"),
    ({"endpoints": [{"name": "a", "every": "10ms"}]}, "/endpoints/0/every", "from 1s"),
    ({"endpoints": [{"name": "a", "baselineIntervalMs": 5}]}, "/endpoints/0/baselineIntervalMs", "`every: 60s`"),
    ({"endpoints": [{**A, "url": "http://x"}]}, "/endpoints/0/url", "Nothing is sent"),
    ({"endpoints": [{**A, "min": "5m", "max": "1m"}]}, "/endpoints/0/min", "above `max`"),
    ({"endpoints": [{"name": "a", "dormant": True, "max": "1m"}]}, "/endpoints/0/max", "take it out"),
    ({"endpoints": [{"name": "a", "cron": "* * * * *", "phase": "1s"}]}, "/endpoints/0/phase", "Only an interval"),
    ({"endpoints": [{**A, "success": ["2xx"]}]}, "/endpoints/0/success", "200-299"),
    ({"endpoints": [{**A, "signals": {"trends": False}}]}, "/endpoints/0/signals/trends", "Did you mean `trend`?"),
    ({"endpoints": [{**A, "policy": {"version": 1}}]}, "/endpoints/0/policy/rules", "list of rules"),
    ({"endpoints": [{**A, "policy": "none.yaml"}]}, None, "There is no file none.yaml."),
    ({"endpoints": [{**A, "answers": {"stauts": 200}}]}, "/endpoints/0/answers/stauts", "Did you mean `status`?"),
    ({"endpoints": [{**A, "answers": {"body": {"x": "=lod"}}}]}, "/endpoints/0/answers/body/x", "lod"),
    ({"endpoints": [{**A, "answers": [{}, {"status": 500}]}]}, "/endpoints/0/answers/1", "never answered"),
    ({"endpoints": [{**A, "answers": {"body": 1, "text": "a"}}]}, "/endpoints/0/answers/text", "one body"),
    ({"endpoints": [{**A, "answers": {"latency": "=1 > 0"}}]}, "/endpoints/0/answers/latency", "number of seconds"),
    ({"endpoints": [{**A, "answers": {"when": "a b"}}]}, "/endpoints/0/answers/when", "character"),
    ({"version": True}, "/version", "Must be 1"),
    ({"start": "9999-12-31T23:50:00Z"}, "/start", "9900"),
    ({"name": "\udc00"}, "/name", "surrogate"),
    ({"seed": 10**400}, "/seed", "larger than any"),
    ({"endpoints": [dict.fromkeys((None, "name"), 1)]}, "/endpoints/0", "must not be empty"),
    ({"signals": {"a": {"levels": {"values": [1, 2], "stay": "0s"}}}}, "/signals/a/levels/stay", "at least 10ms"),
    ({"signals": {f"s{n}": f"=s{n - 1} + 1" if n else 1 for n in range(30)}}, "/signals/s20", "At most 20"),
    ({"signals": {f"s{n}": f"=s{n + 1} + 1" if n < 29 else 1 for n in range(30)}}, "/signals/s20", "At most 20"),
    ({"signals": {"a-b": 1}}, "/signals/a-b", "letters, digits and _"),
    ({"signals": {"now": 1}}, "/signals/now", "there already"),
    ({"signals": {"a": [1]}}, "/signals/a", "Must be a number, text"),
    ({"signals": {"a": {}}}, "/signals/a", "one of steps, ramp"),
    ({"signals": {"a": {"ramps": {"0s": 1}}}}, "/signals/a/ramps", "Did you mean `ramp`?"),
    ({"signals": {"a": {"ramp": {"0s": 1, "60s": 2, "1m": 3}}}}, "/signals/a/ramp/1m", "second time"),
    ({"signals": {"a": {"ramp": {"soon": 1}}}}, "/signals/a/ramp/soon", "a time since the start"),
    ({"signals": {"a": {"steps": {"0s": 1, "1m": "x"}}}}, "/signals/a/steps/1m", "of one kind"),
    ({"signals": {"a": {"decay": {"from": 1, "to": 2}}}}, "/signals/a/decay/tau", "Give `tau`"),
    ({"signals": {"a": {"ar1": {"sd": 1, "phi": 2}}}}, "/signals/a/ar1/phi", "at most 1"),
    ({"signals": {"a": {"uniform": {"min": 2, "max": 1}}}}, "/signals/a/uniform/min", "above `max`"),
    ({"signals": {"a": {"levels": {"values": [1, "x"], "stay": "1m"}}}}, "/signals/a/levels/values", "list of numbers"),
    ({"signals": {"a": {"events": COUNTED}}}, "/signals/a/events/lasts", "counted"),
    ({"signals": {"a": {"calls": "stok"}}}, "/signals/a/calls", "Did you mean stock?"),
    ({"signals": {"a": "=b", "b": "=c", "c": "=a"}}, "/signals/a", "worked out from itself: a of b of c of a"),
    ({"signals": {"a": "=1 +"}}, "/signals/a", "character"),
    ({"signals": {"a": "="}}, "/signals/a", "The expression is empty"),
    ({"signals": {"a": "=1) + (2"}}, "/signals/a", "brackets do not match"),
    ({"signals": {"x": 1}, "state": {"x": 1}}, "/state/x", "A signal is called x"),
    ({"state": {"x": {"start": 1, "changes": [{"set": 2}]}}}, "/state/x/changes/0", "one of call, at"),
    ({"state": {"x": {"start": 1, "changes": [{"at": "1s"}]}}}, "/state/x/changes/0", "one of set, add"),
    ({"state": {"x": {"start": 1, "changes": [{"at": "1s", "set": "a"}]}}}, "/state/x/changes/0/set", "number"),
    ({"state": {"x": {"start": "a", "changes": [{"at": "1s", "add": 1}]}}}, "/state/x/changes/0/add", "Only a number"),
    ({"state": {"x": {"changes": []}}}, "/state/x/start", "number, text"),
    ({"outages": [{"from": "1m"}]}, "/outages/0", "one of fail, status"),
    ({"outages": [{"from": "1m", "until": "1m", "status": 500}]}, "/outages/0/until", "after `from`"),
    ({"outages": [{"from": "1m", "fail": "slowly"}]}, "/outages/0/fail", "refused, timeout"),
    ({"outages": [{"from": "1m", "fail": "refused", "retry_after": "1m"}]}, "/outages/0/retry_after", "`status`"),
    ({"outages": [{"from": "1m", "status": 500, "endpoints": ["x"]}]}, "/outages/0/endpoints", "no endpoint x"),
    ({"expect": [{"endpoint": "stock", "never": True}]}, "/expect/0/name", "Give the expectation a name"),
    (expected({"endpoint": "stock"}), "/expect/0", "one of first_call"),
    (expected({"never": True}), "/expect/0/endpoint", "Name the endpoint."),
    (expected({"endpoint": "stok", "never": True}), "/expect/0/endpoint", "Did you mean stock?"),
    (expected({"endpoint": "stock", "count": {}}), "/expect/0/count", "at_least, at_most or both"),
    (expected({"endpoint": "stock", "count": {"at_least": 2, "at_most": 1}}), "/expect/0/count/at_least", "above"),
    (expected({"endpoint": "stock", "first_call": {"by": "11m"}}), "/expect/0/first_call/by", "after the end"),
    (expected({"endpoint": "stock", "reaction": {"by": "1m"}}), "/expect/0/reaction", "gap_at_most"),
    (expected({"endpoint": "stock", "cadense": {}}), "/expect/0/cadense", "Did you mean `cadence`?"),
    (expected({"order": ["stock"]}), "/expect/0/order", "at least two"),
    (expected({"signal": "x", "value": {"at": "1m", "is": 1}}), "/expect/0/signal", "no signal or state x"),
    (
        {"signals": {"x": 1}, **expected({"signal": "x", "value": {"at": "1m", "is": "a"}})},
        "/expect/0/value/is", "number",
    ),
    ({"endpoints": 5}, "/endpoints", "Must be a list"),
    ({"signals": {"x": float("nan")}}, "/signals/x", "JSON has no such value"),
    ({"signals": {"x": {1, 2}}}, "/signals/x", "JSON has no such value"),
]  # fmt: skip


def refused(value):
    with pytest.raises(InvalidInputError) as caught:
        read(value)
    return caught.value


@pytest.mark.parametrize(("parts", "pointer", "advice"), BAD, ids=lambda value: str(value)[:60])
def test_a_fault_is_told_where_it_stands(parts, pointer, advice):
    error = refused(document(**parts))

    if pointer is None:
        assert advice in str(error)
    else:
        told = [found.message for found in error.fields if found.pointer == pointer]
        assert any(advice in message for message in told), error.fields


@pytest.mark.parametrize("value", [None, [], "text", 5])
def test_what_is_no_object_says_how_to_begin(value):
    assert "`version: 1`" in str(refused(value))


def test_all_faults_are_told_at_once():
    error = refused(document(seed="x", workers="y", endpoints=[{**STOCK, "min": "z"}]))

    assert [found.pointer for found in error.fields] == ["/workers", "/endpoints/0/min", "/seed"]


@pytest.mark.parametrize(
    "rule",
    [{"id": "r", "when": "n > 0", "action": {"run": "stok"}}, {"id": "r", "when": "n > 0", "action": {"run": "a"}}],
)
def test_a_policy_that_orders_a_stranger_or_itself_is_refused(rule):
    fields = {"n": {"path": "$.n", "type": "number"}}

    error = refused(document(endpoints=[STOCK, {**A, "policy": policy(fields, rule)}]))

    assert [found.pointer for found in error.fields] == ["/endpoints/1/policy"]


def test_a_policy_that_reads_a_stranger_is_refused():
    fields = {"n": {"from": "sibling:stok", "path": "$.n", "type": "number"}}

    error = refused(document(endpoints=[STOCK, {**A, "policy": policy(fields)}]))

    assert "Did you mean stock?" in str(error)


def test_a_document_of_endless_depth_is_refused():
    value = document()
    value["endpoints"] = [value]

    assert "Too large" in str(refused(value))


def test_chains_of_signals_are_bounded():
    chain = {f"s{number}": f"=s{number + 1}" for number in range(100)}

    assert "rest one on another" in str(refused(document(signals={**chain, "s100": 1})))
