"""Who asks stays with us."""

from cronicorn.testing.contracts.stores import TENANT
from tests.safety.analyst import an_analyst, submits


async def test_who_asked_for_an_analysis_is_not_told_to_the_model() -> None:
    async with an_analyst(submits()) as analyst:
        await analyst.watch()
        await analyst.answer({"status": "ok"})
        await analyst.watches.request(TENANT, "ep1", "let-m")
        await analyst.planner().look_once()

        assert len(analyst.model.asked) == 1
        assert "let-m" not in analyst.seen
        (analysis,) = await analyst.analyses()
        assert analysis.why.detail == "let-m"
