"""A question with tools that only stage, and a client that asks it of a fake model."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated, Any

from pydantic import Field

from cronicorn.adapters.ai.connecting import connected
from cronicorn.domain import ConflictError
from cronicorn.scheduler import AIFatalError, AITransientError, Question, Session, Tool, tool
from tests.servers.model import FakeModel, fake_model

FINAL = ("submit_analysis", {"reasoning": "A surge, so look more often.", "confidence": "high"})
LATEST: tuple[str, dict[str, object]] = ("latest_response", {})
PROPOSAL = ("propose_interval", {"interval_s": 30, "reason": "surge"})


@dataclass(slots=True)
class Desk:
    """What the tools staged, and the model that is asked."""

    model: FakeModel
    client: Any
    staged: list[tuple[str, object]] = field(default_factory=list)
    broken: BaseException | None = None
    """What the tool `latest_response` raises."""
    response: object = field(default_factory=lambda: {"status": "degraded"})

    def tools(self) -> list[Tool]:
        @tool("The latest response of the endpoint.")
        async def latest_response():
            if self.broken is not None:
                raise self.broken
            return self.response

        @tool("Propose another interval.")
        async def propose_interval(
            *,
            interval_s: Annotated[float, Field(ge=1, le=86_400, description="Seconds between two calls.")],
            reason: Annotated[str, Field(max_length=200)],
        ):
            self.staged.append(("propose_interval", interval_s))
            return "staged"

        @tool("Remove what was proposed before.")
        async def clear_hints():
            if not self.staged:
                raise ConflictError("There are no hints.")
            self.staged.clear()
            return "staged"

        @tool("End the analysis.")
        async def submit_analysis(*, reasoning: Annotated[str, Field(min_length=1)], confidence: str = "low"):
            return "done"

        return [latest_response, propose_interval, clear_hints, submit_analysis]

    async def asks(self, **bounds: Any) -> Session:
        values = {"tokens_max": 100_000, "deadline": timedelta(seconds=20), **bounds}
        question = Question(
            system="You decide how often to look.",
            input="The endpoint looks after orders.",
            tools=self.tools(),
            final_tool="submit_analysis",
            **values,
        )
        session: Session = await self.client.plan_with_tools(question)
        return session

    async def ends(self, **bounds: Any) -> Session | AIFatalError | AITransientError:
        """The session, or the error in its place."""
        try:
            return await self.asks(**bounds)
        except (AIFatalError, AITransientError) as error:
            return error


@asynccontextmanager
async def a_desk(*script: Any, name: str = "openai:fake-1", api_key: str | None = "sk-test") -> AsyncIterator[Desk]:
    """A desk whose model answers *script*."""
    with fake_model(*script) as model:
        async with connected(name, base_url=model.url, api_key=api_key) as client:
            yield Desk(model, client)
