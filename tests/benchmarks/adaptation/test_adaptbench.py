"""The benchmark as a whole, small: three scenarios under one seed."""

import json

import pytest

from benchmarks.adaptation import adaptbench
from benchmarks.adaptation.contestants import CONTESTANTS


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    patch = pytest.MonkeyPatch()
    folder = tmp_path_factory.mktemp("results")
    patch.setattr("benchmarks.report.RESULTS", folder)
    patch.setattr(adaptbench, "RESULTS", folder)
    with patch.context():
        adaptbench.run(as_json=True, quick=True)
    patch.undo()
    document = json.loads((folder / "adaptation.json").read_text())
    return {row["policy"]: row for row in document["rows"]}


def test_every_policy_has_a_row_with_scores_and_figures(rows):
    assert list(rows) == list(CONTESTANTS)
    for row in rows.values():
        assert 0 < row["S2"] <= 100
        assert row["broken"] == 0
        assert row["calls"] > 0


def test_policies_rank_as_their_knowledge_does(rows):
    assert rows["reactive oracle"]["total"] > rows["ideal reader"]["total"] > rows["reader as prompted"]["total"]
    assert rows["reader as prompted"]["total"] > rows["fixed"]["total"] > rows["always-max"]["total"]


def test_scores_lie_where_their_arithmetic_says(rows):
    """S2 at 300 s instead of 30 s for about 5,800 of 21,600 s costs 4.2 times the least; 30 s throughout 1.9 times."""
    assert rows["fixed"]["S2"] == pytest.approx(100 / 4.2, rel=0.1)
    assert rows["always-min"]["S2"] == pytest.approx(100 / 1.88, rel=0.05)


def test_only_readers_spend_tokens(rows):
    spent = {name: row["tokens/day"] for name, row in rows.items()}

    assert spent["fixed"] == spent["AIMD"] == spent["reactive oracle"] == 0
    assert spent["ideal reader"] > spent["reader, 5 minutes"] > spent["reader as prompted"] > 0
