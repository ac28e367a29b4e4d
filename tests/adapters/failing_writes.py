"""A database that fails half-way."""

from cronicorn.domain.errors import UnavailableError


def failing_after(writes, database):
    """*database*, which is written into so often and then never again."""
    return _FailingWrites(writes, database)


class _FailingWrites:
    def __init__(self, writes, database):
        self._left = writes
        self._database = database

    async def write(self, work):
        if not self._left:
            raise UnavailableError("The disk is full.")
        self._left -= 1
        return await self._database.write(work)
