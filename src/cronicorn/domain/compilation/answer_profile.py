"""The typed profile of an endpoint's last answers: what stands where, and between which bounds. Never what it says.

This is all that a compiling model learns of answers. Names of members and short words pass a narrow pattern or are left
out, and so is the text of what looks like a credential: no sentence of an answer is among them. The whole is bounded,
whatever the answers were.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from cronicorn.domain.call import Outcome
from cronicorn.domain.json_body import ABSENT, Json, number_of, parsed
from cronicorn.domain.masking import looks_secret, secret_members
from cronicorn.domain.run import Run
from cronicorn.domain.signals.conditional import says_something
from cronicorn.domain.untrusted.redaction import Redaction

RUNS_MAX = 50
"""So many of the last answers are looked at, those not counted that say only that nothing has changed."""
PATHS_MAX = 60
"""So many places are told, those that the most answers have first."""
WORDS_MAX = 12
"""A text with more different values than this is no enumeration."""
DEPTH_MAX = 6
_PLACES_SEEN_MAX = 2_000
"""So many places are kept while looking: answers may have a new one each time."""
_MEMBERS_MAX = 200
"""So many members of one object are looked at."""
_ELEMENTS_MAX = 3
_PATH = re.compile(r"\$(?:\.[A-Za-z_][A-Za-z0-9_]*|\[0\])+")
PATH_CHARACTERS_MAX = 64
_STEP = re.compile(r"[A-Za-z_0-9]+")
_WORD = re.compile(r"[A-Za-z0-9_.:-]{1,32}")

Steps = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """The numbers that stood at one place."""

    least: float
    middle: float
    """The median; of two the higher."""
    most: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What stood at one place of the answers."""

    path: str
    """As a policy writes it: `$.checks[0].state`. Elements of a list are told as its first one."""
    types: tuple[str, ...]
    """`number` (also as text), `string`, `bool`, `null`; objects and lists are told by what they hold."""
    presence: float
    """In which share of the answers."""
    numbers: Numbers | None = None
    words: tuple[str, ...] = ()
    """All its values, where they are few and short words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerProfile:
    """The profile of an endpoint's last answers."""

    answers: int = 0
    places: tuple[Place, ...] = ()
    classes: frozenset[str] = frozenset()
    """What kinds of answers there were: `2xx json`, `5xx text`, `unreachable`."""
    left_out: int = 0
    """What is not told: there are too many places, or their names are none that a policy would have."""

    @property
    def schema(self) -> tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...]:
        """What changes only when the answers take another form: places, types and words."""
        return tuple(sorted((each.path, each.types, each.words) for each in self.places))

    def place(self, steps: Steps) -> Place | None:
        """What stood where *steps* lead; any element of a list counts as its first."""
        path = path_text(steps)
        return next((each for each in self.places if each.path == path), None)


@dataclass(slots=True)
class _Survey:
    """What was found while looking."""

    places: dict[str, "_Seen"] = field(default_factory=dict)
    odd: int = 0
    """How often a place had a name that no policy would have."""

    def look(self, body: Json) -> None:
        """Take in one answer."""
        here: set[str] = set()
        for steps, value, named in _leaves(body, ()):
            path = path_text(steps)
            known = path in self.places
            if not known and (not _told(path) or len(self.places) >= _PLACES_SEEN_MAX):
                self.odd += 1
                continue
            place = self.places.setdefault(path, _Seen())
            place.answers += path not in here
            here.add(path)
            place.add(value, secret=named or looks_secret(path, value if isinstance(value, str) else ""))


@dataclass(slots=True)
class _Seen:
    answers: int = 0
    types: Counter[str] = field(default_factory=Counter)
    numbers: list[float] = field(default_factory=list)
    words: set[str] = field(default_factory=set)
    wordy: bool = False
    """Some value was no short word, or there were too many."""

    def add(self, value: Json, *, secret: bool) -> None:
        """Take in what stood there; of a *secret* only whether it is text or a number."""
        number = number_of(value) if not secret else None
        if value is None or isinstance(value, bool):
            self.types["null" if value is None else "bool"] += 1
        elif number is not None:
            self.types["number"] += 1
            self.numbers.append(number)
        elif not isinstance(value, str):
            self.types["number"] += 1
        else:
            self.types["string"] += 1
            self.wordy = self.wordy or secret or not _WORD.fullmatch(str(value)) or len(self.words) > WORDS_MAX
            if not self.wordy:
                self.words.add(str(value))


