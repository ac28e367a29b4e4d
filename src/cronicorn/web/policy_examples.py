"""Complete policies to begin with, as they stand in `examples/policies`."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyExample:
    """A policy that somebody may begin with."""

    key: str
    """The name of its file, without the ending."""
    title: str
    told: str
    """What it is for, as a sentence."""
    text: str
    """As a person writes it."""


POLICY_EXAMPLES = (
    PolicyExample(
        key="threshold-from-body",
        title="A threshold in the answer",
        told="Both sides of a comparison may be fields.",
        text="""\
version: 1
description: Look closer while the queue is over four fifths of the capacity that the answer states.
fields:
  queued: {path: $.queue.length, type: number}
  capacity: {path: $.queue.capacity, type: number}
rules:
  - id: filling
    why: the queue is over 80 % of its capacity, until under 50 %
    when: queued > 0.8 * capacity
    until: queued < 0.5 * capacity
    action: {interval: 30s}
tests:
  - {given: {queued: 90, capacity: 100}, expect: {interval: 30s}}
  - {given: {queued: 90, capacity: 1000}, expect: {interval: baseline}}
""",
    ),
    PolicyExample(
        key="stability-first",
        title="Stability first",
        told="One odd value changes nothing: averages, confirmations, and a change that lasts.",
        text="""\
version: 1
description: The average of five answers decides, three times in a row; then at least ten minutes.
fields:
  lag: {path: $.lag_ms, type: number, agg: avg, window: 5}
rules:
  - id: lagging
    why: lag above 600 ms on average, until below 500 ms
    when: lag > 600
    until: lag < 500
    for: 3
    probe: 15s
    until_for: {count: 3}
    hold: 10m
    action: {interval: 30s}
tests:
  - {given: {lag: 900}, times: 2, expect: {interval: 15s}}
  - {given: {lag: 900}, times: 3, expect: {interval: 30s}}
  - {given: {lag: 550}, times: 9, expect: {interval: baseline}}
""",
    ),
    PolicyExample(
        key="slower-than-baseline",
        title="Slower while idle",
        told="Look less often while nothing is going on.",
        text="""\
version: 1
description: Every half hour while the queue has been empty three times in a row.
fields:
  queued: {path: $.queued, type: number}
rules:
  - id: idle
    why: the queue has been empty three times in a row
    when: queued == 0
    for: 3
    action: {interval: 30m}
tests:
  - {given: {queued: 0}, times: 2, expect: {interval: baseline}}
  - {given: {queued: 0}, times: 3, expect: {interval: 30m}}
  - {given: {queued: 7}, expect: {interval: baseline}}
""",
    ),
    PolicyExample(
        key="inverse-scaling",
        title="Less for a busy target",
        told="The busier the target, the less it is asked.",
        text="""\
version: 1
description: Every minute; every two above 50 % CPU; every five above 80 %.
fields:
  cpu: {path: $.cpu_pct, type: number}
rules:
  - id: busy
    why: above 50 % CPU, until below 45 %
    when: cpu > 50
    until: cpu < 45
    action: {interval: 2m}
    priority: 1
  - id: hot
    why: above 80 % CPU, until below 75 %
    when: cpu > 80
    until: cpu < 75
    action: {interval: 5m}
    priority: 2               # of equals the shorter interval would count
tests:
  - {given: {cpu: 30}, expect: {interval: baseline}}
  - {given: {cpu: 60}, expect: {interval: 2m}}
  - {given: {cpu: 91}, times: 2, expect: {interval: 5m}}
""",
    ),
    PolicyExample(
        key="rate-limit-pause",
        title="A rate limit",
        told="No call for as long as the server says.",
        text="""\
version: 1
description: Wait as long as the server says when it refuses calls.
fields:
  status: {http: status}
  wait: {http: retry_after}
rules:
  - id: limited
    why: the server has answered 429, too many requests
    when: status == 429
    action: {pause: {field: wait, default: 60s, min: 30s, max: 1h}}
    cooldown: 1s              # refused again after the wait: wait again
    priority: 100
tests:
  - {given: {status: 429, wait: 120}, expect: {action: pause}}
  - {given: {status: 200}, expect: {interval: baseline}}
""",
    ),
    PolicyExample(
        key="watchdog",
        title="A pause that is watched",
        told="Pause during maintenance, and look now and then whether it is over.",
        text="""\
