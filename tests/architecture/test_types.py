"""mypy refuses a name that a module merely imported, and code without types."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.source import ROOT, write_tree

SOUND = {
    "shop/price.py": "class Price: ...\n",
    "shop/order.py": "from shop.price import Price\n\nPRICE = Price()\n",
    "shop/till.py": "from shop.price import Price\n\nPRICE = Price()\n",
}


def mypy(source: Path) -> str:
    """What mypy says about the package in *source* under this project's settings."""
    result = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", str(ROOT / "pyproject.toml"), "--package", "shop"],
        cwd=source,
        env={"MYPYPATH": str(source), "MYPY_CACHE_DIR": str(source / ".cache")},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert result.stderr == ""
    return result.stdout


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("from shop.price import Price\n\nPRICE = Price()\n", "Success"),
        ("from shop.order import Price\n\nPRICE = Price()\n", "does not explicitly export attribute"),
        ("from shop import order\n\nPRICE = order.Price()\n", "does not explicitly export attribute"),
        ("def total(prices):\n    return sum(prices)\n", "missing a type annotation"),
        (
            "def total() -> int:\n    return 'ten'  # type: ignore\n",
            'consider "type: ignore[return-value]" instead',
        ),
    ],
)
def test_the_types_are_checked_strictly(tmp_path: Path, text: str, complaint: str) -> None:
    report = mypy(write_tree(tmp_path, SOUND | {"shop/till.py": text}))

    assert complaint in report
