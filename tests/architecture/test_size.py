"""Functions, modules and ports stay small. Exceptions are listed by name, and the lists may only shrink."""

import ast
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import pytest

from tests.architecture.source import PACKAGE, ROOT, Module, modules_of, write_tree

FUNCTION_LINES_MAX = 50
MODULE_LINES_MAX = 400
PORT_METHODS_MAX = 5

# Name -> size on the day it was listed. It may not grow, and it leaves the list once it is within the limit.
LONG_FUNCTIONS: dict[str, int] = {}
LONG_MODULES: dict[str, int] = {}
WIDE_PORTS: dict[str, int] = {}


def function_sizes(modules: Iterable[Module]) -> dict[str, int]:
    """Lines of each function by dotted name, decorators not counted."""
    return {
        name: (node.end_lineno or node.lineno) - node.lineno + 1
        for module in modules
        for name, node in _definitions(module.tree, module.name)
        if not isinstance(node, ast.ClassDef)
    }


def module_sizes(modules: Iterable[Module]) -> dict[str, int]:
    return {module.name: module.line_count for module in modules}


def port_sizes(modules: Iterable[Module]) -> dict[str, int]:
    """Methods of each `Protocol` by dotted name."""
    return {
        name: sum(isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) for child in node.body)
        for module in modules
        if "Protocol" in module.text
        for name, node in _definitions(module.tree, module.name)
        if isinstance(node, ast.ClassDef) and any(_is_protocol(base) for base in node.bases)
    }


def breaches(sizes: Mapping[str, int], limit: int, exceptions: Mapping[str, int]) -> list[str]:
    """What is too large, and what is listed as an exception without being one."""
    too_large = [
        f"{name} is {size}, the limit is {exceptions.get(name, limit)}"
        for name, size in sizes.items()
        if size > exceptions.get(name, limit)
    ]
    stale = [
        f"{name} is listed as an exception but is {sizes.get(name, 'gone')}: take it off the list"
        for name in exceptions
        if sizes.get(name, 0) <= limit
    ]
    return too_large + stale


def _definitions(
    node: ast.AST, prefix: str
) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield f"{prefix}.{child.name}", child
            yield from _definitions(child, f"{prefix}.{child.name}")
        else:
            yield from _definitions(child, prefix)


def _is_protocol(base: ast.expr) -> bool:
    match base:
        case ast.Name(id="Protocol") | ast.Attribute(attr="Protocol"):
            return True
        case ast.Subscript(value=value):
            return _is_protocol(value)
        case _:
            return False


def _ours() -> list[Module]:
    roots = (PACKAGE, ROOT / "benchmarks", ROOT / "examples")
    return modules_of(*(root for root in roots if root.is_dir()))


def test_functions_stay_short() -> None:
    assert breaches(function_sizes(_ours()), FUNCTION_LINES_MAX, LONG_FUNCTIONS) == []


def test_modules_stay_short() -> None:
    assert breaches(module_sizes(_ours()), MODULE_LINES_MAX, LONG_MODULES) == []


def test_ports_stay_narrow() -> None:
    assert breaches(port_sizes(_ours()), PORT_METHODS_MAX, WIDE_PORTS) == []


def _function_of(lines: int) -> str:
    return "@final\ndef f():\n" + "    pass\n" * (lines - 1)


def _port_of(methods: int, base: str = "Protocol") -> str:
    return f"class Store({base}):\n" + "".join(f"    async def m{i}(self): ...\n" for i in range(methods))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (_function_of(50), 0),
        (_function_of(51), 1),
        (
            "class C:\n    if True:\n" + "".join(f"        {line}\n" for line in _function_of(51).splitlines()),
            1,
        ),
        ("pass\n" * 400, 0),
        ("pass\n" * 401, 1),
        (_port_of(5), 0),
        (_port_of(6), 1),
        (_port_of(6, "Protocol[Item]"), 1),
        (_port_of(6, "typing.Protocol"), 1),
        (_port_of(6, "object"), 0),
    ],
)
def test_a_size_over_the_limit_is_noticed(tmp_path: Path, text: str, found: int) -> None:
    modules = modules_of(write_tree(tmp_path, {"shop/order.py": text}) / "shop")

    faults = [
        *breaches(function_sizes(modules), FUNCTION_LINES_MAX, {}),
        *breaches(module_sizes(modules), MODULE_LINES_MAX, {}),
        *breaches(port_sizes(modules), PORT_METHODS_MAX, {}),
    ]

    assert len(faults) == found


@pytest.mark.parametrize(
    ("sizes", "exceptions", "found"),
    [
        ({"f": 60}, {"f": 60}, 0),
        ({"f": 55}, {"f": 60}, 0),
        ({"f": 61}, {"f": 60}, 1),
        ({"f": 50}, {"f": 60}, 1),
        ({}, {"f": 60}, 1),
    ],
)
def test_the_list_of_exceptions_may_only_shrink(sizes: dict[str, int], exceptions: dict[str, int], found: int) -> None:
    assert len(breaches(sizes, 50, exceptions)) == found
