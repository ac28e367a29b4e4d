"""The same command on several stores, whose answers must agree."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from cronicorn.domain.document import endpoint_document, state_text
from cronicorn.domain.endpoint import JobEndpoint
from cronicorn.domain.errors import CronicornError
from cronicorn.domain.lease import Lease
from cronicorn.domain.settlement import Settlement
from cronicorn.testing.contracts.stores import Stores

T = TypeVar("T")


class BrokenPromiseError(AssertionError):
    """A store did what its port says it never does."""


def promise(holds: object, what: str, *facts: object) -> None:
    """Raise BrokenPromiseError if *what* does not hold."""
    if not holds:
        raise BrokenPromiseError(f"{what}: {', '.join(map(repr, facts))}" if facts else what)


@dataclass(frozen=True, slots=True)
class Answers(Generic[T]):
    """What each store answered, or the name of the error that all raised."""

    values: tuple[T, ...] = ()
    error: str | None = None

    @property
    def first(self) -> T:
        assert self.error is None, self.error
        return self.values[0]


class Fleet:
    """Stores that get the same commands, in an event loop of their own."""

    def __init__(self, runner: asyncio.Runner, stores: Sequence[Stores]) -> None:
        self._runner = runner
        self._loop = runner.get_loop()
        self._stores = stores

    def ask(
        self, command: Callable[[Stores, int], Awaitable[T]], shown: Callable[[T], object] = lambda value: value
    ) -> Answers[T]:
        """Give *command* to each store with its number; what is *shown* of the answers must be the same."""

        async def answer(store: Stores, number: int) -> T | CronicornError:
            try:
                return await command(store, number)
            except CronicornError as error:
                return error

        async def answers() -> list[T | CronicornError]:
            return [await answer(store, number) for number, store in enumerate(self._stores)]

        found = self._loop.run_until_complete(answers())  # A runner handles signals anew each time: half of the cost.
        kinds = {type(value).__name__ for value in found if isinstance(value, CronicornError)}
        values = tuple(value for value in found if not isinstance(value, CronicornError))
        if kinds:
            promise(len(kinds) == 1 and not values, "the stores answer alike", *found)
            return Answers(error=kinds.pop())
        for other in values[1:]:
            promise(shown(other) == shown(values[0]), "the stores answer alike", *map(shown, values))
        return Answers(values)

    def close(self) -> None:
        """Close all stores."""
        for store in self._stores:
            self._runner.run(store.aclose())


def shown_endpoint(endpoint: JobEndpoint) -> object:
    """An endpoint as it is kept: a trace loses steps when it is stored."""
    return endpoint_document(endpoint), state_text(endpoint.state)


def shown_lease(lease: Lease) -> object:
    """A lease but for its random id."""
    return (
        shown_endpoint(lease.endpoint), lease.fence, lease.slot, lease.attempt, lease.manual, lease.claimed_at,
        lease.expires_at,
    )  # fmt: skip


def shown_settlement(settlement: Settlement) -> object:
    """A settlement as it is kept."""
    return state_text(settlement.state), settlement.skips
