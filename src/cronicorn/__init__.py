"""Cronicorn calls HTTP endpoints on a schedule, reads what they answer, and adapts when to call next."""
