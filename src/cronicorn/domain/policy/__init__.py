"""Policies: what an endpoint's owner wrote about its answers, and what follows from each of them. Pure."""
