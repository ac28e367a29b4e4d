"""Time in statements: the instant by which leases are judged, and how long a lost slot rests."""

from cronicorn.adapters.postgres.queries import altered
from cronicorn.domain.fields import us
from cronicorn.domain.instant import MICROSECOND
from cronicorn.domain.ports import Clock
from cronicorn.domain.takeover import TAKEOVER_DELAY_MAX, takeover_delay

NOW_US = "coalesce($1::bigint, (extract(epoch FROM now()) * 1000000)::bigint)"
"""The instant, in microseconds, in every statement that judges time; $1 is `judged_us`."""
CLOCK_US = altered(NOW_US, "now()", "clock_timestamp()")
"""The instant at which the statement answers, wherever its transaction began."""


def judged_us(judge: Clock | None) -> int | None:
    """$1 of every statement that judges time: None where the database's clock counts, as it does but in tests."""
    return us(judge.now()) if judge is not None else None


def takeover_delay_us(losses: str) -> str:
    """`takeover_delay` of the whole number above 0 that the SQL *losses* means, in microseconds."""
    delays = [takeover_delay(1)]
    while delays[-1] < TAKEOVER_DELAY_MAX:
        delays.append(takeover_delay(len(delays) + 1))
    listed = ", ".join(str(delay // MICROSECOND) for delay in delays)
    return f"('{{{listed}}}'::bigint[])[least({losses}, {len(delays)})]"
