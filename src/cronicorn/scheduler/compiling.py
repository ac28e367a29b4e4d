"""Compiling a description: a model is asked for one draft, and again, twice at most, with what is wrong with it."""

import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

from cronicorn.domain.compilation.draft import CompileUsage, Figures, Finding, FindingCheck, Severity, errors_in
from cronicorn.domain.compilation.judging import read_draft
from cronicorn.domain.errors import CronicornError, QuotaExceededError
from cronicorn.domain.policy.policy import Policy
from cronicorn.domain.quota.allowance import Budget
from cronicorn.domain.quota.bounds import CALL_TOKENS_MAX
from cronicorn.domain.quota.ports import Quota
from cronicorn.domain.token_guess import guessed_tokens
from cronicorn.scheduler.ai import (
    AIClient,
    AIFatalError,
    AITransientError,
    Question,
    Session,
    SessionWarning,
    TokenUsage,
    frame_tokens,
)
from cronicorn.scheduler.asking import Account, asked_within
from cronicorn.scheduler.brief import SYSTEM, Brief, Refused, told
from cronicorn.scheduler.draft_arguments import document_of, write_policy

log = logging.getLogger(__name__)

ROUNDS_MAX = 3
"""The first draft, and two repairs."""
ANSWER_TOKENS_MAX = 3_000
"""Of one draft: several rules with their tests, and some room to think for models that do."""
ANSWER_TOKENS_MIN = 1_000
"""A round that could not have so many is not begun: a draft of two rules with their tests takes about half of it."""
DEADLINE = timedelta(seconds=60)
_BUG = "A bug of the scheduler kept the draft from being judged; its log says more under `draft_not_judged`."
NO_TOOL_USED = (
    "The model did not use the tool that it was given, in any round: name one that supports tool calls "
    "(CRONICORN_AI_MODEL)."
)
"""For the person: what a round lacks is told to the model."""
_MAY_BE_MENDED = {
    SessionWarning.REQUESTS_MAX,
    SessionWarning.OUTPUT_TRUNCATED,
    SessionWarning.TOOL_CALLS_MAX,
    SessionWarning.GRANT_EXCEEDED,
}
"""Of an answer without a policy. A round is one request, so each that hands in none meets a bound."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyJudgement:
    """What validators say of a policy."""

    findings: tuple[Finding, ...] = ()
    figures: Figures | None = None


Judge = Callable[[Policy], Awaitable[PolicyJudgement]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """What came of compiling."""

    policy: Policy | None
    """The last one that a model wrote and that reads as one."""
    judgement: PolicyJudgement
    spent: CompileUsage = field(default=CompileUsage())
    error: AITransientError | AIFatalError | None = None
    """Why the model answered no more, after tokens were spent: for whoever asked, once what they bought is kept."""

    @property
    def accepted(self) -> bool:
        """Whether no validator refuses it."""
        return self.policy is not None and not errors_in(self.judgement.findings)


class _NoRoomError(QuotaExceededError):
    """What a round has to say takes all that one may cost."""

    def __init__(self, refused: Refused | None) -> None:
        told, advice = "The description and the profile of the answers", "shorten the description"
        if refused is not None:
            told, advice = "The draft and what is wrong with it", "compile again, or ask for less in the description"
        message = f"{told} are so long that a call of {CALL_TOKENS_MAX:,} tokens has no room for an answer: {advice}."
        super().__init__(message)


class Compiler:
    """Asks a model for policies, inside the tenant's budget."""

    def __init__(self, client: AIClient, quota: Quota, model: str) -> None:
        self._client = client
        self._quota = quota
        self.model = model
        """Its name, for the record."""

    async def compile(self, brief: Brief, judge: Judge, key: str) -> Compiled:
        """Ask until *judge* refuses nothing, or ROUNDS_MAX times. *key* names this compile in the tenant's books.

        Raises QuotaExceededError when the budget does not cover the first round, AITransientError and AIFatalError
        when no token was spent before: afterwards they are the `error` of what is answered.
        """
        result = Compiled(policy=None, judgement=PolicyJudgement(), spent=CompileUsage(model=self.model))
        refused: Refused | None = None
        used_tool = False
        for number in range(1, ROUNDS_MAX + 1):
            try:
                session = await self._ask(brief, refused, f"{key}:{number}")
            except QuotaExceededError as error:
                if number == 1 and not isinstance(error, _NoRoomError):
                    raise
                return _with(result, _stopped(FindingCheck.TOKENS, str(error)))
            except (AITransientError, AIFatalError) as error:
                result = _with(_failed(result, error), _stopped(FindingCheck.MODEL, str(error)))
                if result.spent.tokens == 0:
                    raise
                return result
            result = replace(result, spent=_after(result.spent, session.usage))
            used_tool = used_tool or _tried_tool(session)
            if session.final is None:
                refused = _unread(session)
                result = replace(result, judgement=PolicyJudgement(findings=refused.findings))
                if not set(session.warnings) <= _MAY_BE_MENDED:
                    break
                continue
            try:
                policy, judgement = await _read(session.final, brief, judge)
            except AITransientError as error:
                return _with(replace(result, error=error), _stopped(FindingCheck.MODEL, str(error)))
            result = replace(result, policy=policy or result.policy, judgement=judgement)
            if result.accepted and policy is not None:
                break
            refused = Refused(arguments=session.final, findings=errors_in(judgement.findings))
        return result if used_tool else _with(result, _stopped(FindingCheck.MODEL, NO_TOOL_USED))

    async def _ask(self, brief: Brief, refused: Refused | None, key: str) -> Session:
        """One round: one request. What it may cost is what is sent, by a guess that is rather high, and an answer.

        The answer may take what the budget has left, within its bounds.
        """
        tenant_id, tools, text = brief.endpoint.tenant_id, [write_policy], told(brief, refused)
        sent = frame_tokens(SYSTEM, tools) + guessed_tokens(text)
        if sent >= CALL_TOKENS_MAX:
            raise _NoRoomError(refused)
        left = (await self._quota.remaining(tenant_id)).remaining - sent
        answer = min(max(left, _least_answer(refused)), ANSWER_TOKENS_MAX, CALL_TOKENS_MAX - sent)
        question = Question(
            system=SYSTEM, input=text, tools=tools, final_tool=write_policy.name,
            tokens_max=min(sent + answer, CALL_TOKENS_MAX), answer_tokens_max=answer, requests_max=1, tool_calls_max=0,
            deadline=DEADLINE,
        )  # fmt: skip
        account = Account(tenant_id=tenant_id, budget=Budget.COMPILE, key=key)
        return await asked_within(self._quota, account, self._client, question)


