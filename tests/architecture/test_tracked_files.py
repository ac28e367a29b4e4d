"""Files name no machine, no registry and no index: they must mean the same everywhere."""

import re
import subprocess
from collections.abc import Mapping

import pytest

from tests.architecture.source import ROOT

_REGISTRIES = "|".join(name + r"\.org" for name in (f"py{'pi'}", f"pythonhos{'ted'}", f"np{'mjs'}"))
"""Put together from pieces, so that this file names none."""

PLACES = {
    "a path of one machine": re.compile(r"(?<![\w.:/~*-])/(?:root|work|Users/\w+|home/\w+)/|\b[A-Z]:\\Users\\"),
    "a package index": re.compile(
        r"--(?:extra-)?index[-_]url|--find[-_]links|^(?:extra-)?index[-_]url\b", re.MULTILINE
    ),
    "a registry": re.compile(rf"/{'simple'}/[\w.-]+/|{_REGISTRIES}"),
    "a resolved download": re.compile(r"\"resolved\":\s*\"https?:|^source = \{ registry", re.MULTILINE),
}


def places_in(text: str) -> list[str]:
    """Which kinds of place *text* names that only some machines know."""
    return [kind for kind, pattern in PLACES.items() if pattern.search(text)]


def project_files() -> Mapping[str, str]:
    """The text of each file that is tracked or about to be, by its path."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    paths = [ROOT / name for name in listed.split("\0") if name]
    return {
        str(path.relative_to(ROOT)): path.read_bytes().decode("utf-8", errors="ignore")
        for path in paths
        if path.is_file()
    }


def test_no_file_names_a_machine_or_a_registry() -> None:
    found = {name: places_in(text) for name, text in project_files().items()}

    assert {name: places for name, places in found.items() if places} == {}


def test_the_locked_versions_carry_hashes() -> None:
    for name in ("runtime.txt", "all.txt", "dev.txt", "benchmarks.txt"):
        lines = (ROOT / "requirements" / name).read_text(encoding="utf-8").splitlines()
        pins = [line for line in lines if re.match(r"[a-z0-9]", line)]

        assert pins
        assert [line for line in pins if "==" not in line or not line.endswith("\\")] == []


@pytest.mark.parametrize(
    "text",
    [
        "see " + "/home/" + "ada/cronicorn/src",
        "/Users/" + "ada/x",
        "C:\\" + "Users\\ada",
        "--index" + "-url https://packages.example/",
        "index" + "-url = https://packages.example/",
        "https://packages.example/" + "simple" + "/pytest/",
        '"resolved": "' + "https://packages.example/a.tgz" + '"',
    ],
)
def test_such_a_place_is_noticed(text: str) -> None:
    assert len(places_in(text)) == 1


@pytest.mark.parametrize(
    "text",
    ["https://example.com/" + "work" + "/1", "src/" + "home" + "/page/", "a simple/plain rule", "/var/lib/cronicorn/"],
)
def test_an_ordinary_path_is_let_through(text: str) -> None:
    assert places_in(text) == []
