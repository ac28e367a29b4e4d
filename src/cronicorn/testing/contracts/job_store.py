"""All promises of `JobStore`."""

from cronicorn.testing.contracts.claims import ClaimContract, LeaseContract
from cronicorn.testing.contracts.settlements import SettleContract
from cronicorn.testing.contracts.steering import SteeringContract


class JobStoreContract(ClaimContract, LeaseContract, SettleContract, SteeringContract):
    """Subclass this with a `stores` fixture."""
