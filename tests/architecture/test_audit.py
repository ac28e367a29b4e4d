"""What looks for holes finds them: in the locked versions, and in the code."""

import json
import re
import subprocess
import sys
import tomllib
from typing import Any

import pytest

from tests.architecture.audit import CLEAN, HOLES, NOT_ASKED, verdict
from tests.architecture.source import PACKAGE, ROOT

CONFIG = ROOT / "pyproject.toml"
SOUND = {"name": "idna", "version": "3.11", "vulns": []}
BROKEN = {"name": "idna", "version": "3.6", "vulns": [{"id": "CVE-2024-3651", "fix_versions": ["3.7"]}]}
AWAY = {"name": "idna", "skip_reason": "Dependency not found"}
TWINS = {
    "B104": 'HOST = "0.0.0.0"',
    "B105": 'password = "hunter2"',
    "B106": 'connect(password="hunter2")',
    "B311": "import random; random.random()",
    "B603": "import subprocess; subprocess.run(command)",
    "B608": "QUERY = f\"SELECT * FROM jobs WHERE name = '{name}'\"",
}  # fmt: skip
"""What ruff's rule of the same number finds."""


@pytest.mark.parametrize(
    ("asked", "code", "said"),
    [
        ([SOUND], CLEAN, "None of the 1 versions"),
        ([SOUND, BROKEN], HOLES, "idna 3.6: CVE-2024-3651, mended in 3.7"),
        ([BROKEN, AWAY], HOLES, "CVE-2024-3651"),
        ([SOUND, AWAY], NOT_ASKED, "1 of the versions"),
        ([], NOT_ASKED, "0 of the versions"),
        (None, NOT_ASKED, "Run `make audit` where the list can be reached"),
    ],
)
def test_an_audit_is_clean_only_where_every_version_was_looked_up(
    asked: list[dict[str, Any]] | None, code: int, said: str
) -> None:
    found = verdict("no answer" if asked is None else json.dumps({"dependencies": asked}))

    assert found.code == code
    assert said in " ".join(found.lines)


def test_what_bandit_passes_over_has_a_rule_of_ruff_that_is_in_force() -> None:
    passed_over = tomllib.loads(CONFIG.read_text(encoding="utf-8"))["tool"]["bandit"]["skips"]
    command = [sys.executable, "-m", "ruff", "check", "--output-format", "json", "--stdin-filename"]

    ended = subprocess.run(
        [*command, str(PACKAGE / "new.py"), "-"], input="\n".join(TWINS.values()), capture_output=True, text=True,
        cwd=ROOT, check=False,
    )  # fmt: skip
    found = {each["code"] for each in json.loads(ended.stdout)}

    assert set(passed_over) == {*TWINS, "B101", "B404"}  # Assertions stay; what is imported is told where it is used.
    assert {rule.replace("B", "S") for rule in TWINS} <= found


def test_every_exception_from_a_rule_about_security_says_why() -> None:
    lines = {
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for path in PACKAGE.rglob("*.py")
        for line in path.read_text(encoding="utf-8").splitlines()
        if re.search(r"noqa: .*\bS\d{3}", line) and not re.search(r"noqa: [A-Z0-9, ]+ (- |\()\w", line)
    }

    assert lines == set()


def test_bandit_notices_what_ruff_has_no_word_for_and_what_it_has(tmp_path) -> None:
    (tmp_path / "hole.py").write_text("import hashlib\nhashlib.md5(b'x')\n", encoding="utf-8")

    ended = subprocess.run(
        [sys.executable, "-m", "bandit", "--quiet", "--configfile", str(CONFIG), "--recursive", str(tmp_path)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert ended.returncode == 1
    assert "B324" in ended.stdout


def test_bandit_is_part_of_what_everybody_runs() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")

    assert " bandit " in next(line for line in makefile.splitlines() if line.startswith("test:"))
