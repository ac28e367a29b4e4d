"""What somebody looks for, and what was found."""

from dataclasses import dataclass

from cronicorn.domain.endpoint import Job, JobEndpoint

WORDS_MAX = 6
WORD_LENGTH_MAX = 100
ENDPOINTS_SEARCHED_MAX = 100_000
"""So many endpoints of a tenant are looked at, unless a query says otherwise."""
_LOWER = {capital: capital + 32 for capital in range(ord("A"), ord("Z") + 1)}


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchQuery:
    """What a text has to hold, each word somewhere. `words_of` makes them."""

    words: tuple[tuple[str, ...], ...]
    """Each in the spellings that count, one of which has to be there when A to Z of the text are made small."""
    limit: int
    searched_max: int = ENDPOINTS_SEARCHED_MAX
    """So many endpoints are looked at, and no more."""

    def __post_init__(self) -> None:
        assert self.words
        assert all(self.words)

    def finds(self, text: str) -> bool:
        """Whether *text* is found. Stores say the same in their own words."""
        lowered = text.translate(_LOWER)
        return all(any(spelling in lowered for spelling in word) for word in self.words)


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundEndpoints:
    """What was found, in the order in which jobs, and the endpoints of each, were made."""

    endpoints: tuple[tuple[Job, JobEndpoint], ...]
    complete: bool
    """Whether all endpoints of the tenant were looked at: there are no more than the query lets be searched."""


def words_of(text: str) -> tuple[tuple[str, ...], ...]:
    """The first WORDS_MAX words of *text*, in the spellings that count.

    Small and capital letters are alike. SQLite knows that of A to Z alone, so of other words the small, the capital
    and the capitalised spelling count.
    """
    return tuple(_spellings(word[:WORD_LENGTH_MAX]) for word in text.split()[:WORDS_MAX])


def _spellings(word: str) -> tuple[str, ...]:
    spelt = (word, word.lower(), word.upper(), word.title())
    return tuple(dict.fromkeys(each.translate(_LOWER) for each in spelt))
