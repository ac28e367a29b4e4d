"""Where the control plane checks who may do what: every method that takes a principal is an operation."""

from collections.abc import Callable, Coroutine
from dataclasses import replace
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from cronicorn.domain.permission import Operation
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
