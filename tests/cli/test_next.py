import json
from pathlib import Path

import pytest

from cronicorn.cli.instants import read_instant, written
from cronicorn.cli.upcoming import schedule_of, upcoming
from cronicorn.domain.cron import DstGap, DstOverlap
from tests.cli.command import cronicorn, environment

SAMPLES = Path(__file__).parents[1] / "data" / "cron_next.jsonl"


def instants(*arguments):
    ended = cronicorn("next", *arguments, "--json")
    assert ended.code == 0, ended.err
    return json.loads(ended.out)["next"]


def test_every_sample_is_answered_exactly():
    samples = [json.loads(line) for line in SAMPLES.read_text().splitlines()]

    answers = [
        written(next(upcoming(schedule_of(case["expr"], "UTC", "run_after", "debian"), read_instant(case["from"]))))
        for case in samples
    ]

    assert len(samples) == 150
    assert answers == [case["next"] for case in samples]


def test_a_sample_passes_through_the_command():
    case = json.loads(SAMPLES.read_text().splitlines()[0])

    assert instants(case["expr"], "--from", case["from"], "--count", "1") == [case["next"]]


def test_json_says_what_was_asked():
    ended = cronicorn(
        "next", "0 9 * * *", "--tz", "Europe/Berlin", "--from", "2026-03-28T00:00:00Z", "--count", "2", "--json"
    )

    assert json.loads(ended.out) == {
        "expression": "0 9 * * *",
        "timezone": "Europe/Berlin",
        "from": "2026-03-28T00:00:00.000Z",
        "next": ["2026-03-28T08:00:00.000Z", "2026-03-29T07:00:00.000Z"],
    }


def test_text_shows_local_time_with_its_offset():
    ended = cronicorn("next", "0 9 * * *", "--tz", "Europe/Berlin", "--from", "2026-03-28T00:00:00Z", "--count", "2")

    assert ended.out.splitlines() == ["2026-03-28T09:00:00+01:00", "2026-03-29T09:00:00+02:00"]


def test_the_policies_for_clock_changes_are_followed():
    gap = ["30 2 29 3 *", "--tz", "Europe/Berlin", "--from", "2026-03-28T12:00:00Z", "--count", "1"]

    assert instants(*gap) == ["2026-03-29T01:00:00.000Z"]
    assert instants(*gap, "--dst-gap", "shift") == ["2026-03-29T01:30:00.000Z"]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["0 0 30 2 *"], "never"),
        (["61 * * * *"], "61"),
        (["* * * * *", "--tz", "Europe/Berlni"], "Europe/Berlin"),
        (["* * * * *", "--from", "noon"], "noon"),
        (["* * * * *", "--from", "2026-01-01T00:00:00"], "offset"),
        (["* * * * *", "--dst-gap", "jump"], "run_after"),
        (["* * * * *", "--dst-overlap", "third"], "second"),
        (["* * * * *", "--count", "0"], "count"),
    ],
)
def test_what_cannot_be_answered_is_refused_with_exit_code_2(arguments, named):
    ended = cronicorn("next", *arguments)

    assert (ended.code, ended.out) == (2, "")
    assert named in ended.err
    assert "Traceback" not in ended.err


def test_the_help_shows_what_may_be_chosen():
    out = cronicorn("next", "--help", env=environment() | {"COLUMNS": "200"}).out

    for policies in (DstGap, DstOverlap):
        assert "|".join(policies) in out
