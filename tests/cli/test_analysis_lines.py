"""An analysis as a person reads it."""

from datetime import timedelta

import pytest

from cronicorn.api.wire_analyses import session_answer, sessions_answer
from cronicorn.cli.analyses import LIMIT_MAX
from cronicorn.cli.analysis_lines import analyses_lines, analysis_lines
from cronicorn.control.analyses import SESSIONS_MAX, AnalysisList, AnalysisView
from cronicorn.domain.analysis.analysis import Analysis, AnalysisUsage, CallMade
from cronicorn.domain.analysis.watching import Occasion, Why
from cronicorn.domain.fixtures import MIDNIGHT
from cronicorn.domain.quota.decision import DenialReason, Denied


def seen(**changes) -> AnalysisView:
    analysis = Analysis(
        id="session_1", tenant_id="t1", endpoint_id="ep1", at=MIDNIGHT,
        **{"why": Why(occasion=Occasion.NOVELTY, detail="/status")} | changes,
    )  # fmt: skip
    return AnalysisView(analysis=analysis, endpoint_name="stock")


def analysis_told(view: AnalysisView) -> list[str]:
    return list(analysis_lines(session_answer(view).model_dump(mode="json", by_alias=True)))


def analyses_told(found: AnalysisList) -> list[str]:
    return list(analyses_lines(sessions_answer(found, found.views).model_dump(mode="json", by_alias=True)))


def test_an_analysis_is_told_in_lines() -> None:
    view = seen(
        model="openai:fake-1", reasoning="A surge.", confidence_percent=90, next_analysis=timedelta(hours=2),
        calls=(
            CallMade(tool="propose_interval", arguments='{"interval_s":60}', result="Staged."),
            CallMade(tool="sing", arguments="{}", result="There is no such tool.", refused=True),
        ),
        warnings=("unknown_tool",), applied=("interval 60 s",),
        spent=AnalysisUsage(input=1_100, output=20, cached=400, cost="0.0012", duration=timedelta(seconds=3)),
    )  # fmt: skip

    assert analysis_told(view) == [
        "Analysis session_1 of stock (ep1)",
        "  made 2026-01-01T00:00:00.000Z because of novelty /status",
        "  1,120 tokens (1,100 sent, 400 cached, 20 received) of openai:fake-1, 0.0012 USD, took 3.0 s; quota: granted",
        "",
        "Reasoning (90 % sure): A surge.",
        "It wants to look again from 2026-01-01T02:00:00.000Z on, once answers are unlike those of the last analysis.",
        "",
        "applied: interval 60 s",
        "warning: unknown tool",
        "",
        "It called",
        '  propose_interval {"interval_s":60}',
        "    answered: Staged.",
        "  sing {}",
        "    refused: There is no such tool.",
    ]


def test_analyses_are_listed_with_what_is_left_out_and_when_the_model_is_asked_again() -> None:
    found = AnalysisList(views=(seen(),), total=3, follow_up_at=MIDNIGHT + timedelta(hours=2))

    assert analyses_told(found) == [
        "MADE                      ANALYSIS   WHY              TOKENS  OUTCOME",
        "2026-01-01T00:00:00.000Z  session_1  novelty /status  0       nothing to change",
        "2 more",
        "again from 2026-01-01T02:00:00.000Z on, once answers are unlike those of the last analysis",
    ]


def test_the_list_says_how_each_ended() -> None:
    denied = Denied(reason=DenialReason.LIMIT, remaining=0, retry_after=timedelta(hours=3), reset_at=MIDNIGHT)
    changes = (
        {"warnings": ("missing_final_tool",)},
        {"applied": ("interval 60 s",)},
        {"error": "Away."},
        {"denied": denied},
    )
    views = tuple(seen(**each) for each in changes)

    lines = analyses_told(AnalysisList(views=views, total=4, follow_up_at=None))

    assert [line.split("  0       ")[1] for line in lines[1:]] == [
        "not ended, nothing changed", "applied: interval 60 s", "failed: Away.", "denied: limit",
    ]  # fmt: skip
    assert analyses_told(AnalysisList(views=(), total=0, follow_up_at=None)) == ["No analysis yet."]


def test_what_was_odd_is_told_in_a_sentence() -> None:
    lines = analysis_told(seen(warnings=("missing_final_tool",)))

    assert "warning: The model did not end its analysis: nothing was changed." in lines


def test_one_that_failed_says_so_and_that_nothing_changed() -> None:
    lines = analysis_told(seen(error="The model\nis away."))

    assert "  failed: The model is away." in lines
    assert "It changed nothing." in lines


def test_what_others_wrote_can_order_a_terminal_nothing_and_breaks_no_line() -> None:
    view = seen(reasoning="\x1b[2JAll\nis well.", why=Why(occasion=Occasion.NOVELTY, detail="/\x1b]0;a\x07"))

    text = "\n".join([*analyses_told(AnalysisList(views=(view,), total=1, follow_up_at=None)), *analysis_told(view)])

    assert "\x1b" not in text
    assert "\x07" not in text
    assert "Reasoning: [2JAll is well." in text.splitlines()


@pytest.mark.parametrize(
    ("reason", "end"),
    [
        (DenialReason.LIMIT, "worth asking again after 3 h, all anew at 2026-01-01T00:00:00.000Z"),
        (DenialReason.TOO_LARGE, "only a higher limit helps"),
    ],
)
def test_one_that_the_quota_denied_says_when_to_ask_again(reason, end) -> None:
    denied = Denied(reason=reason, remaining=1_200, retry_after=timedelta(hours=3), reset_at=MIDNIGHT)

    lines = analysis_told(seen(denied=denied))

    assert lines[3] == (f"  not made: the quota denied it ({reason}), with 1,200 tokens left for analyses; {end}")


def test_as_many_are_listed_as_can_be_asked_for() -> None:
    assert LIMIT_MAX == SESSIONS_MAX
