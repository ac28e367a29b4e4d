"""The clock of this machine."""

import time
from datetime import UTC, datetime

from cronicorn.domain.ports import Clock


class SystemClock(Clock):
    """Wall time in UTC, and the monotonic clock that asyncio's loops count by."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    monotonic = staticmethod(time.monotonic)
