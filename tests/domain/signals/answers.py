"""Answers of an endpoint that is called every five minutes, and what signals make of them."""

from datetime import timedelta

from cronicorn.domain.call import Method
from cronicorn.domain.fixtures import MIDNIGHT, an_outcome
from cronicorn.domain.hint import Hint
from cronicorn.domain.json_body import ABSENT, Json
from cronicorn.domain.signals.memory import SignalMemory
from cronicorn.domain.signals.reading import Answer, Signalled, Subject, signalled

SECOND = timedelta(seconds=1)
GET = Subject(
    method=Method.GET, base=300 * SECOND, interval_min=30 * SECOND, interval_max=3_600 * SECOND, chance=lambda: 0.5
)  # fmt: skip
POST = GET._replace(method=Method.POST)
CRON = GET._replace(base=None, interval_min=None)
BLANK = SignalMemory()


def an_answer(status: int = 200, body: Json = ABSENT, failures: int | None = None, **headers: str) -> Answer:
    """A complete answer; in the names of *headers* an underscore stands for a hyphen."""
    success = 200 <= status < 300 or status == 304
    fields = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    count = failures if failures is not None else int(not success)
    return Answer(outcome=an_outcome(status, headers=fields), success=success, body=body, failures=count)


def heard(answer: Answer, subject: Subject = GET, memory: SignalMemory = BLANK) -> Signalled:
    """What signals make of *answer* at MIDNIGHT."""
    return signalled(subject, answer, memory, MIDNIGHT)


def after(answers: list[Answer], subject: Subject = GET, memory: SignalMemory = BLANK) -> Signalled:
    """What signals make of the last of *answers*, having heard the ones before."""
    *before, last = answers
    for answer in before:
        memory = heard(answer, subject, memory).memory
    return heard(last, subject, memory)


def asked(said: Signalled) -> dict[str, float]:
    """The hints by kind and key, each with its interval or its distance from MIDNIGHT, in seconds."""
    return {hint.id.removeprefix("signal:"): _seconds(hint) for hint in said.hints}


def lives(said: Signalled) -> dict[str, float]:
    """How long each hint lives, in seconds."""
    return {
        hint.id.removeprefix("signal:"): (hint.expires_at - MIDNIGHT) / SECOND for hint in said.hints
    }  # fmt: skip


def _seconds(hint: Hint) -> float:
    if hint.interval is not None:
        return hint.interval / SECOND
    assert hint.at is not None
    return (hint.at - MIDNIGHT) / SECOND
