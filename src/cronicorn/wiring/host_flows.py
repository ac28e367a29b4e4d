"""Flow limits of hosts, as a setting gives them."""

import re
from dataclasses import dataclass
from datetime import timedelta

from cronicorn.domain.durations import parse_duration
from cronicorn.domain.flow.limits import EVERY_HOST, PARALLELISM_MAX, PERIOD_DEFAULT, PERIOD_MAX, RATE_MAX, FlowLimits
from cronicorn.domain.target import host_of

_LIMITS = re.compile(r"(?:(?P<rate>[0-9]{1,4})/(?P<period>[0-9a-wyz]+))?(?:x(?P<parallelism>[0-9]{1,5}))?", re.ASCII)
_HOSTS_MAX = 500
_EXPECTED = (
    f"HOST=RATE/PERIOD, HOST=xCALLS or HOST=RATE/PERIODxCALLS, each host once (* is every other one), separated by "
    f"commas: at most {RATE_MAX} calls in up to a day, and x{PARALLELISM_MAX}; such as api.example.com=10/1sx4"
)


@dataclass(frozen=True, slots=True)
class HostFlow:
    """The limits of one host, or of every host that is not named."""

    host: str
    limits: FlowLimits
    text: str

    def __str__(self) -> str:
        return f"{self.host}={self.text}"


def host_flows(text: str) -> tuple[HostFlow, ...]:
    """Read the limits of hosts, separated by commas. Raises ValueError."""
    given: dict[str, HostFlow] = {}
    for part in text.split(","):
        name, equals, limits = part.strip().partition("=")
        host = EVERY_HOST if name == EVERY_HOST else host_of(f"http://{name}")
        if not equals or not host or "/" in name or host in given or len(given) == _HOSTS_MAX:
            raise ValueError(_EXPECTED)
        given[host] = HostFlow(host, _limits(limits), limits)
    return tuple(given.values())


def _limits(text: str) -> FlowLimits:
    match = _LIMITS.fullmatch(text)
    if match is None or not text:
        raise ValueError(_EXPECTED)
    rate, parallelism = match["rate"], match["parallelism"]
    period = parse_duration(match["period"]) if rate is not None else PERIOD_DEFAULT
    fits = timedelta(0) < period <= PERIOD_MAX and (rate is None or 1 <= int(rate) <= RATE_MAX)
    if not fits or (parallelism is not None and not 1 <= int(parallelism) <= PARALLELISM_MAX):
        raise ValueError(_EXPECTED)
    return FlowLimits(
        rate=int(rate) if rate is not None else None,
        period=period,
        parallelism=int(parallelism) if parallelism is not None else None,
    )
