"""The statements that a lease depends on, from its claim to its end, as one object."""

from dataclasses import dataclass, replace

from cronicorn.adapters.postgres.claim_statements import CLAIM, CLAIM_NAMED, without_skip_locked
from cronicorn.adapters.postgres.fair_claim_statements import CLAIM_IN_TURN, CLAIM_WITHIN_CAPS
from cronicorn.adapters.postgres.holding_statements import ABANDON, RENEW
from cronicorn.adapters.postgres.queries import altered
from cronicorn.adapters.postgres.row_locks import SKIP_LOCKED, WAIT_FOR_LOCKED
from cronicorn.adapters.postgres.settle_statements import FIND, SETTLE, SETTLE_ONE


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseStatements:
    """One may be put in the place of another, so that a test can show what a weaker one would let through."""

    claim: str = CLAIM
    claim_in_turn: str = CLAIM_IN_TURN
    claim_within_caps: str = CLAIM_WITHIN_CAPS
    claim_named: str = CLAIM_NAMED
    renew: str = RENEW
    settle: str = SETTLE
    find: str = FIND
    settle_one: str = SETTLE_ONE
    abandon: str = ABANDON

    def without_skip_locked(self) -> "LeaseStatements":
        """The same for a server that has no SKIP LOCKED."""
        return replace(
            self,
            claim=without_skip_locked(self.claim),
            claim_in_turn=without_skip_locked(self.claim_in_turn),
            claim_within_caps=without_skip_locked(self.claim_within_caps),
            claim_named=without_skip_locked(self.claim_named),
            renew=altered(self.renew, SKIP_LOCKED, WAIT_FOR_LOCKED),
        )
