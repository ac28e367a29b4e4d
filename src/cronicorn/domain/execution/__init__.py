"""What a tier lets its tenants do: how many endpoints, how often, and how many runs a month."""
