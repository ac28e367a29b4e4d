"""The Containerfile and the compose file are well-formed, and mean images, commands and settings that there are."""

import re

import pytest
import yaml
from compose_spec import PyCompose
from typer.main import get_command

from cronicorn.cli.main import app
from cronicorn.wiring.settings import Settings
from cronicorn.wiring.settings_table import SETTINGS
from tests.architecture.source import ROOT
from tests.deploy.drain import STOPS_WITHIN_S

CONTAINERFILE = ROOT / "deploy" / "Containerfile"
COMPOSE = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text(encoding="utf-8"))
OURS = {name: service for name, service in COMPOSE["services"].items() if service["image"] == "cronicorn"}
COMMANDS = set(getattr(get_command(app), "commands"))  # noqa: B009 - typer's own class does not declare it


def instructions(name: str) -> list[str]:
    """What follows *name* in the Containerfile."""
    text = CONTAINERFILE.read_text(encoding="utf-8").replace("\\\n", " ")
    return re.findall(rf"^{name} +(.*)$", text, re.MULTILINE)


def test_what_is_copied_is_there_and_the_versions_are_locked_with_all_extras():
    copied = [word for line in instructions("COPY") if "--from" not in line for word in line.split()[:-1]]
    locked = (ROOT / "requirements" / "all.txt").read_text(encoding="utf-8")
    declared = (ROOT / "pyproject.toml").read_text(encoding="utf-8")

    assert copied
    assert [name for name in copied if not (ROOT / name).exists()] == []
    assert "--require-hashes" in instructions("RUN")[0]
    extras = re.search(r'"cronicorn\[(.*)\]"', declared)
    assert extras is not None
    for extra in extras[1].split(","):
        assert re.search(rf"^{extra} = \[\"([\w-]+)", declared, re.MULTILINE)[1] in locked  # type: ignore[index]


def test_an_image_begins_as_somebody_who_may_do_nothing_with_settings_that_there_are():
    environment = dict(re.findall(r"(CRONICORN_\w+)=(\S+)", " ".join(instructions("ENV"))))

    assert Settings.from_env(environment).host == "0.0.0.0"
    assert re.search(r'"(\w+)"', instructions("CMD")[0])[1] in COMMANDS  # type: ignore[index]
    assert instructions("USER") == ["10001:10001"]


def test_the_compose_file_is_one_by_the_specification():
    PyCompose.from_yaml(yaml.safe_dump(COMPOSE)).validate()

    with pytest.raises(ValueError, match="no_such"):
        PyCompose.from_yaml("services: {api: {image: x, secrets: [no_such]}}").validate()


@pytest.mark.parametrize("name", OURS)
def test_a_service_is_a_command_with_settings_that_there_are_and_time_to_drain(name):
    service, known = OURS[name], {each for setting in SETTINGS for each in setting.names}

    assert service["command"][0] in COMMANDS
    assert service["environment"].keys() <= known
    assert int(service["stop_grace_period"].removesuffix("s")) > STOPS_WITHIN_S
    mounted = {f"/run/secrets/{secret}" for secret in service["secrets"]}
    assert {path for key, path in service["environment"].items() if key.endswith("_FILE")} == mounted
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
