from datetime import timedelta

from prometheus_client.parser import text_string_to_metric_families

from cronicorn.adapters.memory.stores import MemoryStores
from cronicorn.adapters.metrics.catalog import METRICS
from cronicorn.adapters.metrics.observed_job_store import ObservedJobStore
from cronicorn.adapters.metrics.prometheus import Metrics
from cronicorn.domain.editing import started
from cronicorn.domain.endpoint import Baseline
from cronicorn.domain.errors import UnavailableError
from cronicorn.domain.fixtures import a_job, an_endpoint
from cronicorn.scheduler import Scheduler, SchedulerSettings
from cronicorn.sim.virtual_time import START, run_virtually
from cronicorn.testing.dispatchers import Reply, ScriptedDispatcher
from cronicorn.wiring.timekeeping import cron


def samples_of(text):
    families = text_string_to_metric_families(text.decode())
    return {(each.name, *sorted(each.labels.values())): each.value for family in families for each in family.samples}


async def none_overdue():
    return 0


async def _run_for(clock, length, script):
    import asyncio

    stores, metrics = MemoryStores.open(clock), Metrics()
    await stores.jobs.add(a_job())
    endpoint = an_endpoint(baseline=Baseline(interval=timedelta(seconds=1), anchor_at=START))
    await stores.endpoints.add(endpoint, lambda job, new, now: started(new, now, cron()))
    settings = SchedulerSettings(worker_id="w1", calls_max=7)
    store = ObservedJobStore(stores.job_store, metrics, clock)
    scheduler = Scheduler(store, ScriptedDispatcher(script), clock, cron(), settings)
    metrics.watch_calls(lambda: scheduler.calls_in_progress, settings.calls_max)
    working = asyncio.create_task(scheduler.run(threaded_heartbeat=False))
    await asyncio.sleep(length)
    scheduler.stop()
    await working
    return samples_of(await metrics.exposition(lambda: stores.health.overdue(timedelta(seconds=5))))


def measured(length=10.5, script=lambda call, number: Reply()):
    return run_virtually(lambda clock: _run_for(clock, length, script))


def test_every_metric_in_the_table_is_exposed_and_no_other():
    found = run_virtually(lambda clock: Metrics().exposition(none_overdue))

    families = {family.name: family.type for family in text_string_to_metric_families(found.decode())}

    assert families == {metric.name.removesuffix("_total"): metric.kind for metric in METRICS}


def test_runs_are_counted_by_how_they_ended():
    found = measured(script=lambda call, number: Reply(status_code=500 if number == 0 else 200))

    assert found["cronicorn_runs_total", "failed"] == 1
    assert found["cronicorn_runs_total", "success"] >= 7
    assert found["cronicorn_outcomes_total", "responded"] == found["cronicorn_run_duration_seconds_count",]
    assert found["cronicorn_plans_total", "baseline-interval"] == found["cronicorn_start_delay_seconds_count",]
    assert found.get(("cronicorn_leases_lost_total", "lease"), 0) == 0


def test_skipped_instants_are_counted_one_by_one():
    found = measured(script=lambda call, number: Reply(latency=timedelta(seconds=3.5)))

    assert found["cronicorn_slots_skipped_total", "skipped_overlap"] >= 4


def test_nothing_is_overdue_in_health_and_the_store_is_timed():
    found = measured()

    assert found["cronicorn_overdue_slots",] == 0
    assert found["cronicorn_store_seconds_count", "lease", "settle"] == found["cronicorn_start_delay_seconds_count",]
    assert found["cronicorn_store_seconds_count", "claim_due", "lease"] > 0
    assert (found["cronicorn_calls_max",], found["cronicorn_calls_in_progress",]) == (7, 0)


def test_a_store_that_is_away_makes_the_overdue_slots_unknown():
    async def away():
        raise UnavailableError("gone")

    found = samples_of(run_virtually(lambda clock: Metrics().exposition(away)))

    assert found["cronicorn_overdue_slots",] != found["cronicorn_overdue_slots",]
    assert found["cronicorn_store_errors_total", "", "overdue"] == 1
