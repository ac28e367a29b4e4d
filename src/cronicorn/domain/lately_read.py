"""Endpoints that were read or written lately.

A settlement mostly finds what the claim before it found, and a claim what the settlement before it wrote.
"""

from collections import OrderedDict

from cronicorn.domain.document import endpoint_of, state_of
from cronicorn.domain.endpoint import JobEndpoint
from cronicorn.domain.fields import document_in

KEPT_CHARACTERS_MAX = 8_000_000
"""Of all texts. A plain endpoint has 450 to 600 of them and takes 2.2 kB: 13,000 of these take some 30 MB."""
LONGEST_KEPT = 4_096
"""A longer endpoint is read anew each time."""
_NEWCOMERS = 64
"""Where there is no room, one of so many newcomers takes the place of what was kept longest ago. If each did, endpoints
that come in turn, as most do, would each be gone when its turn comes again.
"""


class LatelyRead:
    """Endpoints by their documents, each in the state last seen. What is not kept is read: rows alone say what is so.

    Safe from any thread: what is kept of an endpoint is put and taken as one. How much is kept may be counted wrong
    where two keep the same at once; it is counted anew each time that as many were forgotten as are kept.
    """

    def __init__(self, characters_max: int = KEPT_CHARACTERS_MAX) -> None:
        self._characters_max = characters_max
        self._characters = 0
        self._kept: OrderedDict[str, tuple[str, JobEndpoint]] = OrderedDict()
        self._newcomers = 0
        self._forgotten = 0
        """Since all was counted anew."""

    def endpoint(self, document: str, state: str) -> JobEndpoint:
        """The endpoint that both texts tell of. Raises one of UNREADABLE."""
        kept = self._kept.get(document)
        if kept is None:
            endpoint = endpoint_of(document_in(document), state_of(document_in(state)))
        elif kept[0] == state:
            return kept[1]
        else:
            endpoint = kept[1].standing(state_of(document_in(state)))
        self.keep(document, state, endpoint)
        return endpoint

    def keep(self, document: str, state: str, endpoint: JobEndpoint) -> None:
        """Both texts tell of *endpoint*, which was read from them or written to them."""
        size = len(document) + len(state)
        if size > LONGEST_KEPT:
            return
        before = self._kept.pop(document, None)
        if before is not None:
            size -= len(document) + len(before[0])
        elif self._characters + size > self._characters_max:
            self._newcomers += 1
            if self._newcomers % _NEWCOMERS:
                return
        self._kept[document] = (state, endpoint)
        self._characters += size
        while self._characters > self._characters_max and self._kept:
            gone, (its_state, _) = self._kept.popitem(last=False)
            self._characters -= len(gone) + len(its_state)
            self._forgotten += 1
            if self._forgotten >= len(self._kept):
                self._count_anew()

    def _count_anew(self) -> None:
        self._forgotten = 0
        documents, kept = list(self._kept), list(self._kept.values())  # Copies: other threads go on meanwhile.
        self._characters = sum(map(len, documents)) + sum(len(state) for state, _ in kept)
