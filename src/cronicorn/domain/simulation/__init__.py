"""What doors ask of the simulator."""
