"""The setting of hosts' flow is read in one way, and says what it expects."""

from datetime import timedelta

import pytest

from cronicorn.domain.flow.limits import FlowLimits
from cronicorn.wiring.host_flows import host_flows

SECOND = timedelta(seconds=1)


def test_hosts_are_read_with_their_limits_and_written_back():
    text = "API.example.com=10/1sx4, db.internal=x2,*=100/1500ms,10.0.0.1=1/1d"

    found = host_flows(text)

    assert {each.host: each.limits for each in found} == {
        "api.example.com": FlowLimits(rate=10, period=SECOND, parallelism=4),
        "db.internal": FlowLimits(parallelism=2),
        "*": FlowLimits(rate=100, period=1.5 * SECOND),
        "10.0.0.1": FlowLimits(rate=1, period=timedelta(days=1)),
    }
    assert host_flows(",".join(map(str, found))) == found


@pytest.mark.parametrize(
    "text",
    ["a", "a=", "=1/1s", "a=1", "a=1/", "a=/1s", "a=0/1s", "a=1001/1s", "a=1/2d", "a=x0", "a=x10001", "a=1/1s,a=x1",
     "a b=1/1s", "http://a=1/1s", "a/b=1/1s", "a=1/1s x2", "a=1/0s", "*.a=1/1s", "a=-1/1s"],
)  # fmt: skip
def test_anything_else_is_refused(text):
    with pytest.raises(ValueError, match=r"HOST=RATE/PERIOD|duration"):
        host_flows(text)
