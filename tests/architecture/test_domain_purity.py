"""The domain reads nothing but its arguments: no clock, chance, environment, I/O, and no one else's code."""

import ast
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.architecture.source import PACKAGE, Module, called_names, imports_in, modules_of, write_tree

ALLOWED_MODULES = {
    "__future__",
    "base64",
    "binascii",
    "bisect",
    "collections",
    "collections.abc",
    "dataclasses",
    "datetime",
    "email.utils",  # HTTP dates
    "ipaddress",  # reading addresses, no look-ups
    "urllib.parse",
    "enum",
    "functools",
    "hashlib",
    "hmac",
    "itertools",
    "json",
    "math",
    "operator",
    "re",
    "types",
    "typing",
    "unicodedata",  # tables
}
FORBIDDEN_BUILTINS = {
    "__import__",
    "breakpoint",
    "eval",
    "exec",
    "hash",  # of text, differs from process to process
    "input",
    "open",
    "print",
}
FORBIDDEN_NAMES = {
    "datetime.date.today",
    "datetime.datetime.now",
    "datetime.datetime.today",
    "datetime.datetime.utcnow",
    "email.utils.formatdate",
    "email.utils.localtime",
    "email.utils.make_msgid",
}
FORBIDDEN_METHODS = {"now", "today", "utcnow"}
READ_THE_LOCAL_ZONE_WITHOUT_ARGUMENT = {"astimezone": 1, "fromtimestamp": 2}


def impurities(modules: Iterable[Module], package: str) -> list[str]:
    """What in *modules* reaches outside its arguments."""
    return [
        f"{module.path}:{line} {what}"
        for module in modules
        for line, what in (*_imports(module, package), *_names(module), *_calls(module))
    ]


def _imports(module: Module, package: str) -> list[tuple[int, str]]:
    return [
        (node.lineno, f"imports {source}")
        for node, source, _ in imports_in(module.tree)
        if source not in ALLOWED_MODULES and source != package and not source.startswith(f"{package}.")
    ]


def _names(module: Module) -> list[tuple[int, str]]:
    return [
        (node.lineno, f"uses {name}")
        for node, name in called_names(module.tree)
        if name in FORBIDDEN_NAMES or name in FORBIDDEN_BUILTINS
    ]


def _calls(module: Module) -> list[tuple[int, str]]:
    found = []
    for node in ast.walk(module.tree):
        match node:
            case ast.Call(func=ast.Attribute(attr=name)) if name in FORBIDDEN_METHODS:
                found.append((node.lineno, f"calls .{name}()"))
            case ast.Call(func=ast.Attribute(attr=name)) if len(node.args) + len(
                node.keywords
            ) < READ_THE_LOCAL_ZONE_WITHOUT_ARGUMENT.get(name, 0):
                found.append((node.lineno, f"calls .{name}() without a zone, which reads the machine's"))
            case _:
                pass
    return found


def test_the_domain_is_pure() -> None:
    assert impurities(modules_of(PACKAGE / "domain"), "cronicorn.domain") == []


PURE = """
import datetime as dt
from collections.abc import Sequence
from email.utils import parsedate_to_datetime
from cronicorn.domain.plan import Plan

def first(at: dt.datetime, now: dt.datetime) -> dt.datetime:
    return min(at.astimezone(dt.UTC), now, dt.datetime.fromtimestamp(0, dt.UTC))
"""


def _impurities(tmp_path: Path, text: str) -> list[str]:
    modules = modules_of(write_tree(tmp_path, {"cronicorn/domain/order.py": text}) / "cronicorn")
    return impurities(modules, "cronicorn.domain")


def test_pure_code_passes(tmp_path: Path) -> None:
    assert _impurities(tmp_path, PURE) == []


@pytest.mark.parametrize(
    "text",
    [
        "import datetime\ndatetime.datetime.now(datetime.UTC)\n",
        "from datetime import datetime as D\nfield(default_factory=D.utcnow)\n",
        "from datetime import date\ndate.today()\n",
        "def due(clock):\n    return clock.now()\n",
        "def local(at):\n    return at.astimezone()\n",
        "from datetime import datetime\ndatetime.fromtimestamp(0)\n",
        "import email.utils\nemail.utils.formatdate()\n",
        "import time\n",
        "from time import monotonic\n",
        "import random\n",
        "import uuid\n",
        "import secrets\n",
        "import os\n",
        "from pathlib import Path\n",
        "import asyncio\n",
        "import logging\n",
        "def f():\n    import socket\n",
        "import pydantic\n",
        "from cronsim import CronSim\n",
        "from cronicorn.adapters.memory import store\n",
        "from cronicorn.scheduler import Scheduler\n",
        "open('settings')\n",
        "print('due')\n",
        "__import__('os')\n",
        "seed = hash('endpoint')\n",
    ],
)
def test_reaching_outside_is_noticed(tmp_path: Path, text: str) -> None:
    assert _impurities(tmp_path, text) != []
