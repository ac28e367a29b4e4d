"""Rows in the order of a number, taken number by number beside others in the same order."""

from collections.abc import AsyncIterator, Callable, Sequence

from cronicorn.domain.cells import Row


class SortedRows:
    """Portions of rows sorted by the column *key*. Rows that nobody takes go to *left_over*."""

    def __init__(self, portions: AsyncIterator[Sequence[Row]], key: str, left_over: Callable[[Row], None]) -> None:
        self._rows = each(portions)
        self._key = key
        self._left_over = left_over
        self._next: Row | None = None

    async def of(self, number: int) -> AsyncIterator[Row]:
        """The rows of *number*, which is higher than any asked for before. Take them all."""
        while (row := await self._peek()) is not None:
            found = row[self._key]
            assert isinstance(found, int)
            if found > number:
                return
            self._next = None
            if found == number:
                yield row
            else:
                self._left_over(row)

    async def pass_over(self) -> None:
        """Leave over all that is left."""
        while (row := await self._peek()) is not None:
            self._next = None
            self._left_over(row)

    async def _peek(self) -> Row | None:
        if self._next is None:
            self._next = await anext(self._rows, None)
        return self._next


async def each(portions: AsyncIterator[Sequence[Row]]) -> AsyncIterator[Row]:
    """The rows of *portions*, one by one."""
    async for portion in portions:
        for row in portion:
            yield row