async def _read(written: Mapping[str, object], brief: Brief, judge: Judge) -> tuple[Policy | None, PolicyJudgement]:
    """The policy that a model wrote, and what *judge* says of it; None and why where it is no policy.

    A bug met there rises as AITransientError: what was paid for is kept as a failed draft, and counts as one.
    """
    try:
        policy, problems = read_draft(document_of(written, brief.description))
        return policy, await judge(policy) if policy is not None else PolicyJudgement(findings=problems)
    except CronicornError:
        raise
    except Exception as error:
        log.exception("draft_not_judged", extra={"endpoint": brief.endpoint.id})
        raise AITransientError(_BUG) from error


def _least_answer(refused: Refused | None) -> int:
    """What an answer needs: what mends a draft is about as long as that."""
    before = guessed_tokens(json.dumps(dict(refused.arguments))) if refused is not None else 0
    return min(max(ANSWER_TOKENS_MIN, before), ANSWER_TOKENS_MAX)


def _after(spent: CompileUsage, usage: TokenUsage) -> CompileUsage:
    return replace(
        spent,
        tokens=spent.tokens + usage.charged,
        cached=spent.cached + usage.cached,
        rounds=spent.rounds + 1,
        excess=spent.excess + usage.excess,
    )


def _failed(result: Compiled, error: AITransientError | AIFatalError) -> Compiled:
    spent = _after(result.spent, error.usage) if error.usage.requests else result.spent
    return replace(result, spent=spent, error=error)


def _with(result: Compiled, finding: Finding) -> Compiled:
    return replace(result, judgement=replace(result.judgement, findings=(*result.judgement.findings, finding)))


def _stopped(check: FindingCheck, message: str) -> Finding:
    return Finding(check=check, severity=Severity.ERROR, pointer="", message=message)


def _tried_tool(session: Session) -> bool:
    """Whether the model called the tool, or may have been about to when its answer was cut off."""
    called = any(each.tool == write_policy.name for each in session.calls)
    return called or SessionWarning.OUTPUT_TRUNCATED in session.warnings


def _unread(session: Session) -> Refused:
    """What came where no policy did, and why it is none."""
    written = next((each for each in session.calls if each.tool == write_policy.name), None)
    check = FindingCheck.MODEL
    if SessionWarning.OUTPUT_TRUNCATED in session.warnings:
        message = "The answer was cut off before its end: say the same in fewer and shorter parts."
    elif written is not None and written.refusal is not None:
        check, message = FindingCheck.SCHEMA, written.refusal
    elif set(session.warnings) <= _MAY_BE_MENDED:
        message = f"The answer was no call of {write_policy.name}, and nothing else is read: hand the policy in by one."
    else:
        warnings = ", ".join(warning.value for warning in session.warnings)
        message = f"The model could not hand in a policy ({warnings}): shorten the description, or name another model."
    arguments = written.arguments if written is not None else {}
    return Refused(arguments=arguments, findings=(_stopped(check, message),))