def profile_of(runs: Sequence[Run]) -> AnswerProfile:
    """The profile of the last RUNS_MAX answers in *runs*, which may come in any order of time."""
    answered = [run for run in runs if says_something(run.outcome)]
    latest = sorted(answered, key=lambda run: run.started_at)[-RUNS_MAX:]
    told = [run.outcome for run in latest]
    survey = _Survey()
    bodies = [body for outcome in told if (body := parsed(outcome)) is not ABSENT]
    for body in bodies:
        survey.look(body)
    seen = survey.places
    common = sorted(seen, key=lambda path: (-seen[path].answers, len(path), path))
    places = tuple(_place(path, seen[path], len(bodies)) for path in sorted(common[:PATHS_MAX]))
    return AnswerProfile(
        answers=len(told), places=places, classes=frozenset(map(response_class, told)),
        left_out=len(common) - len(places) + survey.odd,
    )  # fmt: skip


def response_class(outcome: Outcome) -> str:
    """What kind of answer *outcome* is: the class of its status and whether its body is JSON, or how it failed."""
    if outcome.status_code is None:
        return outcome.kind.value
    form = "json" if outcome.body_is_json else "empty" if not outcome.body else "text"
    return f"{outcome.status_code // 100}xx {form}"


def path_text(steps: Steps) -> str:
    """The path along *steps*, every index written as the first."""
    return "$" + "".join(f".{step}" if isinstance(step, str) else "[0]" for step in steps)


def _told(path: str) -> bool:
    return len(path) <= PATH_CHARACTERS_MAX and _PATH.fullmatch(path) is not None


def _leaves(value: Json, steps: Steps, *, named: bool = False) -> Iterator[tuple[Steps, Json, bool]]:
    """What stands in *value* that is no object and no list, with the way there, and whether a secret is *named* so."""
    if isinstance(value, dict):
        if len(steps) < DEPTH_MAX:
            secret = secret_members(value)
            for name in list(value)[:_MEMBERS_MAX]:
                yield from _leaves(value[name], (*steps, name), named=named or name in secret)
    elif isinstance(value, list):
        if len(steps) < DEPTH_MAX:
            for element in value[:_ELEMENTS_MAX]:
                yield from _leaves(element, (*steps, 0), named=named)
    elif steps:
        yield steps, value, named


def _place(path: str, seen: _Seen, bodies: int) -> Place:
    enumerated = seen.types["string"] and not seen.wordy and len(seen.words) <= WORDS_MAX
    return Place(
        path=path,
        types=tuple(sorted(seen.types)),
        presence=round(seen.answers / bodies, 2),
        numbers=_numbers(seen.numbers) if seen.numbers else None,
        words=tuple(sorted(seen.words)) if enumerated else (),
    )


def _numbers(found: Iterable[float]) -> Numbers:
    numbers = sorted(found)
    least, middle, most = (float(f"{number:.4g}") for number in (numbers[0], numbers[len(numbers) // 2], numbers[-1]))
    return Numbers(least=least, middle=middle, most=most)


def profile_told(profile: AnswerProfile, redaction: Redaction, known: Iterable[str]) -> AnswerProfile:
    """*profile* as a model may see it: nothing of what is redacted now, and no word that is a *known* credential.

    The answers may have been recorded before any of that was said.
    """
    secret = [pointer.split("/")[1:] for pointer in redaction.body]
    credentials = tuple(known)
    places = []
    for place in profile.places:
        steps = _STEP.findall(place.path)
        if any(_leads(pointer, steps) for pointer in secret):
            continue
        is_known = any(each in word for each in credentials for word in place.words)
        places.append(replace(place, words=()) if is_known else place)
    return replace(profile, places=tuple(places), left_out=profile.left_out + len(profile.places) - len(places))


def _leads(pointer: Sequence[str], steps: Sequence[str]) -> bool:
    """Whether what stands along *steps* is what *pointer* leads to, or in it, or may be: elements are told as one."""
    return len(pointer) <= len(steps) and all(
        part in {"*", step} or (step == "0" and part.isdigit()) for part, step in zip(pointer, steps, strict=False)
    )


def profile_document(profile: AnswerProfile) -> dict[str, Json]:
    """*profile* as a model is told it."""
    places: list[Json] = [_place_document(place) for place in profile.places]
    classes: list[Json] = [*sorted(profile.classes)]
    return {"answers": profile.answers, "kinds": classes, "places": places, "places_not_told": profile.left_out}


def _place_document(place: Place) -> dict[str, Json]:
    document: dict[str, Json] = {"path": place.path, "type": "|".join(place.types), "presence": place.presence}
    if place.numbers is not None:
        document["numbers"] = [place.numbers.least, place.numbers.middle, place.numbers.most]
    if place.words:
        document["values"] = list(place.words)
    return document