version: 1
description: No calls during maintenance, six hours at most, but for a look every 20 minutes (the endpoint's maximum).
fields:
  mode: {path: $.mode, type: string}
rules:
  - id: maintenance
    why: the service says that it is being maintained
    when: mode == 'maintenance'
    action: {pause: 6h}
limits: {pause_max: 6h}
tests:
  - {given: {mode: maintenance}, expect: {action: pause}}
  - {given: {mode: normal}, expect: {interval: baseline}}
""",
    ),
    PolicyExample(
        key="time-boxed",
        title="Ten minutes and no longer",
        told="Closer from the beginning of a deployment, for a fixed time.",
        text="""\
version: 1
description: Every 15 seconds during the first ten minutes of a deployment.
fields:
  deploying: {path: $.deploying, type: bool}
rules:
  - id: deployment
    why: a deployment has begun
    when: deploying
    action: {interval: 15s, ttl: 10m, renew: false}
tests:
  - {given: {deploying: true}, times: 40, expect: {interval: 15s}}
  - {given: {deploying: true}, times: 45, expect: {interval: baseline}}
""",
    ),
    PolicyExample(
        key="recovery-action",
        title="A remedy",
        told="Two bad answers in a row, and a sibling that repairs runs.",
        text="""\
version: 1
description: Two bad answers in a row, and the remedy runs; three times an hour at most, five minutes apart.
fields:
  state: {path: $.state, type: string, enum: [up, degraded, down]}
rules:
  - id: recover
    why: the service has been down twice in a row
    when: state == 'down'
    for: 2
    probe: 30s
    action: {run: recover}
    cooldown: 5m
    max_fires: {count: 3, per: 1h}
tests:
  - {given: {state: down}, times: 1, expect: {interval: 30s}}
  - {given: {state: down}, times: 2, expect: {action: run_once}}
  - {given: {state: degraded}, times: 5, expect: {interval: baseline}}
""",
    ),
    PolicyExample(
        key="escalation-ladder",
        title="An escalation",
        told="Look closer, try the remedy, tell the team, wake somebody.",
        text="""\
version: 1
description: Four steps, each only while the trouble of the step before lasts.
fields:
  err: {path: $.error_rate_pct, type: number}
  tries: {from: 'rule:remedy', path: fires}
  failing: {from: 'rule:closer', path: active_for}
rules:
  - id: closer
    why: errors above 5 %, until below 2 %
    when: err > 5
    until: err < 2
    for: 2
    probe: 30s
    action: {interval: 30s}
  - id: remedy
    why: errors last for two minutes
    when: err > 2 && failing >= 2m
    until: err < 2
    action: {run: restart-workers}
    cooldown: 10m
    max_fires: {count: 2, per: 2h}
  - id: team
    why: a restart has not helped within five minutes
    when: err > 2 && tries >= 1 && failing >= 7m
    until: err < 2
    action: {run: tell-the-team}
  - id: page
    why: two restarts have not helped
    when: err > 2 && tries >= 2 && failing >= 20m
    until: err < 2
    action: {run: page-on-call}
    cooldown: 1h
tests:
  - {given: {err: 8}, times: 2, expect: {interval: 30s}}
  - {given: {err: 8}, times: 8, expect: {action: run_once}}
  - {given: {err: 3}, times: 8, expect: {interval: baseline}}
""",
    ),
    PolicyExample(
        key="cooldown",
        title="A cooldown",
        told="What costs something is done at once, and not again for a while.",
        text="""\
version: 1
description: Warm the cache when pages are slow, every 15 minutes at most.
fields:
  page: {path: $.page_ms, type: number}
rules:
  - id: warm-up
    why: pages take longer than three seconds
    when: page > 3000
    action: {run: warm-cache}
    cooldown: 15m
tests:
  - {given: {page: 4000}, expect: {action: run_once}}
  - {given: {page: 900}, times: 3, expect: {interval: baseline}}
""",
    ),
    PolicyExample(
        key="etl-gate",
        title="One run for each batch",
        told="The next stage runs once for each batch that is complete.",
        text="""\
version: 1
description: Transform runs once for each complete batch of extract.
fields:
  batch: {path: $.batch_id, type: string}
  state: {path: $.state, type: string, enum: [running, complete, failed]}
rules:
  - id: transform
    why: extract has completed a batch
    when: state == 'complete' && known(batch)
    once_per: batch
    cooldown: 1s              # a batch may be complete when the next one is looked at
    action: {run: transform}
tests:
  - {given: {batch: '2026-01-01', state: complete}, times: 3, expect: {action: run_once}}
  - {given: {batch: '2026-01-01', state: running}, times: 3, expect: {interval: baseline}}
""",
    ),
    PolicyExample(
        key="far-run",
        title="A run days ahead",
        told="The answer says when something will be there: look then.",
        text="""\
version: 1
description: Look when the next release is due, once for each release that is announced.
fields:
  release_at: {path: $.next_release, type: instant}
rules:
  - id: release
    why: the next release has been announced
    when: known(release_at)
    once_per: release_at
    cooldown: 1s
    action: {run_once: {field: release_at}, ttl: 4h}
tests:
  - {given: {release_at: '2026-01-04T09:30:00Z'}, expect: {action: run_once}}
  - {given: {}, expect: {interval: baseline}}
""",
    ),
)
"""Each is a file of examples/policies, from its first line on that is no comment."""


def example_named(key: str) -> PolicyExample | None:
    """The example that is called *key*, if there is one."""
    return next((each for each in POLICY_EXAMPLES if each.key == key), None)
