"""Where the control plane checks who may do what: every method that takes a principal is an operation."""

from collections.abc import Callable, Coroutine
from dataclasses import replace
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from cronicorn.domain.errors import ForbiddenError
from cronicorn.domain.permission import Operation, Permission
from cronicorn.domain.principal import Principal

P = ParamSpec("P")
T = TypeVar("T")
Noun = TypeVar("Noun")
_Method = Callable[Concatenate[Noun, Principal, P], Coroutine[Any, Any, T]]

MARK = "__operation__"
"""The attribute that says which operation a method is."""


def operation(done: Operation) -> Callable[[_Method[Noun, P, T]], _Method[Noun, P, T]]:
    """Make a method the operation *done*: it raises ForbiddenError, before anything else, for whoever may not do it.

    The method is told the principal with the operation in it, so that what it writes says what was done.
    """

    def mark(method: _Method[Noun, P, T]) -> _Method[Noun, P, T]:
        @wraps(method)
        async def checked(noun: Noun, principal: Principal, /, *args: P.args, **kwargs: P.kwargs) -> T:
            principal.check(done)
            return await method(noun, replace(principal, operation=done), *args, **kwargs)

        setattr(checked, MARK, done)
        return checked

    return mark


def check_reach(principal: Principal, wanted: frozenset[Permission]) -> None:
    """Raise ForbiddenError where *principal* would give, or take from, somebody more than it may do itself."""
    if beyond := wanted - principal.permissions:
        raise ForbiddenError(
            f"Nobody may give or take more than they may do themselves, and {principal.actor} lacks "
            f"{', '.join(sorted(beyond))}: choose a lesser role, or for a key `scopes`, or ask somebody who may."
        )
