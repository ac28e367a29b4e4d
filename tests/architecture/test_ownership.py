"""Every name has one owner, and the import path names it (decision 0001)."""

import ast
import importlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from tests.architecture.source import (
    FACADES,
    PACKAGE,
    Module,
    all_modules,
    imports_in,
    modules_of,
    write_tree,
)


def defined_in(tree: ast.Module) -> set[str]:
    """The names that a module binds at its top level by anything but an import."""
    return set(_bound(tree.body))


def _bound(body: Iterable[ast.stmt]) -> Iterator[str]:
    for node in body:
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.Assign(targets=targets):
                yield from _targets(targets)
            case ast.AnnAssign(target=target):
                yield from _targets([target])
            case ast.If() | ast.Try() | ast.With() | ast.For() | ast.While():
                yield from _bound(child for child in ast.iter_child_nodes(node) if isinstance(child, ast.stmt))
            case _:
                pass


def _targets(targets: Iterable[ast.expr]) -> Iterator[str]:
    for target in targets:
        yield from (node.id for node in ast.walk(target) if isinstance(node, ast.Name))


def listed_in(tree: ast.Module) -> list[str]:
    """What `__all__` lists, in its order."""
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id="__all__")], value=ast.List() | ast.Tuple() as value):
                return list(ast.literal_eval(value))
            case _:
                pass
    return []


def facades_among(modules: Iterable[Module], package: str) -> dict[str, Module]:
    names = {f"{package}.{name}" for name in FACADES}
    return {module.name: module for module in modules if module.name in names and module.is_package}


def borrowed_names(modules: Iterable[Module], package: str) -> list[str]:
    """Imports of a name from a module that does not own it."""
    modules = list(modules)
    facades = facades_among(modules, package)
    owned = {module.name: defined_in(module.tree) for module in modules}
    for facade, module in facades.items():
        owned[facade] |= set(listed_in(module.tree))
    found = []
    for module in modules:
        for node, source, name in imports_in(module.tree):
            where = f"{module.path}:{node.lineno}"
            if source.startswith("."):
                found.append(f"{where} imports relatively")
            elif name is None or source not in owned or f"{source}.{name}" in owned:
                continue
            elif name not in owned[source]:
                found.append(f"{where} imports {name} from {source}, which does not define it")
            elif source in facades and module.name.startswith(f"{source}."):
                found.append(f"{where} goes through its own façade {source}")
    return found


def facade_faults(modules: Iterable[Module], package: str) -> list[str]:
    """A façade that lists another's name, defines one, or hides one; a name that both façades list."""
    modules = list(modules)
    owned = {module.name: defined_in(module.tree) for module in modules}
    found = []
    lister: dict[str, str] = {}
    for facade, module in facades_among(modules, package).items():
        imported = _sources_of(module.tree)
        listed = listed_in(module.tree)
        found += [f"{facade} defines {name}" for name in defined_in(module.tree) - {"__all__"}]
        found += [f"{facade} imports or lists {name}, but not both" for name in set(imported) ^ set(listed)]
        found += [
            f"{facade} hands on {name} of {source}"
            for name, source in imported.items()
            if not source.startswith(f"{facade}.") or name not in owned.get(source, set())
        ]
        found += [f"{facade} and {lister[name]} both list {name}" for name in listed if name in lister]
        lister |= dict.fromkeys(listed, facade)
    return found


def _sources_of(tree: ast.Module) -> dict[str, str]:
    imports = (node for node in tree.body if isinstance(node, ast.ImportFrom))
    return {alias.asname or alias.name: node.module or "" for node in imports for alias in node.names}


def busy_packages(modules: Iterable[Module], package: str) -> list[str]:
    """Packages whose `__init__.py` holds more than a docstring, façades apart."""
    facades = facades_among(modules, package)
    return [
        f"{module.path} holds more than a docstring"
        for module in modules
        if module.is_package and module.name not in facades and not _is_docstring_only(module.tree)
    ]


