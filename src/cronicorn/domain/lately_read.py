"""Endpoints that were read lately: a settlement mostly finds what the claim before it found."""

from collections import OrderedDict

from cronicorn.domain.document import endpoint_of, state_of
from cronicorn.domain.endpoint import JobEndpoint
from cronicorn.domain.fields import document_in

KEPT_MAX = 2_048
KEPT_CHARACTERS_MAX = 4_096
"""A longer endpoint is read anew each time, so that what is kept stays within some 20 MB."""


class LatelyRead:
    """Endpoints by their documents, each in the state last seen; what has not changed for longest is forgotten first.

    Safe from any thread: what is kept of an endpoint is put and taken as one.
    """

    def __init__(self, kept_max: int = KEPT_MAX) -> None:
        self._kept_max = kept_max
        self._kept: OrderedDict[str, tuple[str, JobEndpoint]] = OrderedDict()

    def endpoint(self, document: str, state: str) -> JobEndpoint:
        """The endpoint that both texts tell of. Raises one of UNREADABLE."""
        kept = self._kept.get(document)
        if kept is None:
            endpoint = endpoint_of(document_in(document), state_of(document_in(state)))
        elif kept[0] == state:
            return kept[1]
        else:
            endpoint = kept[1].standing(state_of(document_in(state)))
        if len(document) + len(state) <= KEPT_CHARACTERS_MAX:
            self._kept.pop(document, None)
            self._kept[document] = (state, endpoint)
            if len(self._kept) > self._kept_max:
                self._kept.popitem(last=False)
        return endpoint
