"""An analysis as it is stored."""

from dataclasses import replace

import pytest

from cronicorn.domain.analysis.analysis import Analysis, AnalysisUsage, analysis_of
from cronicorn.domain.analysis.watching import Occasion, Why
from cronicorn.domain.fixtures import MIDNIGHT
from cronicorn.domain.instant import MINUTE, shifted
from cronicorn.domain.quota.decision import DenialReason, Denied

DENIED = Denied(reason=DenialReason.BUDGET, remaining=12, retry_after=MINUTE, reset_at=shifted(MIDNIGHT, MINUTE))


def stored(denied: Denied | None) -> Analysis:
    why = Why(occasion=Occasion.REQUEST, detail="alice")
    return Analysis(id="session_1", tenant_id="t1", endpoint_id="ep1", at=MIDNIGHT, why=why, denied=denied)


@pytest.mark.parametrize("denied", [DENIED, None])
def test_what_the_quota_said_is_kept_as_data(denied) -> None:
    analysis = stored(denied)

    assert analysis_of("t1", "ep1", "session_1", analysis.document()) == analysis


@pytest.mark.parametrize("told", ["granted", "denied: limit"])
def test_what_was_stored_when_only_the_reason_was_kept_is_read(told) -> None:
    document = {**stored(None).document(), "quota": told}

    assert analysis_of("t1", "ep1", "session_1", document).quota == told


def test_what_was_stored_without_what_was_charged_was_charged_what_it_took() -> None:
    spent = AnalysisUsage(input=100, output=20, cached=50, estimated=3, charged=8_000)
    document = replace(stored(None), spent=spent).document()
    assert analysis_of("t1", "ep1", "session_1", document).spent == spent

    document["tokens"] = [100, 20, 50, 3]

    assert analysis_of("t1", "ep1", "session_1", document).spent == replace(spent, charged=123)
