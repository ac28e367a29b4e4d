"""How a worker comes to own a slot: the mechanisms, what each of them keeps, and which tenants each one serves."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from hashlib import sha256

BUCKETS = 100
"""Tenants fall into so many buckets, by a stable hash; shares of mechanisms are counted in them."""
LOCK_DEFAULT = timedelta(seconds=60)
"""How long a legacy lock lasts."""


class Mechanism(StrEnum):
    """What keeps two workers from running one slot."""

    LEASE = "lease"
    """A lease in the database, renewed by a heartbeat."""
    LEGACY = "legacy"
    """A lock in the database for a fixed time, never extended: a call that is longer ends as lost."""
    OPTIMISTIC = "optimistic"
    """Nothing: many may run a slot, the first to write its result wins."""
    REDIS = "redis"
    """A lease in Redis."""
    ETCD = "etcd"
    """A key under a lease in etcd."""

    @property
    def renewable(self) -> bool:
        """Whether a heartbeat extends what was claimed."""
        return self in {Mechanism.LEASE, Mechanism.REDIS, Mechanism.ETCD}

    @property
    def cancellable(self) -> bool:
        """Whether a person may cancel a run: its holder hears of it by renewing, even where that extends nothing."""
        return self is not Mechanism.OPTIMISTIC


class Invariant(StrEnum):
    """What must hold whatever fails; the text of each says when it is broken."""

    I1 = "at most one accepted settlement for each slot and attempt of an endpoint"
    I2 = "an accepted settlement carries the highest fence issued so far for its endpoint"
    I3 = "fences of an endpoint grow, and a claim id and fence are never issued twice"
    I4 = "two leases on one endpoint never overlap, by the store's clock"
    I5 = "no endpoint is lost: each is due, leased until some instant, or resting on purpose"
    I6 = "the slot of a dead holder is claimed again within the bound that the settings imply"
    I7 = "no call begins before its slot is due"
    I8 = "no call begins after its holder's own deadline"
    I9 = "an endpoint that becomes due below the claim watermark is claimed within a sweep"
    I10 = "no edit, hint or pause is lost to a settlement"
    I11 = "a settlement repeated any number of times changes nothing and is answered alike"
    I12 = "a claim whose answer was lost is found again by its claim id, or expires"
    I13 = "abandoning leaves the slot as it was and makes it due at once"
    I14 = "a takeover never touches a lease that lives or a slot that is settled"
    I15 = "no clock of a worker matters, and a jump of the database's clock doubles nothing"
    I16 = "a backlog of one tenant does not keep another tenant's due slot waiting, and no room stays idle"
    I17 = "calls in progress of a tenant, or to a host, never exceed their cap"
    I18 = "no deadlock and no serialisation failure reaches a caller"
    I19 = "after a drain no endpoint is leased by the worker that stopped"
    I20 = "all stores and mechanisms answer the same commands alike"
    I21 = "workers with different mechanisms on one database keep I1, I4 and I5 together"


_ALL = frozenset(Invariant)
_ELSEWHERE = _ALL - {Invariant.I4, Invariant.I17}
KEPT: Mapping[Mechanism, frozenset[Invariant]] = {
    Mechanism.LEASE: _ALL,
    Mechanism.LEGACY: _ALL,
    Mechanism.OPTIMISTIC: _ALL
    - {Invariant.I3, Invariant.I4, Invariant.I16, Invariant.I17, Invariant.I20, Invariant.I21},
    Mechanism.REDIS: _ELSEWHERE,
    Mechanism.ETCD: _ELSEWHERE,
}
"""What each mechanism keeps. I1, I2 and I5 are kept by all: every settlement is fenced in the database.

I16 and I17 are about many tenants and workers and hold on PostgreSQL; the SQLite and memory stores serve whatever is
longest due, and so does a claim within caps: there the cap of tenants is what keeps I16. A legacy lock keeps I6 by its
own length, and answers a renewal without extending anything (I20): its holder hears of a loss or a cancellation.

Of an optimistic slot many workers may make the call. Its fence is the version that was seen, which only settling
raises: two claims may carry the same (so not I3 and I4), and the first to settle has the highest (I2). No lock is there
to see, so an edit during the call puts the slot aside, nobody can cancel it, and nothing rests after losses (not I20).
"""


@dataclass(frozen=True, slots=True)
class Share:
    """The tenants whose bucket is at least `low` and below `high`."""

    low: int = 0
    high: int = BUCKETS

    def __post_init__(self) -> None:
        assert 0 <= self.low <= self.high <= BUCKETS

    def __contains__(self, tenant_id: str) -> bool:
        return self.low <= bucket_of(tenant_id) < self.high

    @property
    def whole(self) -> bool:
        """Whether no tenant is left out."""
        return (self.low, self.high) == (0, BUCKETS)


def bucket_of(tenant_id: str) -> int:
    """The bucket of a tenant: the same in every process and version, so a tenant keeps its mechanism."""
    return int.from_bytes(sha256(tenant_id.encode("utf-8", "surrogatepass")).digest()[:8]) % BUCKETS


_ORDER = (Mechanism.OPTIMISTIC, Mechanism.LEGACY, Mechanism.LEASE, Mechanism.REDIS, Mechanism.ETCD)


def shares_of(text: str) -> tuple[tuple[Mechanism, Share], ...]:
    """The mechanisms that *text* names, `lease` or `lease:90,optimistic:10`, each with its share of the tenants.

    The shares leave nobody out; one of 0 per cent is not answered. They lie in one fixed order, however *text* puts
    them: what one of two gives to the other is all that moves, and of several only those between the two move too.
    Raises ValueError, saying what was expected.
    """
    percent = _percents(text.lower())
    shares, low = [], 0
    for mechanism in _ORDER:
        if size := percent.get(mechanism, 0):
            shares.append((mechanism, Share(low, low + size)))
            low += size
    return tuple(shares)


def _percents(text: str) -> Mapping[Mechanism, int]:
    percent: dict[Mechanism, int] = {}
    alone = "," not in text and ":" not in text
    for part in text.split(","):
        name, _, number = (each.strip() for each in part.partition(":"))
        number = "100" if alone else number
        if name not in set(Mechanism) or not (number.isascii() and number.isdigit()):
            names = ", ".join(Mechanism)
            raise ValueError(f"one of {names}, or several with whole percentages, as in lease:90,optimistic:10")
        if Mechanism(name) in percent:
            raise ValueError(f"each mechanism named once, not {name} twice")
        percent[Mechanism(name)] = int(number[:4])
    if sum(percent.values()) != BUCKETS:
        raise ValueError(f"percentages that make 100, not {sum(percent.values())}")
    return percent
