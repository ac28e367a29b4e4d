"""Claims kept by a lock service beside the database: who may try to run an endpoint, until when."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What a claimant asks a service for, and shows it later."""

    key: str
    """What is claimed: the id of an endpoint."""
    claim_id: str
    """Who claims it: random, 32 hexadecimal digits, one for each claim."""
