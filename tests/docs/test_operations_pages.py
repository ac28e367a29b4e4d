"""What runs services, containers and the checks of a clone is typed as printed; what stands in for tools is judged."""

import re
import shlex
import subprocess

import pytest
import yaml

from benchmarks.__main__ import ALL, ONLY_NAMED
from cronicorn.wiring.settings import Settings
from tests.architecture.source import ROOT
from tests.deploy.helm import manifests, needs_helm, told_by_helm
from tests.docs.journeys import types_every_command_of
from tests.docs.markdown import inline, pages, shell_blocks
from tests.docs.spoken import mistake_in
from tests.docs.terminal import Terminal
from tests.docs.test_how_tos import page

COMPOSE = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text(encoding="utf-8"))


def given(words, option):
    """What follows *option* among *words*, each time."""
    return [words[number + 1] for number, word in enumerate(words) if word == option]


@pytest.fixture
def clone(tmp_path):
    """A terminal in a folder with what a clone has to deploy."""
    (tmp_path / "deploy").mkdir()
    for name in ("systemd", "compose.yaml", "Containerfile", "helm"):
        (tmp_path / "deploy" / name).symlink_to(ROOT / "deploy" / name)
    return Terminal(tmp_path)


@types_every_command_of("docs/how-to/run-as-a-service.md")
def test_a_service_is_installed_as_printed(clone):
    into = clone.folder / "etc"
    clone.places = {"/opt/cronicorn": "opt", "/etc/systemd/system/": f"{into}/units/", "/etc/cronicorn": f"{into}/own"}
    (into / "units").mkdir(parents=True)
    clone.stand_in("python3")
    clone.stand_in("pip", at="opt/bin/pip")
    clone.stand_in("useradd")
    clone.stand_in("systemctl")
    clone.stand_in("systemd-run")

    clone.type_all(shell_blocks(page("run-as-a-service")))

    assert clone.asked_of("python3") == [["-m", "venv", "opt"]]
    assert clone.asked_of("pip") == [["install", "."]]
    (*_, user) = clone.asked_of("useradd")[0]
    common = (into / "units/cronicorn-.service.d/10-service.conf").read_text()
    assert f"\nUser={user}\n" in common
    assert "\nEnvironmentFile=-/etc/cronicorn/environment\n" in common
    reload, (*enable, unit) = clone.asked_of("systemctl")
    assert (reload, enable) == (["daemon-reload"], ["enable", "--now"])
    assert "\nExecStart=/opt/cronicorn/bin/cronicorn up\n" in (into / "units" / f"{unit}.service").read_text()
    settings = (into / "own" / "environment").read_text()
    assert Settings.from_env(dict([settings.strip().split("=", 1)])).api_key
    assert (into / "own" / "environment").stat().st_mode & 0o777 == 0o600
    for asked in clone.asked_of("systemd-run"):
        command = asked.index("opt/bin/cronicorn")
        given_to_it = given(asked[:command], "--property")
        assert given(asked[:command], "--uid") == [user]
        assert f"EnvironmentFile=-{into}/own/environment" in given_to_it
        assert "Environment=CRONICORN_DATABASE_URL=sqlite:////var/lib/cronicorn/cronicorn.db" in given_to_it
        assert mistake_in(shlex.join(["cronicorn", *asked[command + 1 :]])) == ""


@types_every_command_of("docs/how-to/run-in-containers.md")
def test_containers_are_built_and_started_as_printed(clone):
    for tool in ("podman", "docker", "kubectl", "helm"):
        clone.stand_in(tool)

    clone.type_all(shell_blocks(page("run-in-containers")))
    made = {path.name: path.read_text() for path in (clone.folder / "deploy" / "secrets").iterdir()}
    keys = "CRONICORN_MASTER_KEY_FILE=deploy/secrets/master_key CRONICORN_API_KEY_FILE=deploy/secrets/api_key"
    found = clone.type(f"{keys} cronicorn settings")

    assert {f"./secrets/{name}" for name in made} == {each["file"] for each in COMPOSE["secrets"].values()}
    assert "CRONICORN_MASTER_KEY=***" in found
    assert "CRONICORN_API_KEY=***" in found
    [password] = (clone.folder / "deploy" / ".env").read_text().splitlines()
    assert len(bytes.fromhex(password.removeprefix("POSTGRES_PASSWORD="))) == 24
    build, run = clone.asked_of("podman")
    assert (build[0], build[-1], run[-1:]) == ("build", ".", given(build, "--tag"))
    calls = [build, *clone.asked_of("docker")]
    assert [file for call in calls for file in given(call, "--file") if not (ROOT / file).is_file()] == []
    assert {each.partition("=")[0] for call in calls for each in given(call, "--scale")} <= COMPOSE["services"].keys()


@needs_helm
def test_the_chart_takes_what_the_page_sets_and_finds_the_secret_that_it_makes():
    [typed] = [block.text for block in shell_blocks(page("run-in-containers")) if "\nhelm " in block.text]
    _, secret, install = (shlex.split(line) for line in typed.replace("\\\n", " ").splitlines())
    made = {each.partition("=")[0] for kind in ("literal", "file") for each in given(secret, f"--from-{kind}")}
    values: dict[str, dict[str, str]] = {}
    for part, _, value in (each.partition("=") for each in given(install, "--set")):
        outer, inner = part.split(".")
        values.setdefault(outer, {})[inner] = value

    told = told_by_helm(values, *given(install, "--install"))

    assert "refused" not in told["report"]
    text = yaml.safe_dump_all(manifests(told))
    assert values["image"]["repository"] in text
    assert {*re.findall(r"(?:\bkey: |/run/secrets/cronicorn/)([\w-]+)", text)} == made
    assert {*re.findall(r"\bsecretName: (.*)", text)} == {*given(secret, "generic")}


def dry(arguments):
    """What `make` would do."""
    command = ["make", "--directory", str(ROOT), "--dry-run", "--no-print-directory", *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


@types_every_command_of("CONTRIBUTING.md", "benchmarks/README.md")
def test_make_knows_every_target_that_is_printed(tmp_path):
    terminal = Terminal(tmp_path)
    terminal.stand_in("make")

    terminal.type_all([*shell_blocks(ROOT / "CONTRIBUTING.md"), *shell_blocks(ROOT / "benchmarks/README.md")])
    said = [shlex.split(code)[1:] for page in pages() for code in inline(page) if code.startswith("make ")]

    asked = {tuple(arguments) for arguments in terminal.asked_of("make") + said}
    assert {("setup",), ("test",), ("bench", "ARGS=plan")} <= asked
    for arguments in asked:
        dry(arguments)


def benchmarks_named(text):
    return [line.split("-m benchmarks", 1)[1].split() for line in text.splitlines() if "-m benchmarks" in line]


def test_benchmarks_that_are_named_exist():
    known = {*ALL, *ONLY_NAMED, "--json", "--quick"}
    said = "\n".join(code for page in pages() for code in inline(page))

    named = benchmarks_named(said) + benchmarks_named(dry(["bench", "ARGS=plan --json"]))

    assert ["plan", "--json"] in named
    assert [names for names in named if not known.issuperset(names)] == []