def _is_docstring_only(tree: ast.Module) -> bool:
    return not tree.body or (len(tree.body) == 1 and ast.get_docstring(tree) is not None)


def test_every_imported_name_is_defined_where_it_is_imported_from() -> None:
    assert borrowed_names(all_modules(), "cronicorn") == []


def test_the_facades_list_their_own_names_and_share_none() -> None:
    assert facade_faults(modules_of(PACKAGE), "cronicorn") == []


def test_every_other_package_file_holds_only_a_docstring() -> None:
    assert busy_packages(all_modules(), "cronicorn") == []


def test_the_scheduler_does_not_hand_on_the_planner() -> None:
    with pytest.raises(ImportError, match="plan_next_run"):
        exec("from cronicorn.scheduler import plan_next_run", {})


def test_no_public_name_of_one_library_is_an_attribute_of_the_other() -> None:
    domain, scheduler = (importlib.import_module(f"cronicorn.{name}") for name in FACADES)

    assert [name for name in getattr(scheduler, "__all__", []) if hasattr(domain, name)] == []
    assert [name for name in getattr(domain, "__all__", []) if hasattr(scheduler, name)] == []


SOUND = {
    "shop/domain/__init__.py": "from shop.domain.price import Price\n\n__all__ = ['Price']\n",
    "shop/domain/price.py": "class Price: ...\n",
    "shop/scheduler/__init__.py": "from shop.scheduler.loop import Loop\n\n__all__ = ['Loop']\n",
    "shop/scheduler/loop.py": "from shop.domain import Price\nimport shop.domain.price\n\nclass Loop: ...\n",
    "shop/control/order.py": "from shop.domain import Price, price\nfrom shop.domain.price import Price\n",
}


def _faults(tmp_path: Path, files: dict[str, str]) -> list[str]:
    modules = modules_of(write_tree(tmp_path, SOUND | files) / "shop")
    return borrowed_names(modules, "shop") + facade_faults(modules, "shop") + busy_packages(modules, "shop")


def test_a_sound_package_passes(tmp_path: Path) -> None:
    assert _faults(tmp_path, {}) == []


@pytest.mark.parametrize(
    ("file", "text", "fault"),
    [
        ("control/order.py", "from shop.scheduler.loop import Price\n", "which does not define it"),
        ("control/order.py", "from shop.scheduler import Price\n", "which does not define it"),
        ("control/order.py", "from shop.scheduler.loop import *\n", "which does not define it"),
        ("control/order.py", "from ..domain import Price\n", "relatively"),
        (
            "control/order.py",
            "def f():\n    from shop.scheduler.loop import Price\n",
            "which does not define it",
        ),
        ("domain/order.py", "from shop.domain import Price\n", "goes through its own façade"),
        (
            "scheduler/__init__.py",
            "from shop.domain.price import Price\n\n__all__ = ['Price']\n",
            "hands on Price of shop.domain.price",
        ),
        (
            "scheduler/__init__.py",
            "from shop.scheduler.loop import Price\n\n__all__ = ['Price']\n",
            "hands on Price of shop.scheduler.loop",
        ),
        ("scheduler/__init__.py", "class Loop: ...\n\n__all__ = ['Loop']\n", "defines Loop"),
        ("scheduler/__init__.py", "from shop.scheduler.loop import Loop\n", "but not both"),
        ("scheduler/__init__.py", "__all__ = ['Ghost']\n", "but not both"),
        ("control/__init__.py", "from shop.control.order import Price\n", "more than a docstring"),
    ],
)
def test_a_second_path_to_a_name_is_noticed(tmp_path: Path, file: str, text: str, fault: str) -> None:
    assert any(fault in found for found in _faults(tmp_path, {f"shop/{file}": text}))


def test_a_name_that_both_libraries_list_is_noticed(tmp_path: Path) -> None:
    files = {
        "shop/scheduler/__init__.py": "from shop.scheduler.loop import Price\n\n__all__ = ['Price']\n",
        "shop/scheduler/loop.py": "class Price: ...\n",
    }

    assert any("both list Price" in found for found in _faults(tmp_path, files))
