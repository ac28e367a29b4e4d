"""What may be done with a keychain."""

from datetime import timedelta

import pytest

from cronicorn.domain.cells import Row
from cronicorn.domain.errors import ConflictError, NotFoundError
from cronicorn.domain.fixtures import MIDNIGHT
from cronicorn.domain.keychain.keychain import (
    OVERLAPPING_MAX,
    SECRETS_MAX,
    Keychain,
    Secret,
    SigningKey,
    first_key,
    overlap_ended,
    rotated,
    unsigned,
    with_secret,
    without_secret,
)
from cronicorn.domain.keychain.rows import CHANGES_READ, changes_of

HOUR = timedelta(hours=1)
EMPTY = Keychain(tenant_id="t1")


def a_key(prefix="a", at=MIDNIGHT):
    return SigningKey(prefix=prefix, created_at=at, sealed="sealed")


def signing(keychain, now):
    return [key.prefix for key in keychain.signing_at(now)]


def test_the_key_before_goes_on_signing_until_the_overlap_ends():
    keychain = rotated(first_key(EMPTY, a_key("a")), a_key("b", MIDNIGHT + HOUR), MIDNIGHT + HOUR, HOUR)

    assert signing(keychain, MIDNIGHT + HOUR) == ["b", "a"]
    assert signing(keychain, MIDNIGHT + 2 * HOUR - timedelta.resolution) == ["b", "a"]
    assert signing(keychain, MIDNIGHT + 2 * HOUR) == ["b"]
    assert keychain.newest is not None
    assert (keychain.newest.created_at, keychain.newest.rotated_at) == (MIDNIGHT, MIDNIGHT + HOUR)


def test_without_an_overlap_every_older_key_ends_at_once():
    keychain = rotated(first_key(EMPTY, a_key("a")), a_key("b"), MIDNIGHT, HOUR)
    keychain = rotated(keychain, a_key("c"), MIDNIGHT, timedelta(0))

    assert signing(keychain, MIDNIGHT) == ["c"]


def test_an_overlap_can_be_ended_and_signing_too():
    keychain = rotated(first_key(EMPTY, a_key("a")), a_key("b"), MIDNIGHT, HOUR)

    assert signing(overlap_ended(keychain), MIDNIGHT) == ["b"]
    assert unsigned(keychain) == EMPTY


def test_keys_that_have_ended_are_forgotten_with_the_next_rotation_and_do_not_count():
    keychain, now = first_key(EMPTY, a_key("0")), MIDNIGHT
    for number in range(1, 9):
        keychain = rotated(keychain, a_key(str(number)), now, HOUR)
        now += timedelta(minutes=59)

    assert [key.prefix for key in keychain.signing] == ["8", "7", "6"]


def test_only_so_many_older_keys_overlap():
    keychain = first_key(EMPTY, a_key("0"))
    for number in range(OVERLAPPING_MAX):
        keychain = rotated(keychain, a_key(str(number + 1)), MIDNIGHT, HOUR)

    with pytest.raises(ConflictError, match="end the overlap"):
        rotated(keychain, a_key("more"), MIDNIGHT, HOUR)
    assert signing(rotated(keychain, a_key("more"), MIDNIGHT, timedelta(0)), MIDNIGHT) == ["more"]


def test_a_second_first_key_and_what_needs_a_key_are_refused():
    with pytest.raises(ConflictError, match="rotate"):
        first_key(first_key(EMPTY, a_key()), a_key("b"))
    for refused in (overlap_ended, unsigned, lambda keychain: rotated(keychain, a_key(), MIDNIGHT, HOUR)):
        with pytest.raises(NotFoundError, match="create one"):
            refused(EMPTY)


def test_too_many_changes_are_not_told_one_by_one():
    rows: list[Row] = [{"tenant_id": str(number), "revision": 9_000 - number} for number in range(CHANGES_READ)]

    assert changes_of(rows, 1).tenant_ids is None
    assert changes_of(rows, 1).revision == 9_000
    assert len(changes_of(rows[1:], 1).tenant_ids or ()) == CHANGES_READ - 1


def a_secret(name, at=MIDNIGHT):
    return Secret(name=name, created_at=at, updated_at=at, sealed="sealed")


def test_a_secret_is_set_again_in_its_place():
    keychain = EMPTY
    for secret in (a_secret("b"), a_secret("a"), a_secret("b", MIDNIGHT + HOUR)):
        keychain = with_secret(keychain, secret)

    assert [each.name for each in keychain.secrets] == ["a", "b"]
    assert (keychain.secrets[1].created_at, keychain.secrets[1].updated_at) == (MIDNIGHT, MIDNIGHT + HOUR)


def test_only_so_many_secrets_are_kept_and_a_set_one_may_be_set_again():
    keychain = EMPTY
    for number in range(SECRETS_MAX):
        keychain = with_secret(keychain, a_secret(f"s{number}"))

    with pytest.raises(ConflictError, match="remove one"):
        with_secret(keychain, a_secret("more"))
    assert len(with_secret(keychain, a_secret("s7")).secrets) == SECRETS_MAX


def test_a_secret_is_removed_once():
    keychain = without_secret(with_secret(EMPTY, a_secret("a")), "a")

    assert keychain == EMPTY
    with pytest.raises(NotFoundError):
        without_secret(keychain, "a")
