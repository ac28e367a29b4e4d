"""A name means one thing: no two public classes or type aliases share one. The exceptions may only shrink."""

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import pytest

from tests.architecture.source import PACKAGE, Module, modules_of, write_tree

OWN_WORDS = ("cronicorn.cli.", "cronicorn.testing.")
"""Packages that nothing below them imports and whose parts are read alone: a demonstration has words of its own."""
BACKENDS = "cronicorn.adapters."
"""Two backends may call the same thing alike; neither sees the other."""

# Name -> why it has two meanings still. A further one is not to come; one that is mended leaves the list.
TWO_MEANINGS: dict[str, str] = {
    "Answer": "what a door answers, and what a called endpoint answered: each is the word of its side",
    "Choice": "one of some texts in a document, and a conditional in a condition",
    "Claim": "a claim that a service keeps, and the one the memory store keeps in its rows",
    "Document": "what a door reads, and the stored form of a value",
    "Fields": "members of an answer, and the reader of a stored form",
    "Findings": "what is wrong with a document, and what is wrong with a store",
    "Instant": "how a door writes an instant, and how it reads one",
    "Mark": "how far a database's log went, and how a step of a trace ended",
    "Note": "how a skip is recorded, and what a signal said",
    "Part": "a part of a comparison, and a part of a document",
    "Place": "where a SQLite file lies, and where a value stands in an answer",
    "Row": "a row of a table, and an endpoint with all that belongs to it in the memory store",
    "Setting": "what a rule sets, and what a person sets",
    "Steps": "the way to a value in an answer, and a course in a simulation that goes in steps",
    "Told": "whom a request is told to, and what a body tells",
    "Verdict": "whether a condition holds, and how a candidate of a plan fared",
}


def two_meanings(modules: Iterable[Module]) -> dict[str, list[str]]:
    """Names that stand for different things, each with the modules that define it."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for module in modules:
        if not f"{module.name}.".startswith(OWN_WORDS):
            for name, meaning in _defined(module.tree):
                found[name][module.name] = meaning or module.name
    return {name: sorted(where) for name, where in found.items() if _differ(where)}


def _differ(where: Mapping[str, str]) -> bool:
    return len(set(where.values())) > 1 and not all(module.startswith(BACKENDS) for module in where)


def _defined(tree: ast.Module) -> Iterator[tuple[str, str | None]]:
    """Each public class and alias; of an alias also what it stands for, as equal ones mean the same."""
    for node in tree.body:
        match node:
            case ast.ClassDef(name=name) if not name.startswith("_"):
                yield name, None
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=value)
                | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
            ) if _is_of_a_type(name) and not _is_type_variable(value):
                yield name, ast.unparse(value)
            case _:
                pass


def _is_of_a_type(name: str) -> bool:
    return name[0].isupper() and any(letter.islower() for letter in name)


def _is_type_variable(value: ast.expr) -> bool:
    return isinstance(value, ast.Call) and ast.unparse(value.func) in {"TypeVar", "ParamSpec"}


def test_no_name_means_two_things() -> None:
    found = two_meanings(modules_of(PACKAGE))

    assert {name: where for name, where in found.items() if name not in TWO_MEANINGS} == {}
    assert [name for name in TWO_MEANINGS if name not in found] == [], "take it off the list"


def _modules(tmp_path: Path, **texts: str) -> list[Module]:
    files = {f"cronicorn/{name.replace('__', '/')}.py": text for name, text in texts.items()}
    return modules_of(write_tree(tmp_path, files) / "cronicorn")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("class Look: ...\n", "class Look: ...\n"),
        ("class Look: ...\n", "Look = Callable[[str], int]\n"),
        ("Look = int\n", "Look: TypeAlias = str\n"),
    ],
)
def test_a_name_with_two_meanings_is_noticed(tmp_path: Path, one: str, other: str) -> None:
    modules = _modules(tmp_path, domain__watch=one, scheduler__claiming=other)

    assert two_meanings(modules) == {"Look": ["cronicorn.domain.watch", "cronicorn.scheduler.claiming"]}


@pytest.mark.parametrize(
    "texts",
    [
        {"domain__one": "class _Look: ...\n", "domain__two": "class _Look: ...\n"},
        {"domain__one": "Look = int\n", "domain__two": "Look: TypeAlias = int\n"},
        {"domain__one": "T = TypeVar('T')\nItem = TypeVar('Item')\n", "domain__two": "class Item: ...\n"},
        {"domain__one": "LOOK = 1\n", "domain__two": "LOOK = 2\n"},
        {"adapters__sqlite": "class Query: ...\n", "adapters__postgres": "class Query: ...\n"},
        {"cli__shop": "class Call: ...\n", "domain__call": "class Call: ...\n"},
    ],
)
def test_a_name_with_one_meaning_is_let_be(tmp_path: Path, texts: dict[str, str]) -> None:
    assert two_meanings(_modules(tmp_path, **texts)) == {}
