"""How long whoever stops a process has to wait for it."""

from cronicorn.wiring.settings import Settings
from cronicorn.wiring.stopping import STOPPING_MAX

STOPS_WITHIN_S = (Settings.from_env({}).drain_grace + STOPPING_MAX).total_seconds()
