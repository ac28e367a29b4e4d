"""What all doors do with a request before they know what it asks."""
