"""The driver that runs a world through the product's own `decide`: its signals, its rules and its plans."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from benchmarks.adaptation.hinting import as_endpoint, instant, second_of
from benchmarks.adaptation.simulation import Planned
from benchmarks.adaptation.world import Response, World
from cronicorn.adapters.cron.cronsim_cron import CronsimCron
from cronicorn.adapters.http.answer import cut, is_json, text_of
from cronicorn.domain.call import Outcome, OutcomeKind, Request
from cronicorn.domain.decision import Facts, decide
from cronicorn.domain.editing import edited, started
from cronicorn.domain.endpoint import JobEndpoint
from cronicorn.domain.fixtures import a_lease, a_run
from cronicorn.domain.hint import paused_until
from cronicorn.domain.instant import ZERO
from cronicorn.domain.policy.policy import Policy
from cronicorn.domain.settlement import Settlement, Sibling, Stored
from cronicorn.domain.signals.signal import Adapt, Signal, Signals

RECOMPILE_SECONDS = 20
"""How long after the product has reported drift the owner's second policy is in force."""
SILENT = Signals(adapt=Adapt.OFF, off=frozenset(Signal))
"""No answer steers by itself, not even by Retry-After."""

_CRON = CronsimCron()


@dataclass(frozen=True, slots=True, kw_only=True)
class Owned:
    """What an owner has set for the endpoints of a world."""

    signals: Signals = field(default=Signals())
    """Of all endpoints."""
    policy: Policy | None = None
    """Of the first endpoint of the world."""
    after_drift: Policy | None = None
    """What `policy` is exchanged for, once, after the product has reported drift."""


class Product:
    """Settles each call as a scheduler does. The calls take no time, and one process makes them all."""

    def __init__(self, world: World, owned: Owned) -> None:
        self._seed = str(world.seed)
        self._after_drift = owned.after_drift
        first = next(iter(world.endpoints))
        self._endpoints: dict[str, JobEndpoint] = {}
        for name, watched in world.endpoints.items():
            policy = owned.policy if name == first else None
            endpoint = replace(as_endpoint(watched, watched.baseline), signals=owned.signals, policy=policy)
            self._endpoints[name] = started(endpoint, instant(0), _CRON)

    def first_at(self) -> Mapping[str, int | None]:
        return {name: _planned(endpoint, instant(0)).at for name, endpoint in self._endpoints.items()}

    def answered(self, name: str, t: int, response: Response) -> Mapping[str, Planned]:
        now = instant(t)
        settlement = self._settled(name, now, response)
        self._endpoints[name] = replace(self._endpoints[name], state=settlement.state)
        self._endpoints |= {sibling: change.endpoint for sibling, change in settlement.siblings.items()}
        if self._after_drift is not None and _drifted(settlement):
            self._exchange_policy(name, now + timedelta(seconds=RECOMPILE_SECONDS))
        return {moved: _planned(self._endpoints[moved], now) for moved in (name, *settlement.siblings)}

    @property
    def tokens(self) -> int:
        return 0

    def _settled(self, name: str, now: datetime, response: Response) -> Settlement:
        endpoint = self._endpoints[name]
        run = a_run(a_lease(endpoint, now=now), outcome_of(response, endpoint.request))
        others = {other: Sibling(each) for other, each in self._endpoints.items() if other != name}
        readers = (sibling.endpoint.policy for sibling in others.values())
        watched = any(policy is not None and name in policy.siblings for policy in readers)
        stored = Stored(now=now, siblings=others)
        facts = Facts(stored=stored, run=run, manual=False, cron=_CRON, watched=watched, seed=self._seed)
        return decide(endpoint, facts)

    def _exchange_policy(self, name: str, now: datetime) -> None:
        """The edit comes before the next call: no minimum interval is as short as a recompile."""
        before = self._endpoints[name]
        change = edited(before, replace(before, policy=self._after_drift), Stored(now=now), _CRON)
        self._endpoints[name] = change.endpoint
        self._after_drift = None


def outcome_of(response: Response, request: Request) -> Outcome:
    """*response* as a dispatcher hands it on."""
    raw = json.dumps(response.body).encode() if response.raw is None else response.raw
    bytes_max = request.response_kb_max * 1_024
    truncated = len(raw) > bytes_max
    text = text_of(raw[:bytes_max], None, whole=not truncated)
    return Outcome(
        kind=OutcomeKind.RESPONDED, duration=ZERO, status_code=response.status,
        headers=tuple((name.lower(), value) for name, value in response.headers.items()),
        body=cut(text, bytes_max), body_is_json=not truncated and is_json(text), body_truncated=truncated,
    )  # fmt: skip


def _drifted(settlement: Settlement) -> bool:
    """Whether a rule of the endpoint just reported that answers stopped saying what it asks for."""
    record = settlement.record
    return record is not None and record.own is not None and bool(record.own.drifted)


def _planned(endpoint: JobEndpoint, now: datetime) -> Planned:
    plan, hints = endpoint.state.plan, endpoint.state.hints
    at = plan.next_run_at if plan is not None else None
    until = paused_until(hints, now)
    lives = [hint.expires_at - hint.written_at for hint in hints if hint.fresh(now)]
    return Planned(
        at=None if at is None else second_of(at),
        paused_until=None if until is None else second_of(until),
        hint_life=round(max(lives).total_seconds()) if lives else None,
    )
