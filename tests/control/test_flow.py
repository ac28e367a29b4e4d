"""The flow of an endpoint, at the doors."""

from datetime import timedelta

import pytest

from cronicorn.control.document import EndpointPatch
from cronicorn.control.drafting import blank, drafted
from cronicorn.control.findings import Findings
from cronicorn.control.rendering import shown
from cronicorn.domain.document import endpoint_document, endpoint_of
from cronicorn.domain.fixtures import MIDNIGHT
from cronicorn.domain.flow.limits import Flow, FlowLimits


def draft(flow, before=None):
    findings = Findings()
    before = before or blank("t1", "job1", "ep1", MIDNIGHT)
    endpoint = drafted(before, EndpointPatch.model_validate({"flow": flow}), MIDNIGHT, findings)
    return endpoint, {error.pointer: error.message for error in findings.errors}


@pytest.mark.parametrize(
    ("document", "flow"),
    [
        ({"rate": 5}, Flow(limits=FlowLimits(rate=5))),
        ({"parallelism": 2}, Flow(limits=FlowLimits(parallelism=2))),
        (
            {"key": "k", "rate": 1_000, "periodMs": 86_400_000, "parallelism": 3},
            Flow(key="k", limits=FlowLimits(rate=1_000, period=timedelta(days=1), parallelism=3)),
        ),
        (None, None),
    ],
)
def test_a_flow_is_read_stored_and_shown_as_it_was_given(document, flow):
    endpoint, errors = draft(document)

    assert errors == {}
    assert endpoint.flow == flow
    assert endpoint_of(endpoint_document(endpoint)) == endpoint
    assert draft(shown(endpoint).get("flow"))[0].flow == flow


def test_a_new_flow_takes_the_place_of_the_old_one_and_null_takes_it_away():
    first, _ = draft({"key": "k", "rate": 5, "parallelism": 2})

    second, _ = draft({"parallelism": 1}, first)
    third, _ = draft(None, second)

    assert second.flow == Flow(limits=FlowLimits(parallelism=1))
    assert third.flow is None


@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        ({}, "/flow"),
        ({"key": "k"}, "/flow"),
        ({"parallelism": 1, "periodMs": 5}, "/flow/periodMs"),
        ({"rate": 0}, "/flow/rate"),
        ({"rate": 1_001}, "/flow/rate"),
        ({"rate": 1, "periodMs": 86_400_001}, "/flow/periodMs"),
        ({"parallelism": 0}, "/flow/parallelism"),
        ({"rate": 1, "key": ""}, "/flow/key"),
        ({"rate": 1, "key": "a\x00"}, "/flow/key"),
    ],
)
def test_what_can_not_be_meant_is_refused_where_it_stands(document, pointer):
    _, errors = draft(document)

    assert pointer in errors
