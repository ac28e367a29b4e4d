"""Helm itself, in a process of its own: its library brings a runtime that a process of tests is better without."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from lightkube.codecs import load_all_yaml

from tests.architecture.source import ROOT

CHART = ROOT / "deploy" / "helm" / "cronicorn"
Values = Mapping[str, Any]
Manifest = dict[str, Any]

needs_helm = pytest.mark.skipif(
    (sys.platform, sys.maxsize) != ("linux", 2**63 - 1), reason="Helm is there as a wheel for Linux on x86-64 alone"
)
_ASK = """
import json, sys
from helm_python.chart import Chart, lint
from helm_python.errors import HelmError
asked = json.load(sys.stdin)
report = lint(asked["chart"], asked["values"], strict=True)
try:
    with Chart.load(asked["chart"]) as chart:
        rendered = chart.render(values=asked["values"], name=asked["name"], namespace="jobs")
except HelmError as error:
    rendered, report["refused"] = {}, str(error)
json.dump({"report": report, "rendered": rendered}, sys.stdout)
"""


def told_by_helm(values: Values, name: str = "demo") -> dict[str, Any]:
    """What `helm lint --strict` and `helm template` say of the chart with *values*."""
    order = json.dumps({"chart": str(CHART), "values": values, "name": name})
    command = [sys.executable, "-c", _ASK]
    ended = subprocess.run(command, input=order, capture_output=True, text=True, check=True, timeout=120)
    told: dict[str, Any] = json.loads(ended.stdout)
    return told


def manifests(told: Mapping[str, Any]) -> Sequence[Manifest]:
    """The objects that Kubernetes would be given."""
    files = [text for path, text in told["rendered"].items() if Path(path).suffix == ".yaml"]
    return [each for text in files for each in yaml.safe_load_all(text) if each]


def unknown_to_kubernetes(manifest: Manifest) -> Sequence[str]:
    """Fields of *manifest* that Kubernetes does not know, and would drop or refuse. Raises where a type is wrong."""
    [read] = load_all_yaml(yaml.safe_dump(manifest))
    return sorted(_lost(manifest, read.to_dict(), ""))


def _lost(given: object, kept: object, place: str) -> set[str]:
    match given, kept:
        case dict(), dict():
            lost = {f"{place}/{key}" for key in given.keys() - kept.keys()}
            return lost.union(*(_lost(given[key], kept[key], f"{place}/{key}") for key in given.keys() & kept.keys()))
        case list(), list():
            parts = zip(given, kept, strict=True)
            return set().union(*(_lost(*pair, f"{place}/{number}") for number, pair in enumerate(parts)))
        case _:
            return set() if given == kept else {place}
