"""All promises of `Quota`, and of `QuotaGuard` over the same books."""

from cronicorn.testing.contracts.quota_modes import GuardContract
from cronicorn.testing.contracts.quota_reservations import ReservationContract
from cronicorn.testing.contracts.quota_settlements import SettlementContract


class QuotaContract(ReservationContract, SettlementContract, GuardContract):
    """All that every store of quotas promises. Subclass this with an `open_quota` fixture."""
