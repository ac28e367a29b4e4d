"""How long whoever stops a process has to wait for it."""

from cronicorn.adapters.otel.bounded_exporter import ENDING_MAX_S
from cronicorn.adapters.otel.slot_tracer import EXPORT_MAX_S
from cronicorn.wiring.settings import Settings
from cronicorn.wiring.stopping import STOPPING_MAX

STOPS_WITHIN_S = (Settings.from_env({}).drain_grace + STOPPING_MAX).total_seconds() + EXPORT_MAX_S + ENDING_MAX_S
"""With its drain grace, where neither the database nor the receiver of traces answers."""
