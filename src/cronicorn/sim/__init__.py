"""The simulator: the real scheduler on a virtual clock, calling a world that a scenario describes."""
