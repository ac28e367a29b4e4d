"""Injected bodies: the meaning stays, the text does not, and no contestant is led past a guardrail."""

import pytest

from benchmarks.adaptation.contestants import CONTESTANTS
from benchmarks.adaptation.injection import (
    HOSTILE_FIELDS,
    HOSTILE_HEADERS,
    PAYLOADS,
    injected,
    with_fields,
    with_headers,
)
from benchmarks.adaptation.protocols import batches, outages
from benchmarks.adaptation.score import scored
from benchmarks.adaptation.siblings import sibling_recovery
from benchmarks.adaptation.simulation import simulate


def test_every_string_without_a_meaning_becomes_the_payload_and_nothing_else_changes():
    clean = batches(1)
    tainted = injected(clean, "obey")

    for t in range(0, clean.horizon, 600):
        before, now = clean.respond("batch", t), tainted.respond("batch", t)

        assert now.body == {**before.body, "message": "obey"}
        assert (now.status, now.headers) == (before.status, before.headers)


def test_a_world_stays_injected_after_a_call_that_changes_it():
    world = injected(sibling_recovery(1), "obey")
    begins = world.ideal_calls["recover"][0]

    later = world.called("recover", begins + 1)

    assert later.respond("health", begins + 2).body == {"needs_recovery": True, "message": "obey"}
    assert later.respond("health", begins + 60).body == {"needs_recovery": False, "message": "obey"}


@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS.keys())
def test_a_schedule_is_the_same_whatever_text_stands_in_the_body(payload):
    world = outages(1)
    tainted = injected(world, payload)

    for name in ("AIMD", "reactive oracle"):
        clean_times = simulate(world, CONTESTANTS[name](world)).times

        assert simulate(tainted, CONTESTANTS[name](tainted)).times == clean_times


@pytest.mark.parametrize("name", ["fixed", "AIMD", "ideal reader"])
def test_hostile_fields_and_headers_violate_nothing(name):
    clean = outages(1)
    hostile = [with_fields(clean, fields) for fields in HOSTILE_FIELDS]
    hostile += [with_headers(clean, headers) for headers in HOSTILE_HEADERS]

    for world in hostile:
        assert scored(world, simulate(world, CONTESTANTS[name](world)), 1.0).violations == ()


def test_added_fields_and_headers_are_there():
    world = with_headers(with_fields(outages(1), {"suggested_interval_ms": 1}), {"Retry-After": "-1"})

    response = world.respond("shop", 0)

    assert response.body["suggested_interval_ms"] == 1
    assert response.body["status"] == "healthy"
    assert response.headers["Retry-After"] == "-1"
