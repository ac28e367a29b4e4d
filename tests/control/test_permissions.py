"""Who may do what: every method of the control plane that takes a principal is an operation with a permission."""

import inspect
from collections.abc import Iterator
from dataclasses import fields, replace
from itertools import pairwise
from pathlib import Path

import pytest

from cronicorn.control.permissions import MARK
from cronicorn.control.plane import ControlPlane
from cronicorn.domain.errors import ForbiddenError
from cronicorn.domain.permission import EVERYTHING, GRANTED, NEEDED, Operation, Permission, Role, permitted
from tests.architecture.source import PACKAGE
from tests.control.world import ALICE, a_world

PLANE = a_world().control


def _nouns() -> list[object]:
    return [getattr(PLANE, each.name) for each in fields(ControlPlane)]


def _methods(noun: object) -> Iterator[tuple[str, object]]:
    """What of *noun* takes a principal."""
    for name, method in inspect.getmembers(noun, callable):
        if not name.startswith("_") and "principal" in inspect.signature(method).parameters:
            yield name, method


METHODS = [(noun, name) for noun in _nouns() for name, _ in _methods(noun)]
ABOUT_ONESELF = {operation for operation, needed in NEEDED.items() if needed is None}
CONFINED = [each for each in METHODS if getattr(getattr(*each), MARK, None) not in ABOUT_ONESELF]
NAMES = [f"{type(noun).__name__}.{name}" for noun, name in CONFINED]


def test_the_walk_knows_many_methods() -> None:
    assert len(METHODS) >= 40


@pytest.mark.parametrize(("noun", "name"), CONFINED, ids=NAMES)
async def test_nothing_is_done_for_whoever_lacks_the_permission(noun: object, name: str) -> None:
    method = getattr(noun, name)
    assert hasattr(method, MARK), "say which operation it is: see `cronicorn.control.permissions`"
    needed = NEEDED[getattr(method, MARK)]
    assert needed is not None
    nobody = replace(ALICE, permissions=EVERYTHING - {needed})
    arguments = [object() for each in list(inspect.signature(method).parameters.values())[1:] if _positional(each)]

    with pytest.raises(ForbiddenError, match=f"`{needed}`"):
        await method(nobody, *arguments)


def test_no_method_with_a_principal_is_outside_of_the_plane() -> None:
    """A noun that is not in `ControlPlane` would be walked by nobody."""
    walked = {type(noun).__module__ for noun in _nouns()}
    files = [file for file in (PACKAGE / "control").glob("*.py") if _takes_principals(file)]

    assert {f"cronicorn.control.{file.stem}" for file in files} <= walked


def _takes_principals(file: Path) -> bool:
    return "    async def " in (text := file.read_text(encoding="utf-8")) and "self, principal: Principal" in text


def _positional(parameter: inspect.Parameter) -> bool:
    return parameter.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD and parameter.default is inspect.Parameter.empty


def test_every_operation_has_a_method_and_needs_a_permission() -> None:
    done = {getattr(getattr(noun, name), MARK, None) for noun, name in METHODS}

    coming_in = {Operation.ACCOUNT_SIGN_IN, Operation.ACCOUNT_SIGN_IN_BY_LINK}  # Nobody has a principal before that.
    assert done | coming_in == set(Operation) == set(NEEDED)


def test_only_what_is_about_oneself_needs_no_permission() -> None:
    assert {operation.partition(".")[0] for operation in ABOUT_ONESELF} == {"account"}


def test_each_role_may_do_what_the_ones_before_it_may_and_more() -> None:
    granted = [GRANTED[role] for role in Role]

    assert all(less < more for less, more in pairwise(granted))
    assert EVERYTHING - granted[-1] == {Permission.TENANTS_WRITE}


@pytest.mark.parametrize("role", Role)
def test_scopes_only_take_away(role: Role) -> None:
    confined = permitted(role, frozenset({Permission.JOBS_READ, Permission.KEYS_WRITE}), runs_installation=True)

    assert confined <= permitted(role, None, runs_installation=True)
    assert Permission.JOBS_READ in confined
    assert (Permission.KEYS_WRITE in confined) == (role is Role.OWNER)


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.OWNER])
def test_only_an_owner_can_run_the_installation(role: Role) -> None:
    assert Permission.TENANTS_WRITE not in permitted(role, None, runs_installation=True)
