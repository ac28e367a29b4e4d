"""The import contracts of pyproject.toml hold, and each notices what it is there for."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.source import PACKAGE, ROOT, write_tree

PACKAGES = (
    "adapters",
    "api",
    "cli",
    "control",
    "domain",
    "mcp",
    "scheduler",
    "sim",
    "testing",
    "asgi",
    "web",
    "wiring",
)
SKELETON = {
    **{f"cronicorn/{package}/clock.py": "VALUE = 1\n" for package in PACKAGES},
    "cronicorn/adapters/ai/client.py": "from cronicorn.scheduler.clock import VALUE\n",
    "cronicorn/adapters/one/store.py": "from cronicorn.domain.clock import VALUE\n",
    "cronicorn/adapters/two/store.py": "from cronicorn.domain.clock import VALUE\n",
    "cronicorn/api/app.py": "from cronicorn.control.clock import VALUE\n",
    "cronicorn/cli/up.py": "from cronicorn.wiring.build import VALUE\n",
    "cronicorn/sim/run.py": "import cronicorn.adapters.one.store\nimport cronicorn.scheduler.clock\n",
    "cronicorn/wiring/build.py": "import cronicorn.adapters.one.store\nfrom cronicorn.api.app import VALUE\n",
}


def lint_imports(source: Path) -> str:
    """What import-linter says about *source* under this project's contracts; empty when all hold."""
    command = [sys.executable, "-c", "import importlinter.cli as cli; cli.lint_imports_command()"]
    result = subprocess.run(
        [*command, "--config", str(ROOT / "pyproject.toml"), "--no-cache", "--no-logo"],
        cwd=source,
        env=os.environ | {"PYTHONPATH": str(source), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return "" if result.returncode == 0 else result.stdout + result.stderr


def test_the_contracts_hold(tmp_path: Path) -> None:
    source = write_tree(tmp_path, {f"cronicorn/{package}/__init__.py": "" for package in PACKAGES})
    shutil.copytree(PACKAGE, source / "cronicorn", dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))

    assert lint_imports(source) == ""


def test_a_sound_skeleton_passes(tmp_path: Path) -> None:
    assert lint_imports(write_tree(tmp_path, SKELETON)) == ""


@pytest.mark.parametrize(
    ("importer", "imported", "contract"),
    [
        ("scheduler.loop", "adapters.one.store", "layers point inward"),
        ("scheduler.loop", "control.clock", "layers point inward"),
        ("control.job", "scheduler.clock", "layers point inward"),
        ("adapters.one.writer", "scheduler.clock", "layers point inward"),
        ("domain.plan", "scheduler.clock", "layers point inward"),
        ("domain.plan", "adapters.one.store", "layers point inward"),
        ("domain.plan", "control.clock", "layers point inward"),
        ("domain.plan", "testing.clock", "layers point inward"),
        ("domain.plan", "wiring.clock", "layers point inward"),
        ("api.routes", "cli.clock", "layers point inward"),
        ("api.routes", "web.clock", "layers point inward"),
        ("sim.world", "testing.clock", "layers point inward"),
        ("api.routes", "adapters.one.store", "choose adapters"),
        ("mcp.server", "adapters.one.store", "choose adapters"),
        ("cli.up", "adapters.one.store", "choose adapters"),
        ("testing.suite", "adapters.one.store", "choose adapters"),
        ("api.routes", "scheduler.clock", "start schedulers"),
        ("cli.up", "scheduler.clock", "start schedulers"),
        ("adapters.one.writer", "adapters.two.store", "do not know one another"),
        ("testing.suite", "control.clock", "know the domain only"),
    ],
)
def test_an_import_against_the_layers_is_noticed(tmp_path: Path, importer: str, imported: str, contract: str) -> None:
    file = f"cronicorn/{importer.replace('.', '/')}.py"

    report = lint_imports(write_tree(tmp_path, SKELETON | {file: f"import cronicorn.{imported}\n"}))

    assert _broken(report, contract)
    assert f"cronicorn.{importer} -> cronicorn.{imported}" in report


def test_a_cycle_inside_a_package_is_noticed(tmp_path: Path) -> None:
    files = {
        "cronicorn/domain/egg.py": "import cronicorn.domain.hen\n",
        "cronicorn/domain/hen.py": "import cronicorn.domain.egg\n",
    }

    assert _broken(lint_imports(write_tree(tmp_path, SKELETON | files)), "No cycles")


def test_a_module_without_a_layer_is_noticed(tmp_path: Path) -> None:
    report = lint_imports(write_tree(tmp_path, SKELETON | {"cronicorn/stray.py": "VALUE = 1\n"}))

    assert "cronicorn.stray" in report


def _broken(report: str, contract: str) -> bool:
    return any(contract in line and "BROKEN" in line for line in report.splitlines())
