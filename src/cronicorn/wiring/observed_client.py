"""A language model whose questions are counted."""

import time
from datetime import timedelta

from cronicorn.adapters.metrics.prometheus import Metrics
from cronicorn.domain.quota.allowance import Budget
from cronicorn.scheduler import AIClient, AIFatalError, AITransientError, Question, Session, TokenUsage


class ObservedAIClient(AIClient):
    """Asks *inner* for *purpose*, and tells *metrics* what it took and what came of it."""

    def __init__(self, inner: AIClient, metrics: Metrics, purpose: Budget) -> None:
        self._inner = inner
        self._metrics = metrics
        self._purpose = purpose

    async def plan_with_tools(self, question: Question) -> Session:
        began, outcome, usage = time.perf_counter(), "broken", TokenUsage()
        try:
            session = await self._inner.plan_with_tools(question)
            outcome, usage = "unfinished" if session.final is None else "answered", session.usage
        except (AIFatalError, AITransientError) as error:
            outcome, usage = "fatal" if isinstance(error, AIFatalError) else "transient", error.usage
            raise
        finally:
            tokens = {name: getattr(usage, name) for name in ("input", "output", "cached", "estimated")}
            took = timedelta(seconds=time.perf_counter() - began)
            self._metrics.model_asked(self._purpose, outcome, took, tokens, usage.cost)
        return session
