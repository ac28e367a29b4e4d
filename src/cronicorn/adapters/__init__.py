"""One package for each outside system, behind the ports of the domain."""
