"""Ways in which the columns of a stored endpoint can't be read, by what reading them raises."""

from cronicorn.domain.fixtures import an_endpoint
from cronicorn.domain.rows import endpoint_row, state_row

_DOCUMENT = str(endpoint_row(an_endpoint())["document"])
_STATE = str(state_row(an_endpoint().state)["state"])
_HINT = '{"kind":"interval","author":"person","written_at_us":0,"expires_at_us":1}'

RUINED = {
    "ValueError": ("{}", _STATE),
    "AttributeError": ("[]", _STATE),
    "OverflowError": (_DOCUMENT.replace('"created_at_us":1767225600000000', f'"created_at_us":{10**18}'), _STATE),
    "AssertionError": (_DOCUMENT, _STATE.replace('"slot"', f'"hints":[{_HINT}],"slot"', 1)),
}
"""A document and a state, one of which is broken."""
