"""Which request is being answered, for whatever is logged meanwhile."""

from contextvars import ContextVar

REQUEST_NOW: ContextVar[str | None] = ContextVar("request_now", default=None)
"""The id of the request; None outside of any."""
