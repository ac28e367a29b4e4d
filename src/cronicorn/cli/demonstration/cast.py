"""The endpoints of the demonstration: one of each kind, in the words of the REST interface."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from cronicorn.cli.demonstration.story import Phase, Story


@dataclass(frozen=True, slots=True)
class Part:
    """One endpoint: what is registered, and how a person would put its schedule."""

    name: str
    schedule: str
    document: Mapping[str, object]


def parts(story: Story, shop_url: str, opened_at: datetime) -> tuple[Part, ...]:
    """All endpoints of a shop that opened at *opened_at*."""
    return tuple(
        Part(name, schedule, {"name": name, "url": f"{shop_url}/{name}", "timeoutMs": 5_000, **document})
        for name, schedule, document in (
            _stock(story), _queue(story), _cashier(), _checkout(story), _payments(story), _newsletter(story),
            _doors(story, opened_at), _report(),
        )
    )  # fmt: skip


_Scene = tuple[str, str, Mapping[str, object]]


def _stock(story: Story) -> _Scene:
    every, most = story.scaled(4, 2), story.scaled(12, 3)
    guarded = {"baselineIntervalMs": every * 1_000, "minIntervalMs": 1_000, "maxIntervalMs": most * 1_000}
    return "stock", f"every {every} s, 1 to {most} s", guarded


def _queue(story: Story) -> _Scene:
    """Steered by two rules: a long queue is watched closely, and a second cashier is called, but not each time."""
    every, again = story.scaled(6, 2), story.scaled(20, 4)
    watch = {
        "id": "long-queue", "why": "a long queue is watched closely", "when": "waiting > 100", "until": "waiting < 20",
        "for": 2, "probe": "1s", "action": {"interval": "1s"},
    }  # fmt: skip
    call = {
        "id": "second-cashier", "why": "a second cashier helps with a long queue", "when": "waiting > 100",
        "cooldown": f"{again}s", "action": {"run": "cashier"},
    }  # fmt: skip
    policy = {
        "version": 1, "fields": {"waiting": {"path": "$.waiting", "type": "number"}}, "rules": [watch, call],
    }  # fmt: skip
    document = {"baselineIntervalMs": every * 1_000, "minIntervalMs": 1_000, "policy": policy}
    return "queue", f"every {every} s, two rules", document


def _cashier() -> _Scene:
    return "cashier", "when a rule calls", {"dormant": True, "method": "POST"}


def _checkout(story: Story) -> _Scene:
    every = story.scaled(3, 1)
    cron = f"*/{every} * * * * *" if every > 1 else "* * * * * *"
    return "checkout", f"cron {cron}", {"baselineCron": cron}


def _payments(story: Story) -> _Scene:
    every = story.scaled(5, 2)
    retried = {"retryCount": 3, "minBackoffMs": 500, "maxBackoffMs": 2_000}
    document = {"baselineIntervalMs": every * 1_000, "retries": retried, "method": "POST", "bodyJson": {"book": "all"}}
    return "payments", f"every {every} s, 3 retries", document


def _newsletter(story: Story) -> _Scene:
    every = story.scaled(4, 1)
    return "newsletter", f"every {every} s", {"baselineIntervalMs": every * 1_000, "method": "POST"}


def _doors(story: Story, opened_at: datetime) -> _Scene:
    at = opened_at + timedelta(seconds=story.starts_at(Phase.FLASH_SALE))
    return "doors", f"once at {at:%H:%M:%S}", {"onceAt": at.isoformat(), "method": "POST"}


def _report() -> _Scene:
    return "report", "only when asked", {"dormant": True, "method": "POST"}
