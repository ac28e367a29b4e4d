"""Passwords by Argon2."""

import argon2
import pytest
from argon2.profiles import CHEAPEST, RFC_9106_LOW_MEMORY

from cronicorn.adapters.passwords.argon2_passwords import Argon2Passwords, nobodys


async def test_only_the_password_itself_matches():
    passwords = Argon2Passwords(CHEAPEST)

    kept, again = await passwords.hashed("swordfish"), await passwords.hashed("swordfish")

    assert await passwords.match(kept, "swordfish")
    assert not await passwords.match(kept, "Swordfish")
    assert not await passwords.match(None, "swordfish")
    assert not await passwords.match("no hash at all", "swordfish")
    assert kept != again
    assert "swordfish" not in kept


async def test_what_is_kept_says_that_it_is_argon2id_with_the_recommended_cost():
    kept = await Argon2Passwords().hashed("swordfish")

    assert argon2.extract_parameters(kept) == RFC_9106_LOW_MEMORY
    assert not argon2.PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY).check_needs_rehash(kept)


@pytest.mark.parametrize("parameters", [CHEAPEST, RFC_9106_LOW_MEMORY])
def test_comparing_for_nobody_costs_as_much_as_for_somebody(parameters):
    """The whole of Argon2 is computed, with the same cost: a hash that could not be read would be refused at once."""
    nobody = nobodys(parameters)

    assert argon2.extract_parameters(nobody) == parameters
    with pytest.raises(argon2.exceptions.VerifyMismatchError):
        argon2.PasswordHasher().verify(nobody, "swordfish")
