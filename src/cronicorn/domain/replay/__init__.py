"""Replaying what was recorded of an endpoint under another policy. Pure; no call is made."""
