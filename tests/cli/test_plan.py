import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.command import cronicorn

SAMPLES = Path(__file__).parents[1] / "data" / "plan_next_run.jsonl"
GOOD = json.loads(SAMPLES.read_text().splitlines()[0])


def answers_to(*lines):
    ended = cronicorn("plan", stdin="\n".join(lines) + "\n")
    assert ended.code == 0, ended.err
    return [json.loads(line) for line in ended.out.splitlines()]


def changed(**fields):
    return json.dumps({**GOOD, "endpoint": {**GOOD["endpoint"], **fields}})


def test_every_sample_is_answered_exactly_and_in_order():
    lines = SAMPLES.read_text().splitlines()
    expected = [json.loads(line)["expect"] for line in lines]

    answers = answers_to(*lines)

    assert len(lines) == 210
    assert [{"next_run_at": each["next_run_at"], "source": each["source"]} for each in answers] == expected
    assert all(each["trace"] for each in answers)


def test_a_trace_says_what_won_and_why():
    [answer] = answers_to(json.dumps(GOOD))

    assert [step["step"] for step in answer["trace"]] == ["baseline-interval", "minimum", "maximum"]
    assert answer["trace"][-1]["verdict"] == "applied"
    assert answer["trace"][-1]["at"] == answer["next_run_at"]
    assert all(step["why"] for step in answer["trace"])


def test_a_bad_line_is_answered_and_the_next_one_goes_on():
    answers = answers_to("{", json.dumps(GOOD), "", json.dumps(GOOD))

    assert [sorted(answer) for answer in answers] == [
        ["error"], ["next_run_at", "source", "trace"], ["error"], ["next_run_at", "source", "trace"],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("[]", "object"),
        ("nonsense", "not JSON"),
        ("[" * 100_000, "not JSON"),
        (json.dumps({**GOOD, "now": "2025-10-07T07:30:58"}), "now"),
        (json.dumps({**GOOD, "now": 5}), "now"),
        (json.dumps({"now": GOOD["now"]}), "endpoint"),
        (json.dumps({"endpoint": GOOD["endpoint"]}), "now"),
        (json.dumps({**GOOD, "endpoint": None}), "object"),
        (json.dumps({**GOOD, "then": 1}), "then"),
        (changed(timezone="UTC"), "timezone"),
        (changed(baseline_cron="61 * * * *"), "61"),
        (changed(baseline_cron=5), "baseline_cron"),
        (changed(baseline_cron="\ud800 * * * *"), "hour"),
        (changed(failure_count=True), "failure_count"),
        (changed(min_interval_ms="5"), "min_interval_ms"),
        (changed(max_interval_ms=1.5), "max_interval_ms"),
        (changed(baseline_interval_ms=10**30), "baseline_interval_ms"),
        (changed(baseline_interval_ms=float("nan")), "baseline_interval_ms"),
        (changed(paused_until="+275760-09-13T00:00:00.000Z"), "paused_until"),
        (changed(last_run_at="0001-01-01T00:00:00+23:59"), "last_run_at"),
        ('{"now": ' + "9" * 5_000 + "}", "JSON"),
    ],
)
def test_the_error_names_what_is_wrong(line, named):
    [answer] = answers_to(line)

    assert named in answer["error"]


def test_lines_that_are_not_text_or_too_long_are_answered():
    long = b'{"now": "' + b"9" * 2_000_000 + b'"}\n'

    ended = cronicorn("plan", stdin=b"\xff\xfe\n" + long + json.dumps(GOOD).encode())

    answers = [json.loads(line) for line in ended.out.splitlines()]
    assert ["error" in answer for answer in answers] == [True, True, False]


@pytest.mark.parametrize(
    "fields",
    [
        {"baseline_interval_ms": 10**15, "failure_count": 10**9, "min_interval_ms": None, "max_interval_ms": None},
        {"baseline_interval_ms": None, "max_interval_ms": None, "min_interval_ms": 10**15},
        {"paused_until": "9999-12-31T23:59:59.999Z"},
        {"baseline_cron": "0 0 30 2 *", "max_interval_ms": None},
        {"min_interval_ms": -5, "failure_count": -1},
    ],
)
def test_extreme_values_are_planned_all_the_same(fields):
    [answer] = answers_to(changed(**fields))

    assert "source" in answer


def test_what_a_line_leaves_out_is_absent():
    [answer] = answers_to(json.dumps({"now": GOOD["now"], "endpoint": {"baseline_interval_ms": 5_000}}))

    assert answer["source"] == "baseline-interval"


def test_an_answer_comes_before_the_next_line_is_read():
    command = [sys.executable, "-m", "cronicorn", "plan"]

    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(GOOD) + "\n")
        process.stdin.flush()
        answer = json.loads(process.stdout.readline())

    assert answer["source"] == GOOD["expect"]["source"]


def test_a_reader_that_goes_away_ends_the_command_quietly(tmp_path):
    lines = tmp_path / "many.jsonl"
    lines.write_text((json.dumps(GOOD) + "\n") * 2_000)

    with (
        lines.open() as stdin,
        subprocess.Popen(
            [sys.executable, "-m", "cronicorn", "plan"], stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as process,
    ):
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        talk = process.stderr.read()

    assert b"Traceback" not in talk


def test_a_camel_case_field_is_answered_with_the_name_it_has_here():
    [answer] = answers_to(json.dumps({"now": GOOD["now"], "endpoint": {"baselineIntervalMs": 5_000, "fooBar": 1}}))

    assert answer["error"] == "Endpoint has unknown fields: baselineIntervalMs (write baseline_interval_ms), fooBar."
