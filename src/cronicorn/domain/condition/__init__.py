"""Conditions over declared, typed fields: a subset of the Common Expression Language (CEL) that always answers."""
