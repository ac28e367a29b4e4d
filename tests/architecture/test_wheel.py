"""The wheel holds the whole package, so that it runs outside the clone."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.architecture.source import PACKAGE, ROOT


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [
        sys.executable,
        "-m",
        "build",
        "--wheel",
        "--no-isolation",
        "--outdir",
        str(folder),
        str(ROOT),
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    (built,) = folder.glob("*.whl")
    return built


def test_the_wheel_holds_every_file_of_the_package(wheel: Path) -> None:
    held = {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("cronicorn/")}

    assert held == {
        str(path.relative_to(PACKAGE.parent))
        for path in PACKAGE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert "cronicorn/py.typed" in held
    others = {name for name in held if Path(name).suffix not in {".py", ".typed"}}
    assert {str(Path(name).parent) for name in others} == {"cronicorn/web/templates", "cronicorn/web/static"}
    assert {Path(name).suffix for name in others} == {".html", ".css", ".js", ".svg"}


def test_the_wheel_runs_outside_the_clone_and_brings_its_migrations(wheel: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(site), "CRONICORN_DATABASE_URL": "sqlite:new.db"}

    where = subprocess.run(
        [sys.executable, "-c", "import cronicorn; print(cronicorn.__file__)"],
        cwd=tmp_path, env=environ, check=True, capture_output=True, text=True,
    )  # fmt: skip
    added = subprocess.run(
        [sys.executable, "-m", "cronicorn", "tenant", "add", "acme"],
        cwd=tmp_path, env=environ, check=True, capture_output=True, text=True,
    )  # fmt: skip

    assert where.stdout.startswith(str(site))
    assert added.stdout.startswith("ck_")
    assert (tmp_path / "new.db").exists()
