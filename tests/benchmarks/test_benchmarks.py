"""Benchmarks stay alive: each runs once, small. What they measure here means nothing."""

import json
import re
import subprocess
import sys

import pytest

from benchmarks.__main__ import ALL, ONLY_NAMED
from tests.architecture.source import ROOT


@pytest.mark.parametrize("name", sorted(set(ALL) - {"flash-sale"}))  # `test_product_sale` runs that one.
def test_a_benchmark_runs_and_answers_json_with_a_bound(name):
    command = [sys.executable, "-m", "benchmarks", name, "--json", "--quick"]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)

    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["name"] == name
    assert len(report["rows"]) >= 2


def test_the_readme_lists_each_benchmark_and_says_which_have_to_be_named():
    text = (ROOT / "benchmarks" / "README.md").read_text(encoding="utf-8")
    (table,) = re.findall(r"^\| \| measures .*\n((?:\|.*\n)+)", text, re.MULTILINE)

    rows = dict(re.findall(r"^\| `([a-z-]+)` \| (.*)$", table, re.MULTILINE))

    assert set(rows) == {*ALL, *ONLY_NAMED}
    assert {name for name, row in rows.items() if "only when it is named" in row} == set(ONLY_NAMED)
