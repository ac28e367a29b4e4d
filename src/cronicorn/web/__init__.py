"""The web door: pages for people, made by the server from the control plane, and nothing else."""
