"""One seed, one history: in this process, in another, and whatever Python's hash seed is."""

import pytest

from tests.cli.command import cronicorn, environment

NOISY = """
version: 1
length: 2h
workers: 3
seed: 5
crashes: [{at: 20m, worker: 1, back_after: 10m}, {at: 40m, worker: 2}]
signals:
  load: {ar1: {mean: 50, sd: 20, phi: 0.5, each: 10s}}
  spike: {events: {every: 10m, lasts: {min: 10s, max: 2m}, value: {min: 10, max: 90}}}
  level: {levels: {values: [calm, busy, hot], stay: {min: 5m, max: 20m}}}
endpoints:
  - name: shop
    copies: 10
    every: 3m
    min: 20s
    retries: 2
    answers:
      - {when: load > 85, status: 503}
      - {latency: {min: 10ms, max: 40s}, body: {load: =load + spike, status: =level, queue: '=load * 3'}}
    policy:
      version: 1
      fields: {load: {path: $.load, type: number}}
      rules: [{id: busy, when: load > 60, until: load < 50, for: 2, action: {interval: 40s}}]
outages: [{from: 30m, until: 50m, fail: timeout, share: 0.5}]
expect: [{name: something happened, endpoint: shop-3, count: {at_least: 20}}]
"""


@pytest.mark.parametrize("option", [(), ("--json",)])
def test_the_same_seed_prints_the_same_in_every_process(option):
    first, second = (
        cronicorn("simulate", "-", *option, stdin=NOISY, env=environment() | {"PYTHONHASHSEED": seed})
        for seed in ("1", "2")
    )

    assert first.code == 0, first.err
    assert first.out == second.out
    assert first.err == ""


def test_another_seed_is_another_history():
    first, second = (cronicorn("simulate", "-", "--json", "--seed", seed, stdin=NOISY) for seed in ("1", "2"))

    assert first.code == second.code == 0
    assert first.out.replace('"seed": 1', '"seed": 2') != second.out
