"""The wheel holds the whole package, so that it runs outside the clone."""

import subprocess
import sys
import zipfile
from pathlib import Path

from tests.architecture.source import PACKAGE, ROOT


def test_the_wheel_holds_every_file_of_the_package(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "build",
        "--wheel",
        "--no-isolation",
        "--outdir",
        str(tmp_path),
        str(ROOT),
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    (wheel,) = tmp_path.glob("*.whl")
    held = {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("cronicorn/")}

    assert held == {
        str(path.relative_to(PACKAGE.parent))
        for path in PACKAGE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert "cronicorn/py.typed" in held
