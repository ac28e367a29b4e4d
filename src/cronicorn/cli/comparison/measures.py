"""From what the target saw and the workers counted to one row of the table. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from cronicorn.cli.comparison.target import TargetCall
from cronicorn.domain.mechanism import Mechanism


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """How one mechanism fared. Times in seconds; None where nothing was there to measure."""

    mechanism: Mechanism
    runs: int
    """Recorded."""
    calls_doubled: int
    """Calls that the target got for a slot it had been called for before."""
    claims: int
    claims_empty: int
    claims_contended: int
    claim_p50_s: float | None
    claim_p99_s: float | None
    leases_lost: int
    stale_refused: int
    recoveries: int
    """Calls cut off by a kill whose slot was called again."""
    recovery_p50_s: float | None
    recovery_max_s: float | None
    delay_p99_s: float | None
    """How late calls began."""
    violations: int
    """What `cronicorn verify` found afterwards."""


def doubled(calls: Iterable[TargetCall]) -> int:
    """How many calls were made for a slot that had been called for before."""
    return sum(count - 1 for count in Counter(call.key for call in calls).values())


def recoveries(calls: Sequence[TargetCall]) -> list[float]:
    """For each call whose caller went away: seconds until its slot was being called again.

    Zero when another worker was already calling for it, which only happens without mutual exclusion.
    """
    by_key: defaultdict[str, list[TargetCall]] = defaultdict(list)
    for call in calls:
        by_key[call.key].append(call)
    found = []
    for call in calls:
        if call.cut_at is None:
            continue
        others = [other for other in by_key[call.key] if other is not call and _ended_after(other, call.cut_at)]
        if others:
            found.append(max(0.0, min(other.began_at for other in others) - call.cut_at))
    return found


def quantile(values: Sequence[float], share: float) -> float | None:
    """The least of *values* that *share* of them do not exceed; None of nothing."""
    ordered = sorted(values)
    return ordered[max(ceil(share * len(ordered)) - 1, 0)] if ordered else None


def histogram_quantile(buckets: Mapping[float, float], share: float) -> float | None:
    """The upper bound of the bucket in which *share* of the observations end; None of none.

    *buckets* are cumulative counts by upper bound, as Prometheus has them.
    """
    total = max(buckets.values(), default=0.0)
    if total == 0:
        return None
    return min(bound for bound, count in buckets.items() if count >= share * total)


def _ended_after(call: TargetCall, instant: float) -> bool:
    end = call.ended_at if call.ended_at is not None else call.cut_at
    return end is None or end > instant
