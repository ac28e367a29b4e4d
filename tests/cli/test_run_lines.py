from dataclasses import replace
from datetime import timedelta

from rich.console import Console

from cronicorn.api.wire_run import runs_answer
from cronicorn.cli.run_lines import TextRunLines
from cronicorn.cli.watched_runs import NamedRun
from cronicorn.domain.call import OutcomeKind
from cronicorn.domain.fixtures import an_outcome
from cronicorn.domain.run import RunStatus
from tests.control.world import a_world


async def a_finished_run(**outcome):
    world = a_world()
    await world.endpoint()
    world.clock.move(minutes=1)
    return await world.run_due(an_outcome()._replace(**outcome))


def shown(*looks):
    console = Console(width=10_000, highlight=False)
    with console.capture() as capture:
        lines = TextRunLines(console)
        for runs in looks:
            listed = runs_answer(runs, None, total=len(runs)).model_dump(mode="json", by_alias=True)["runs"]
            lines.show([NamedRun("shop/stock", run) for run in listed])
    return capture.get().splitlines()


async def test_headings_come_once_with_the_first_run():
    run = await a_finished_run()

    heads, *rows = shown([], [run], [run])

    assert heads.split() == ["STARTED", "ENDPOINT", "STATUS", "CODE", "TOOK", "LATE", "SOURCE"]
    assert len(rows) == 2


async def test_the_columns_stand_under_their_headings():
    run = await a_finished_run(duration=timedelta(seconds=7))

    heads, row = shown([replace(run, due_at=run.started_at - timedelta(milliseconds=45))])

    assert row[heads.index("CODE") :].split() == ["200", "7.0", "s", "45", "ms", "baseline-interval"]
    assert row[heads.index("STATUS") :].startswith("success ")


async def test_a_failed_run_says_what_went_wrong_and_which_attempt_it_was():
    run = await a_finished_run(kind=OutcomeKind.TIMED_OUT, status_code=None, error="No answer within 30 s.")

    _, row = shown([replace(run, attempt=2)])
    _, first = shown([run])

    assert run.status is RunStatus.FAILED
    assert row.endswith("baseline-interval  attempt 2  timed_out: No answer within 30 s.")
    assert "attempt" not in first


async def test_no_runs_make_no_lines():
    assert shown([]) == []
