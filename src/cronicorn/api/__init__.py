"""The REST door: translates HTTP to the control plane and back, and nothing else."""
