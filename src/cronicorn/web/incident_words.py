"""Incidents in words: what each kind means, and what to do about it."""

from collections.abc import Mapping
from dataclasses import dataclass

from cronicorn.domain.alert.alerting import IncidentKind


@dataclass(frozen=True, slots=True, kw_only=True)
class KindWords:
    """One kind of incidents, for people."""

    title: str
    told: str
    """What it means."""
    advice: str
    """What to do."""


KINDS: Mapping[IncidentKind, KindWords] = {
    IncidentKind.FAILING: KindWords(
        title="failing",
        told="Its runs fail.",
        advice="Look at the answers of its last runs, mend the target, and try it with Test. It is over by itself with"
        " the runs that succeed.",
    ),
    IncidentKind.LATE: KindWords(
        title="late",
        told="It is due, and nobody runs it.",
        advice="No worker is alive, or none has room: start one with “cronicorn up” or “cronicorn scheduler” on this"
        " database, or give it more slots.",
    ),
    IncidentKind.PAUSED: KindWords(
        title="paused",
        told="It failed so often that it was paused.",
        advice="Mend the target, then resume it on its page. Its failures are forgiven then.",
    ),
    IncidentKind.DRIFTED: KindWords(
        title="answers changed",
        told="Its answers no longer say what its rules read.",
        advice="Look at what its last answer says, and have its rules read that.",
    ),
    IncidentKind.FROZEN: KindWords(
        title="frozen",
        told="Its answers made its steering go to and fro: it keeps to its baseline for an hour.",
        advice="Give its rules a wider distance between where they begin and where they end, or a longer cooldown.",
    ),
    IncidentKind.TOKENS_NEAR: KindWords(
        title="tokens nearly used",
        told="Nearly all tokens of the window are used or reserved.",
        advice="Let fewer endpoints be looked at by the model, or have the limit raised by whoever runs the"
        " installation.",
    ),
    IncidentKind.TOKENS_OUT: KindWords(
        title="tokens used",
        told="All tokens of the window are used: the model is not asked until the next one. Runs go on.",
        advice="Wait for the next window, or have the limit raised by whoever runs the installation.",
    ),
    IncidentKind.RUNS_NEAR: KindWords(
        title="runs nearly used",
        told="Nearly all runs of the month are used.",
        advice="Call endpoints less often, or have the tier raised by whoever runs the installation.",
    ),
    IncidentKind.RUNS_OUT: KindWords(
        title="runs used",
        told="All runs of the month are used: what comes after them is skipped.",
        advice="Wait for the next month, or have the tier raised by whoever runs the installation.",
    ),
}
