"""No mocks, no sleeping in tests, and no module whose name says nothing."""

import ast
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.architecture.source import Module, all_modules, called_names, imports_in, modules_of, write_tree

SLEEPERS = {"tests.waiting"}
EMPTY_NAMES = {
    f"{name}{plural}"
    for name in ("base", "common", "core", "helper", "manager", "service", "util")
    for plural in ("", "s")
}


def mocks(modules: Iterable[Module]) -> list[str]:
    """Imports of a mocking library. Write a small fake instead, and run the contract suite on it."""
    return [
        f"{module.path}:{node.lineno} imports {source}"
        for module in modules
        if "mock" in module.text
        for node, source, name in imports_in(module.tree)
        if source.startswith("unittest.mock") or (source, name) == ("unittest", "mock") or source == "mock"
    ]


def sleeps(modules: Iterable[Module]) -> list[str]:
    """Waits in tests that cost real time or make a test hang on the speed of the machine.

    `time.sleep` is for `tests/waiting.py` alone. A test module may await `asyncio.sleep(0)`, which only
    yields, and any sleep when it imports a virtual-time loop, where waiting is free. Other modules (a slow
    server, a scripted dispatcher) may sleep on the loop: there it is the behaviour under test.
    """
    return [
        f"{module.path}:{node.lineno} sleeps"
        for module in modules
        if module.name.startswith("tests.") and module.name not in SLEEPERS and "sleep" in module.text
        for node, name in called_names(module.tree)
        if name == "time.sleep"
        or (name == "asyncio.sleep" and _must_not_wait(module) and not _only_yields(module.tree, node))
    ]


def _must_not_wait(module: Module) -> bool:
    is_test = module.path.name.startswith("test_") or module.path.name == "conftest.py"
    is_virtual = any("virtual" in f"{source}.{name}".lower() for _, source, name in imports_in(module.tree))
    return is_test and not is_virtual


def _only_yields(tree: ast.Module, sleep: ast.expr) -> bool:
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call) and node.func is sleep)
    return any([ast.unparse(argument) for argument in call.args] == ["0"] for call in calls)


def empty_names(modules: Iterable[Module]) -> list[str]:
    """Modules and packages named by what they are not about."""
    return [
        f"{module.path} needs a better name"
        for module in modules
        if EMPTY_NAMES & {part.strip("_") for part in module.name.split(".")}
    ]


def test_nothing_is_mocked() -> None:
    assert mocks(all_modules()) == []


def test_no_test_sleeps() -> None:
    assert sleeps(all_modules()) == []


def test_every_module_has_a_telling_name() -> None:
    assert empty_names(all_modules()) == []


def _module(tmp_path: Path, name: str, text: str = "") -> list[Module]:
    return modules_of(write_tree(tmp_path, {name: text}) / name.partition("/")[0])


@pytest.mark.parametrize(
    "text",
    [
        "import unittest.mock\n",
        "from unittest import mock\n",
        "from unittest.mock import Mock\n",
        "def f():\n    from unittest.mock import patch\n",
        "import mock\n",
    ],
)
def test_a_mock_is_noticed(tmp_path: Path, text: str) -> None:
    assert len(mocks(_module(tmp_path, "tests/test_order.py", text))) == 1


@pytest.mark.parametrize(
    ("file", "text", "found"),
    [
        ("tests/test_order.py", "import time\ntime.sleep(1)\n", 1),
        ("tests/test_order.py", "from time import sleep as wait\nwait(0)\n", 1),
        ("tests/shop_server.py", "import time\ntime.sleep(1)\n", 1),
        ("tests/waiting.py", "import time\ntime.sleep(1)\n", 0),
        ("tests/test_order.py", "import asyncio\nasyncio.sleep(0.1)\n", 1),
        ("tests/conftest.py", "from asyncio import sleep\nsleep(pause)\n", 1),
        ("tests/test_order.py", "import asyncio\nasyncio.sleep(0)\n", 0),
        ("tests/shop_server.py", "import asyncio\nasyncio.sleep(1)\n", 0),
        ("tests/test_order.py", "import asyncio\nfrom shop import VirtualTimeLoop\nasyncio.sleep(9)\n", 0),
        ("benchmarks/order.py", "import time\ntime.sleep(1)\n", 0),
    ],
)
def test_a_sleep_is_noticed(tmp_path: Path, file: str, text: str, found: int) -> None:
    assert len(sleeps(_module(tmp_path, file, text))) == found


@pytest.mark.parametrize("name", ["utils", "common/price", "helpers", "_base", "core", "job_store/manager", "service"])
def test_a_name_that_says_nothing_is_noticed(tmp_path: Path, name: str) -> None:
    assert empty_names(_module(tmp_path, f"shop/{name}.py"))


@pytest.mark.parametrize("name", ["baseline", "service_level", "core_dump"])
def test_a_longer_name_may_hold_such_a_word(tmp_path: Path, name: str) -> None:
    assert empty_names(_module(tmp_path, f"shop/{name}.py")) == []
