"""Whether the description of an endpoint is compiled, and who lets the draft take effect."""

from enum import StrEnum


class CompileMode(StrEnum):
    """What becomes of the description of an endpoint."""

    REVIEW = "review"
    """Drafts are made; a person activates them."""
    AUTO = "auto"
    """As `review`, but a draft inside the safe envelope is activated at once."""
    OFF = "off"
    """No draft is made unless a person asks."""
