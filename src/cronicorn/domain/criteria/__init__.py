"""What makes an answer a success, a degraded one or a failure, beyond its status."""
