"""Passwords by Argon2id, with the second parameters that RFC 9106 recommends (64 MiB, three passes)."""

import asyncio
import base64
from functools import partial

from argon2 import Parameters, PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

from cronicorn.domain.access.ports import Passwords

AT_ONCE = 2
"""So many passwords are hashed at once by a process: each takes 64 MiB, and strangers can ask for it."""


class Argon2Passwords(Passwords):
    """Hashes in threads, a few at a time."""

    def __init__(self, parameters: Parameters = RFC_9106_LOW_MEMORY) -> None:
        self._hasher = PasswordHasher.from_parameters(parameters)
        self._nobodys = nobodys(parameters)
        self._room = asyncio.Semaphore(AT_ONCE)

    async def hashed(self, password: str) -> str:
        async with self._room:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def match(self, kept: str | None, password: str) -> bool:
        async with self._room:
            fits = await asyncio.to_thread(partial(self._fits, kept or self._nobodys, password))
        return fits and kept is not None

    def _fits(self, kept: str, password: str) -> bool:
        try:
            return self._hasher.verify(kept, password)
        except (VerificationError, InvalidHashError):
            return False


def nobodys(parameters: Parameters) -> str:
    """A hash that no password has: comparing with it takes as long as with one that somebody has."""
    sizes = (parameters.salt_len, parameters.hash_len)
    salt, digest = (base64.b64encode(bytes(size)).decode().rstrip("=") for size in sizes)
    cost = f"m={parameters.memory_cost},t={parameters.time_cost},p={parameters.parallelism}"
    return f"$argon2id$v={parameters.version}${cost}${salt}${digest}"
