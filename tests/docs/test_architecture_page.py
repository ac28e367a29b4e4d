"""The page on the architecture names every port and every decision, that on the web app every module."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "explanation" / "architecture.md").read_text()
PARTS = {"RunLog", "RowSource", "Snapshot", "Restoration"}
"""What other ports are made of, or hand out."""


def test_every_port_is_in_the_table() -> None:
    modules = (ROOT / "src" / "cronicorn" / "domain").rglob("ports.py")
    ports = {
        name
        for module in modules
        for name in re.findall(r"^class (\w+)\(.*Protocol\):", module.read_text(), re.MULTILINE)
    }

    assert ports - PARTS - set(re.findall(r"`(\w+)`", PAGE)) == set()
    assert len(ports) > 20


def test_every_decision_is_listed() -> None:
    decisions = [path.name for path in (ROOT / "docs" / "decisions").glob("0*.md")]

    assert [name for name in decisions if f"(../decisions/{name})" not in PAGE] == []
    assert decisions


def test_every_module_of_the_web_app_has_a_row() -> None:
    folder = ROOT / "src" / "cronicorn" / "web"
    page = (ROOT / "docs" / "explanation" / "web-app.md").read_text()
    named = {name for row in re.findall(r"^\| (`.*?) \|", page, re.MULTILINE) for name in re.findall(r"`(.*?)`", row)}
    there = {f"{each.name}/" if each.is_dir() else each.name for each in folder.iterdir() if each.suffix in {"", ".py"}}

    assert there - {"__init__.py", "__pycache__/"} == named
