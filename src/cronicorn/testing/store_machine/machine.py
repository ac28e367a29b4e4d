"""The machine: random commands, and short stories made of them that chance alone would tell too seldom."""

from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from cronicorn.domain.call import Outcome
from cronicorn.domain.instant import MICROSECOND, shifted
from cronicorn.domain.run import RunStatus
from cronicorn.testing.store_machine.commands import ENDPOINTS_MAX, CommandMachine, endings, picks, ttls, workers
from cronicorn.testing.store_machine.model import Known


class StoreMachine(CommandMachine):
    """Drives the stores that `open_stores` opens. The first one is the reference for the others."""

    @rule(worker=workers, limit=st.integers(1, 3), ttl=ttls)
    def claim_when_due(self, *, worker: int, limit: int, ttl: timedelta) -> None:
        self.wait_until_due(worker=worker)
        self.claim(worker=worker, limit=limit, ttl=ttl)

    @rule(worker=workers, ttl=ttls)
    def claim_too_soon(self, *, worker: int, ttl: timedelta) -> None:
        instants = (known.claimable_at(worker, self.clock.now()) for known in self.alive)
        self._wait_for(
            min((shifted(instant, -MICROSECOND) for instant in instants if instant is not None), default=None)
        )
        self.claim(worker=worker, limit=ENDPOINTS_MAX, ttl=ttl)

    @precondition(lambda self: self._leased())
    @rule(pick=picks, worker=workers, losses=st.integers(1, 4), ttl=ttls)
    def take_over(self, *, pick: int, worker: int, losses: int, ttl: timedelta) -> None:
        """Workers that were told to stop die one after the other; each claim comes no sooner than it may."""
        held = self._leased()
        known = held[pick % len(held)]
        for _ in range(losses):
            if known.claim is not None:
                self._cancel(known, known.claim.lease.slot)
            for instant in (known.expires_at, known.claimable_at(worker, self.clock.now())):
                self._wait_for(instant)
                self.claim(worker=worker, limit=ENDPOINTS_MAX, ttl=ttl)
            if known.claim is not None:
                self._renew([known.claim], ttl)

    @precondition(lambda self: self._leased())
    @rule(pick=picks, worker=workers, ending=endings, ttl=ttls)
    def freeze(self, *, pick: int, worker: int, ending: tuple[Outcome, RunStatus], ttl: timedelta) -> None:
        """The worker of a lease wakes up, renews and settles when another worker has taken its slot."""
        held = [known.claim for known in self._leased() if known.claim is not None]
        frozen = held[pick % len(held)]
        self._wait_for(frozen.known.claimable_at(worker, self.clock.now()))
        self.claim(worker=worker, limit=ENDPOINTS_MAX, ttl=ttl)
        self._renew([frozen], ttl)
        for taken in [taken for taken in reversed(self.taken) if taken.known is frozen.known][:2]:
            self._settle(taken, ending)

    @precondition(lambda self: self.taken)
    @rule(ending=endings)
    def settle_the_newest(self, *, ending: tuple[Outcome, RunStatus]) -> None:
        self.settle(pick=0, ending=ending)

    @precondition(lambda self: self.taken)
    @rule(pick=picks)
    def lose(self, *, pick: int) -> None:
        """The worker of a lease is heard of no more, until the lease has expired."""
        taken = self._pick(pick)
        self._wait_for(taken.known.ends_at(taken))

    @precondition(lambda self: self.taken)
    @rule(pick=picks, worker=workers, ending=endings, ttl=ttls)
    def step_aside(self, *, pick: int, worker: int, ending: tuple[Outcome, RunStatus], ttl: timedelta) -> None:
        """Another worker claims what it can and gives it back before a run ends."""
        taken = self._pick(pick)
        self.claim(worker=worker, limit=ENDPOINTS_MAX, ttl=ttl)
        self._abandon([other for other in self.taken[-ENDPOINTS_MAX:] if other.worker == worker and other is not taken])
        self._settle(taken, ending)

    def _leased(self) -> list[Known]:
        return [known for known in self.alive if known.leased(self.clock.now())]
