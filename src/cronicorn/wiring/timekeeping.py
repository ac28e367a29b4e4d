"""This machine's clock and the cron evaluator, for those who need nothing else."""

from cronicorn.adapters.cron.cronsim_cron import CronsimCron
from cronicorn.adapters.system_clock import SystemClock
from cronicorn.domain.ports import Clock, Cron


def system_clock() -> Clock:
    """The clock of this machine."""
    return SystemClock()


def cron() -> Cron:
    """The cron evaluator."""
    return CronsimCron()
