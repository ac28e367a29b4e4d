"""A draft: a policy that a model made of a description, or that somebody proposes; how it was judged and decided on."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from hashlib import sha256

from cronicorn.domain.compilation.answer_profile import AnswerProfile
from cronicorn.domain.endpoint import JobEndpoint
from cronicorn.domain.policy.policy import Policy
from cronicorn.domain.policy.text import policy_text
from cronicorn.domain.untrusted.cleaning import cleaned

COMPILER_VERSION = 1
"""Grows whenever what a model is told, or how its draft is judged, changes so that another draft would come of it."""
DRAFTS_KEPT = 50
"""So many drafts of an endpoint are kept, the newest."""
FINDING_CHARACTERS_MAX = 1_000
"""Of a finding's message, and of its pointer; an ellipsis stands for the rest."""


class DraftStatus(StrEnum):
    """Where a draft stands."""

    DRAFT = "draft"
    """It waits for a person."""
    ACTIVE = "active"
    """It is the endpoint's policy, or was until a person wrote another; see `as_it_stands`."""
    REJECTED = "rejected"
    """A person does not want it."""
    SUPERSEDED = "superseded"
    """A later draft took its place, or an edit put another policy in it."""
    UNCHANGED = "unchanged"
    """It says what was in force already: there is nothing to decide."""
    NEEDS_ATTENTION = "needs_attention"
    """No policy came of it that could be accepted; the endpoint keeps what it had."""


class CompileReason(StrEnum):
    """Why a description was compiled, or that none was."""

    ASKED = "asked"
    """A person asked."""
    PROPOSED = "proposed"
    """None was: somebody wrote the policy, and asks for it to be put in force."""
    FIRST = "described"
    """There is a description, no policy, and nothing was compiled of it yet."""
    CHANGED = "description"
    """The description was changed."""
    COMPILER = "compiler"
    """The compiler is a newer one."""
    DRIFT = "drift"
    """A rule could not read what it asks for, several times in a row."""
    NEW_VALUE = "new_value"
    """A field had a value, more than once, that it was declared never to have."""
    NEW_KIND = "new_kind"
    """The answer is of a kind that was not seen when the policy was made."""
    FLIPS = "flips"
    """Rules come into force and go out of it too often."""
    STUCK = "stuck"
    """A rule has been in force for a day."""

    @property
    def only_suggested(self) -> bool:
        """Whether a person is told, and no model is asked."""
        return self in {CompileReason.FLIPS, CompileReason.STUCK}


class Severity(StrEnum):
    """What a finding means."""

    ERROR = "error"
    """The draft can't be accepted."""
    WARNING = "warning"
    """A person has to look."""


class FindingCheck(StrEnum):
    """Which validator found it, or what else: see How compilation is reviewed in the docs."""

    SCHEMA = "schema"
    """It is no policy."""
    FIELDS = "fields"
    LIMITS = "limits"
    ENDS = "ends"
    TESTS = "tests"
    BACKTEST = "backtest"
    MODEL = "model"
    """The model handed in nothing that could be looked at."""
    TOKENS = "tokens"
    """The budget ended the compile, or the provider billed more than was reserved."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What is said of a draft. Its texts may quote a model and are shown on terminals: each is one bounded line."""

    check: FindingCheck
    severity: Severity
    pointer: str
    """JSON Pointer into the policy; empty for the whole."""
    message: str
    """What is wrong and how to mend it, as a sentence."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "pointer", _one_line(self.pointer))
        object.__setattr__(self, "message", _one_line(self.message))


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What a draft would have made of the recorded answers."""

    recorded: int = 0
    """How many recorded runs this rests on."""
    calls_a_day_old: float | None = None
    """None when the record spans less than an hour."""
    calls_a_day_new: float | None = None
    flips_an_hour: float | None = None
    later_share: float | None = None
    """Share of the episodes that a call would have found later than it happened; None when no episode tells."""
    conclusion: str = ""
    """As a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompileUsage:
    """What a model took to make a draft."""

    model: str = ""
    tokens: int = 0
    """What was charged."""
    cached: int = 0
    rounds: int = 0
    """How often it was asked: once, and again with what was wrong."""
    excess: int = 0
    """Those of `tokens` that were not reserved: the provider billed more than it was asked for at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What came of compiling one description, or a policy that somebody proposes."""

    id: str
    tenant_id: str
    endpoint_id: str
    hash: str
    """What it was made of: see `cache_key`; of a proposed one, its policy."""
    status: DraftStatus
    policy: Policy | None
    """None when nothing came that reads as a policy."""
    description: str
    """As it was compiled, or stood when the policy was proposed."""
    replaces: str | None
    """The text of the policy that the endpoint had then."""
    reason: CompileReason
    findings: tuple[Finding, ...] = ()
    figures: Figures | None = None
    spent: CompileUsage = field(default=CompileUsage())
    classes: frozenset[str] = frozenset()
    """What kinds of answers there were."""
    compiler: int = COMPILER_VERSION
    created_at: datetime
    created_by: str
    decided_at: datetime | None = None
    decided_by: str | None = None

    def __post_init__(self) -> None:
        assert self.policy is not None or self.status in {DraftStatus.NEEDS_ATTENTION, DraftStatus.REJECTED}
        assert (self.decided_at is None) == (self.decided_by is None)

    @property
    def unsupported(self) -> tuple[str, ...]:
        """What the description asks for and no rule can say."""
        return self.policy.unsupported if self.policy is not None else ()


def brought(drafts: Sequence[Draft], policy: Policy | None) -> Draft | None:
    """The one of *drafts* that *policy*, the one in force, came of; None when there is none, or a person wrote it."""
    text = text_of(policy)
    return next((each for each in drafts if each.status is DraftStatus.ACTIVE and text_of(each.policy) == text), None)


def as_it_stands(draft: Draft, policy: Policy | None) -> Draft:
    """*draft* beside the *policy* in force: an active one that an edit put another in the place of is superseded."""
    if draft.status is not DraftStatus.ACTIVE or brought([draft], policy) is not None:
        return draft
    return replace(draft, status=DraftStatus.SUPERSEDED)


def errors_in(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Those for which a draft can't be accepted."""
    return tuple(each for each in findings if each.severity is Severity.ERROR)


def cache_key(endpoint: JobEndpoint, siblings: Sequence[str], profile: AnswerProfile, model: str) -> str:
    """What would be made of the same is the same: description, limits, siblings, form of the answers, compiler, model.

    64 hexadecimal digits (SHA-256).
    """
    limits = [str(each) for each in (endpoint.baseline.interval, endpoint.interval_min, endpoint.interval_max)]
    told = [endpoint.description, limits, sorted(siblings), profile.schema, COMPILER_VERSION, model]
    return sha256(json.dumps(told).encode()).hexdigest()


def text_of(policy: Policy | None) -> str | None:
    """The text of *policy*, by which two are compared."""
    return None if policy is None else policy_text(policy)


def _one_line(text: str) -> str:
    shown = " ".join(cleaned(text).split())
    return shown if len(shown) <= FINDING_CHARACTERS_MAX else f"{shown[: FINDING_CHARACTERS_MAX - 1]}…"
