"""Questions to a model are counted by what came of them, also where that is an error."""

import pytest
from prometheus_client.parser import text_string_to_metric_families

from cronicorn.adapters.ai.connecting import connected
from cronicorn.adapters.metrics.prometheus import Metrics
from cronicorn.domain.quota.allowance import Budget
from cronicorn.scheduler import AIFatalError, AITransientError, Question, tool
from cronicorn.wiring.observed_client import ObservedAIClient
from tests.servers.model import Answer, calls, fake_model, refuses, says


@tool("End the analysis.")
async def submit_analysis(*, reasoning: str):
    if reasoning == "bug":
        raise ZeroDivisionError
    return "done"


QUESTION = Question(
    system="You decide.", input="What?", tools=[submit_analysis], final_tool="submit_analysis", tokens_max=5_000
)


@pytest.mark.parametrize(
    ("answer", "error", "outcome", "tokens"),
    [
        (calls(("submit_analysis", {"reasoning": "Fine."})), None, "answered", 100),
        (says("I would rather talk."), None, "unfinished", 200),
        (refuses(400), AITransientError, "transient", 0),
        (refuses(401), AIFatalError, "fatal", 0),
        (calls(("submit_analysis", {"reasoning": "bug"})), ZeroDivisionError, "broken", 0),
    ],
)
async def test_a_question_is_counted_by_what_came_of_it(
    answer: Answer, error: type[Exception] | None, outcome: str, tokens: int
) -> None:
    metrics = Metrics()
    with fake_model(answer) as model:
        async with connected("openai:fake-1", base_url=model.url) as inner:
            client = ObservedAIClient(inner, metrics, Budget.ANALYSIS)
            if error is None:
                await client.plan_with_tools(QUESTION)
            else:
                with pytest.raises(error):
                    await client.plan_with_tools(QUESTION)

    families = text_string_to_metric_families((await metrics.exposition(_none_overdue)).decode())
    found = {(each.name, *each.labels.values()): each.value for family in families for each in family.samples}
    questions = {key[1]: value for key, value in found.items() if key[0] == "cronicorn_model_questions_total"}
    assert questions == {outcome: 1}
    assert found["cronicorn_model_tokens_total", "input", "analysis"] == tokens


async def _none_overdue() -> int:
    return 0
