"""The chart, as Helm lints and renders it, is what Kubernetes knows and what processes of Cronicorn need."""

import copy

import pytest
from typer.main import get_command

from cronicorn.cli.main import app
from cronicorn.domain.outgoing import VERSION
from cronicorn.wiring.settings_table import SETTINGS
from tests.deploy.drain import STOPS_WITHIN_S
from tests.deploy.helm import CHART, manifests, needs_helm, told_by_helm, unknown_to_kubernetes

pytestmark = needs_helm

EVERYTHING = {
    "image": {"repository": "registry.example/cronicorn", "tag": "1.2.3"},
    "imagePullSecrets": [{"name": "pull"}],
    "settings": {"LEASE_TTL": "20s", "EGRESS_ALLOW": "10.1.2.0/24"},
    "api": {"ingress": {"enabled": True, "className": "nginx", "tlsSecret": "tls", "annotations": {"a": "b"}}},
    "scheduler": {"replicas": 1, "settings": {"CALLS_MAX": 200, "LEASE_TTL": "15s"}},
    "planner": {"enabled": True, "settings": {"AI_MODEL": "openai:gpt-5-mini"}},
    "extraEnv": [{"name": "CRONICORN_AI_API_KEY", "valueFrom": {"secretKeyRef": {"name": "ai", "key": "key"}}}],
    "podAnnotations": {"team": "shop"},
    "nodeSelector": {"disk": "ssd"},
    "tolerations": [{"key": "batch", "operator": "Exists"}],
}


@pytest.fixture(scope="module", params=[{}, EVERYTHING], ids=["as it is", "with everything"])
def told(request):
    return told_by_helm(request.param)


def deployments(told):
    found = {each["metadata"]["name"]: each["spec"] for each in manifests(told) if each["kind"] == "Deployment"}
    return {name: (spec, spec["template"]["spec"]["containers"][0]) for name, spec in found.items()}


def test_helm_finds_nothing_wrong(told):
    assert [each for each in told["report"]["messages"] if each["severity"] > 1] == []
    assert "refused" not in told["report"]
    assert manifests(told)


def test_kubernetes_knows_every_field(told):
    for manifest in manifests(told):
        assert unknown_to_kubernetes(manifest) == [], manifest["metadata"]["name"]


def test_processes_are_started_and_set_as_there_are_commands_and_settings(told):
    commands = set(getattr(get_command(app), "commands"))  # noqa: B009 - typer's own class does not declare it
    known = {name for setting in SETTINGS for name in setting.names}

    for spec, container in deployments(told).values():
        assert container["args"][0] in commands
        assert {each["name"] for each in container["env"]} <= known
        assert spec["template"]["spec"]["enableServiceLinks"] is False, "they would be unknown settings"


def test_pods_have_time_to_drain_and_are_restricted(told):
    for spec, container in deployments(told).values():
        pod = spec["template"]["spec"]
        assert pod["terminationGracePeriodSeconds"] > STOPS_WITHIN_S
        assert pod["securityContext"]["runAsNonRoot"]
        assert pod["automountServiceAccountToken"] is False
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
        }  # fmt: skip


def test_services_and_budgets_find_their_pods(told):
    labels = {name: spec["template"]["metadata"]["labels"] for name, (spec, _) in deployments(told).items()}

    for manifest in manifests(told):
        selector = manifest["spec"].get("selector")
        if selector is not None:
            wanted = selector.get("matchLabels", selector)
            found = [name for name, given in labels.items() if wanted.items() <= given.items()]
            assert found == [manifest["metadata"]["name"]]


def test_a_part_may_be_set_otherwise_than_the_whole():
    told = told_by_helm(EVERYTHING, "a-name-that-is-much-too-long-for-what-else-comes")
    settings = {
        spec["template"]["spec"]["containers"][0]["name"]: {
            each["name"]: each.get("value") for each in container["env"]
        }
        for spec, container in deployments(told).values()
    }

    assert {part: each["CRONICORN_LEASE_TTL"] for part, each in settings.items()} == {
        "api": "20s", "scheduler": "15s", "planner": "20s",
    }  # fmt: skip
    assert settings["scheduler"]["CRONICORN_CALLS_MAX"] == "200"
    assert [part for part, each in settings.items() if "CRONICORN_API_KEY_FILE" in each] == ["api"]
    assert all(len(each["metadata"]["name"]) < 54 for each in manifests(told))


@pytest.mark.parametrize(
    "wrong",
    [
        {"settings": {"CRONICORN_PORT": 1}},
        {"scheduler": {"replicas": "two"}},
        {"imagee": {}},
        {"existingSecret": ""},
        {"settings": {"DATABASE_URL": "sqlite:one-for-each-pod.db"}},
        {"api": {"settings": {"API_KEY": "for-all-to-read"}}},
        {"extraEnv": [{"name": "CRONICORN_DATABASE_URL", "value": "sqlite:one-for-each-pod.db"}]},
    ],
)
def test_values_that_are_none_are_refused(wrong):
    told = told_by_helm(wrong)

    assert "values don't meet the specifications" in told["report"]["refused"]


def test_numbers_and_words_are_settings_as_they_were_written():
    written = {"RUNS_PER_MONTH": 1_000_000, "CALLS_MAX": 200, "AI_FLOOR": 0.25, "OFF": 0, "MCP": True, "TTL": "1e+06"}

    told = told_by_helm({"settings": written})

    for _, container in deployments(told).values():
        env = {each["name"]: each.get("value") for each in container["env"]}
        assert {name: env[f"CRONICORN_{name}"] for name in written} == {
            "RUNS_PER_MONTH": "1000000", "CALLS_MAX": "200", "AI_FLOOR": "0.25", "OFF": "0", "MCP": "true",
            "TTL": "1e+06",
        }  # fmt: skip


def test_the_chart_is_of_this_version():
    chart = (CHART / "Chart.yaml").read_text(encoding="utf-8")

    assert f"\nappVersion: {VERSION}\n" in chart


def test_a_field_that_is_unknown_is_noticed():
    manifest = copy.deepcopy(next(each for each in manifests(told_by_helm({})) if each["kind"] == "Deployment"))
    manifest["spec"]["template"]["spec"]["containers"][0]["imagePullPolicies"] = "Never"

    assert unknown_to_kubernetes(manifest) == ["/spec/template/spec/containers/0/imagePullPolicies"]
