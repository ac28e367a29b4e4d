"""What a tenant keeps secret: the keys that sign its calls, and the secrets that its requests name."""
