"""Contract suites and stand-ins for the ports, shipped for everyone who writes an adapter."""
