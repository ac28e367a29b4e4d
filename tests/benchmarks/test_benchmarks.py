"""Benchmarks stay alive: each runs once, small. What they measure here means nothing."""

import json
import subprocess
import sys

import pytest

from benchmarks.__main__ import ALL
from tests.architecture.source import ROOT


@pytest.mark.parametrize("name", sorted(set(ALL) - {"flash-sale"}))  # `test_product_sale` runs that one.
def test_a_benchmark_runs_and_answers_json_with_a_bound(name):
    command = [sys.executable, "-m", "benchmarks", name, "--json", "--quick"]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=True)

    report = json.loads(done.stdout)
    assert report["name"] == name
    assert len(report["rows"]) >= 2
