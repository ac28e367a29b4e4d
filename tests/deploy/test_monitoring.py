"""The dashboard and the alert rules ask Prometheus for what processes tell, by its own grammar."""

import json
import re
from typing import Any

import pytest
import yaml

from cronicorn.adapters.metrics.catalog import METRICS
from cronicorn.domain.alert.incident import MessageState
from cronicorn.domain.run import RunStatus
from tests.architecture.source import ROOT
from tests.deploy.promql import asked
from tests.docs.markdown import DOCS

DASHBOARD = json.loads((ROOT / "deploy/grafana/cronicorn.json").read_text(encoding="utf-8"))
RULES = yaml.safe_load((ROOT / "deploy/prometheus/cronicorn.rules.yaml").read_text(encoding="utf-8"))
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
ALERTS = [rule for group in RULES["groups"] for rule in group["rules"]]
VALUES = {"status": {*RunStatus}, "outcome": {*MessageState, "fatal"}}
"""What labels that are compared with a word may be."""


def expressions_of(panel: dict[str, Any]) -> list[str]:
    """As Prometheus gets them."""
    return [target["expr"].replace("$__rate_interval", "5m") for target in panel["targets"]]


EXPRESSIONS = [pytest.param(each, id=panel["title"]) for panel in PANELS for each in expressions_of(panel)] + [
    pytest.param(rule["expr"], id=rule["alert"]) for rule in ALERTS
]


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_an_expression_asks_for_metrics_and_labels_that_there_are(expression):
    looked_at = asked(expression)

    assert looked_at
    assert [fault for each in looked_at for fault in each.faults] == []
    assert {(name, value) for each in looked_at for name, value in each.matched if value not in VALUES[name]} == set()


def test_every_metric_is_on_the_dashboard():
    shown = {each.metric for panel in PANELS for expression in expressions_of(panel) for each in asked(expression)}

    assert [metric.name for metric in METRICS if metric not in shown] == []


def test_legends_name_labels_that_are_left():
    for panel in PANELS:
        for target, expression in zip(panel["targets"], expressions_of(panel), strict=True):
            named = set(re.findall(r"{{(\w+)}}", target["legendFormat"]))
            assert named <= frozenset().union(*(each.labels for each in asked(expression))), panel["title"]


def test_panels_have_a_title_and_say_what_they_show_and_none_hides_another():
    taken: set[tuple[int, int]] = set()
    for panel in PANELS:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert panel["title"]
        assert panel["description"].endswith(".")
        assert place["x"] + place["w"] <= 24
        assert not cells & taken, panel["title"]
        taken |= cells
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])


def test_the_dashboard_belongs_to_no_installation():
    sources = {json.dumps(part["datasource"]) for panel in PANELS for part in (panel, *panel["targets"])}

    assert sources == {'{"type": "prometheus", "uid": "${datasource}"}'}
    assert "id" not in DASHBOARD


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_an_alert_says_how_bad_it_is_and_what_to_do_and_stands_in_the_documentation(rule):
    page = (DOCS / "how-to" / "watch-it.md").read_text(encoding="utf-8")

    assert rule["labels"]["severity"] in {"critical", "warning"}
    assert set(rule["annotations"]) == {"summary", "description"}
    assert f"`{rule['alert']}`" in page
    assert rule.keys() <= {"alert", "expr", "for", "labels", "annotations"}


def test_what_is_asked_for_in_vain_is_noticed():
    (wrong,) = asked("sum by (nothing) (rate(cronicorn_runs_total[5m]))")
    (absent,) = asked("cronicorn_run_duration_seconds")

    assert list(wrong.faults) == ["cronicorn_runs_total has no label nothing"]
    assert list(absent.faults) == ["no metric cronicorn_run_duration_seconds"]
    with pytest.raises(ValueError, match=r".+"):
        asked("sum by (rate(cronicorn_runs_total[5m])")
