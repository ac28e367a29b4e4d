"""How pages word values, where that is no other door's business."""

from datetime import timedelta

import pytest

from cronicorn.domain.fixtures import MIDNIGHT
from cronicorn.domain.plan import Source
from cronicorn.web.words import coded, decided, due
from tests.web.site import a_site
from tests.web.test_overview import failing_on


@pytest.mark.parametrize(
    ("seconds", "told"), [(90, "in 1 min 30 s"), (0, "now"), (-4, "now"), (-5, "5 s late"), (-3600, "1 h late")]
)
def test_a_planned_instant_that_has_just_come_is_now_and_never_something_of_the_past(seconds: int, told: str) -> None:
    assert f">{told}</time>" in due(MIDNIGHT + timedelta(seconds=seconds), MIDNIGHT)


def test_sources_that_are_named_after_a_model_are_told_as_the_hints_that_they_are() -> None:
    told = {source: decided(source) for source in Source}

    assert not [word for word in told.values() if word.startswith("ai-")]
    assert (told[Source.AI_INTERVAL], told[Source.RETRY]) == ("interval hint", "retry")


def test_what_stands_between_backticks_is_code_and_all_of_it_is_escaped() -> None:
    assert coded("`<b>` makes & `x`") == "<code>&lt;b&gt;</code> makes &amp; <code>x</code>"
    assert coded("<i>") == "&lt;i&gt;"


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"adapt": "off"}, "backs off"),
        ({"baselineCron": "0 * * * *"}, "its schedule stays"),
        ({"minIntervalMs": 10_000}, "a hint counts, not backoff"),
    ],
)
async def test_a_failing_endpoint_is_said_to_back_off_only_where_that_is_what_decides(
    fields: dict[str, object], told: str
) -> None:
    async with a_site() as site:
        endpoint = await site.world.endpoint(site.owner, **fields)
        await failing_on(site, 1)
        page = await site.text(f"/endpoints/{endpoint.id}")

    assert f"<small>{told}</small>" in page
