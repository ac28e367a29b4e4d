"""The lock service of tests, which follows a clock, keeps the promises of the real ones."""

import pytest

from cronicorn.testing.claim_service import ClockedClaimService
from cronicorn.testing.clocks import VirtualClock
from cronicorn.testing.contracts.claim_service import ClaimServiceContract


class TestClockedClaims(ClaimServiceContract):
    @pytest.fixture
    def clock(self):
        return VirtualClock()

    @pytest.fixture
    def pass_time(self, clock):
        return clock.advance

    @pytest.fixture
    def service(self, clock):
        return ClockedClaimService(clock)
