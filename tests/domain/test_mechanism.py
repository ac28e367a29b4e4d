"""Shares of tenants: what a text names, whom each mechanism serves, and how few move when a share grows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cronicorn.domain.mechanism import BUCKETS, KEPT, Invariant, Mechanism, Share, bucket_of, shares_of

LEASE, LEGACY, OPTIMISTIC, REDIS = Mechanism.LEASE, Mechanism.LEGACY, Mechanism.OPTIMISTIC, Mechanism.REDIS


@st.composite
def texts(draw: st.DrawFn) -> str:
    """Some mechanisms in any order, with percentages that make 100."""
    mechanisms = draw(st.permutations(list(Mechanism)))[: draw(st.integers(1, len(Mechanism)))]
    cuts = sorted(draw(st.lists(st.integers(0, 100), min_size=len(mechanisms) - 1, max_size=len(mechanisms) - 1)))
    sizes = [high - low for low, high in zip([0, *cuts], [*cuts, 100], strict=True)]
    return ",".join(f"{mechanism}:{size}" for mechanism, size in zip(mechanisms, sizes, strict=True))


def _served(text: str) -> list[Mechanism]:
    """The mechanism of each bucket."""
    shares = shares_of(text)
    return [
        mechanism for bucket in range(BUCKETS) for mechanism, share in shares if share.low <= bucket < share.high
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "shares"),
    [
        ("lease", ((LEASE, Share()),)),
        (" Legacy ", ((LEGACY, Share()),)),
        ("lease:100", ((LEASE, Share()),)),
        ("lease:90,optimistic:10", ((OPTIMISTIC, Share(0, 10)), (LEASE, Share(10, 100)))),
        ("OPTIMISTIC : 10 , lease:90", ((OPTIMISTIC, Share(0, 10)), (LEASE, Share(10, 100)))),
        ("lease:100,redis:0", ((LEASE, Share()),)),
        ("redis:20,lease:50,legacy:30", ((LEGACY, Share(0, 30)), (LEASE, Share(30, 80)), (REDIS, Share(80, 100)))),
    ],
)
def test_a_text_says_who_serves_which_share(text: str, shares: object) -> None:
    assert shares_of(text) == shares


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "one of lease, legacy"),
        ("zookeeper", "one of lease, legacy"),
        ("lease,optimistic", "whole percentages"),
        ("lease:", "whole percentages"),
        ("lease:-10,redis:110", "whole percentages"),
        ("lease:99.5,redis:0.5", "whole percentages"),
        ("lease:٩٠,redis:10", "whole percentages"),
        ("lease:50,lease:50", "not lease twice"),
        ("lease:90,optimistic:9", "not 99"),
        ("lease:99999999999999999999", "not 9999"),
    ],
)
def test_a_text_that_means_nothing_is_refused_with_what_was_expected(text: str, expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        shares_of(text)


@given(texts())
def test_every_tenant_has_one_mechanism(text: str) -> None:
    assert len(_served(text)) == BUCKETS


@given(st.sampled_from(list(Mechanism)), st.sampled_from(list(Mechanism)), st.integers(0, 100), st.integers(0, 100))
def test_of_two_mechanisms_no_more_tenants_move_than_must(
    one: Mechanism, other: Mechanism, before: int, after: int
) -> None:
    if one is other:
        return

    was, now = (_served(f"{one}:{size},{other}:{100 - size}") for size in (before, after))

    assert sum(a is not b for a, b in zip(was, now, strict=True)) == abs(after - before)


def test_a_share_that_grows_at_the_cost_of_leases_beside_it_moves_nobody_else() -> None:
    was, now = _served("legacy:10,lease:80,redis:10"), _served("legacy:10,lease:70,redis:20")

    assert {(a, b) for a, b in zip(was, now, strict=True) if a is not b} == {(LEASE, REDIS)}


def test_a_tenant_keeps_its_bucket() -> None:
    assert [bucket_of(tenant) for tenant in ("t1", "t2", "", "ä", "\ud800")] == [86, 20, 52, 32, 72]
    assert "t1" in Share(bucket_of("t1"), bucket_of("t1") + 1)
    assert "t1" not in Share(0, bucket_of("t1"))


def test_every_mechanism_says_what_it_keeps() -> None:
    assert KEPT.keys() == set(Mechanism)
    assert all({Invariant.I1, Invariant.I2, Invariant.I5} <= kept for kept in KEPT.values())
