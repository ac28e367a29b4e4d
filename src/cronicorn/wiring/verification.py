"""Verifying the store that settings name."""

from cronicorn.control.verification import Verifier
from cronicorn.domain.takeover import SWEEP_INTERVAL, recovery_bound
from cronicorn.domain.verification import Findings
from cronicorn.wiring.archives import whole_store
from cronicorn.wiring.settings import Settings
from cronicorn.wiring.timekeeping import cron, system_clock


async def verified(settings: Settings, *, stopped: bool) -> Findings:
    """What is to be said of the store; with *stopped* no worker runs.

    Raises NotFoundError where no installation is, ConflictError for another version's, UnavailableError.
    """
    verifier = Verifier(
        clock=system_clock(),
        cron=cron(),
        retention=settings.retention,
        # For one lease more nothing is taken over after the database's clock was set, or after a fail-over.
        wait_max=settings.lease_ttl + recovery_bound(settings.lease_ttl, settings.poll_interval),
        stopped=stopped,
        # Twice, since workers may have to connect again first.
        second_look_after=2 * (settings.poll_interval + SWEEP_INTERVAL),
    )
    return await verifier.verify(whole_store(settings).archive)


async def violations(settings: Settings) -> int:
    """How many faults the store has, now that no worker runs."""
    findings = await verified(settings, stopped=True)
    return sum(tally.found for check, tally in findings.tallies.items() if check not in findings.harmless)
