"""All promises of `JobStore`."""

from cronicorn.testing.contracts.claims import ClaimContract, LeaseContract
from cronicorn.testing.contracts.settlements import SettleContract


class JobStoreContract(ClaimContract, LeaseContract, SettleContract):
    """Subclass this with a `stores` fixture."""
