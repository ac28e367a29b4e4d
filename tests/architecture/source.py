"""Read Python files without importing them, and write small ones to try the rules on."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "cronicorn"
FACADES = ("domain", "scheduler")


@dataclass(frozen=True, kw_only=True)
class Module:
    """One file and the dotted name it is imported by."""

    name: str
    path: Path
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """The file parsed, which takes a while for all of them."""
        return ast.parse(self.text, filename=str(self.path))

    @property
    def is_package(self) -> bool:
        return self.path.name == "__init__.py"

    @property
    def line_count(self) -> int:
        return len(self.text.splitlines())


def modules_of(*packages: Path) -> list[Module]:
    """All modules below *packages*, named from the folder that holds each package."""
    return [
        _read(path, named_from=package.parent)
        for package in packages
        for path in sorted(package.rglob("*.py"))
        if "__pycache__" not in path.parts
    ]


def all_modules() -> list[Module]:
    """Every Python file of the project."""
    roots = (PACKAGE, *(ROOT / name for name in ("tests", "benchmarks", "examples")))
    return modules_of(*(root for root in roots if root.is_dir()))


def write_tree(root: Path, files: Mapping[str, str]) -> Path:
    """Write *files* below *root*, with an empty `__init__.py` in each folder, and return *root*."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        for folder in path.relative_to(root).parents[:-1]:
            (root / folder / "__init__.py").touch()
    return root


def imports_in(tree: ast.Module) -> Iterator[tuple[ast.Import | ast.ImportFrom, str, str | None]]:
    """Each import statement with the module and, for `from` imports, the name it asks for."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node, alias.name, None
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield node, "." * node.level + (node.module or ""), alias.name


def called_names(tree: ast.Module) -> Iterator[tuple[ast.expr, str]]:
    """Each name and dotted name in use, with aliases of imports written out in full."""
    origin = _origins(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Load):
            yield node, _dotted(node, origin)


def _read(path: Path, *, named_from: Path) -> Module:
    parts = path.relative_to(named_from).with_suffix("").parts
    name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
    return Module(name=name, path=path, text=path.read_text(encoding="utf-8"))


def _origins(tree: ast.Module) -> dict[str, str]:
    origins = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                full = alias.name if alias.asname else alias.name.partition(".")[0]
                origins[alias.asname or full] = full
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                origins[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return origins


def _dotted(node: ast.expr, origin: Mapping[str, str]) -> str:
    match node:
        case ast.Name(id=name):
            return origin.get(name, name)
        case ast.Attribute(value=value, attr=attr):
            return f"{_dotted(value, origin)}.{attr}"
        case _:
            return "?"
