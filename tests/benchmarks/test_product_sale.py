"""A small flash sale in the whole product: what the model is paid, and that no run waits for it."""

import asyncio

import pytest

from benchmarks.product_sale import ANALYSES_LIMIT, BOUND, LIMIT, LOUD, QUIET, QUIET_ASKED, ProductSale, holding, now
from cronicorn.domain.quota.decision import Mode
from tests.waiting import eventually_async

SALE = ProductSale(processes=2, endpoints=200, quiet=20, described=6, interval_s=5, model_s=0.2)


@pytest.mark.parametrize("mode", [Mode.RESERVE, Mode.SOFT])
async def test_a_sale_is_paid_within_what_the_mode_promises_and_no_run_waits_for_the_model(
    mode, fresh_postgres_url, tmp_path
):
    async with holding(SALE, mode, fresh_postgres_url, tmp_path) as running:
        model = running.model
        model.gate.clear()
        began_at = await running.begin()
        compiling = asyncio.gather(*(running.compiled(number) for number in range(SALE.described)))
        await eventually_async(lambda: model.asked, within_s=60)
        await running.all_called(since=now())
        answered_by_then, (_, reserved) = sum(model.analyses.values()), await running.standing(LOUD)
        model.gate.set()
        await compiling
        await running.analysed()
        await running.at_rest()
        ended_at = now()
        await running.all_called(since=ended_at)
        loud, quiet = [await running.runs(tenant, began_at, ended_at) for tenant in (LOUD, QUIET)]
        books = {tenant: await running.standing(tenant) for tenant in (LOUD, QUIET)}

    spent = model.tokens[LOUD]
    assert answered_by_then == 0, "while the model answers nobody, every endpoint is called"
    assert (loud.not_called, quiet.not_called) == (0, 0)
    assert books == {tenant: (model.tokens[tenant], 0) for tenant in (LOUD, QUIET)}
    assert spent <= LIMIT + (BOUND.overrun_max if mode is Mode.SOFT else 0)
    assert 0 < reserved <= (BOUND.room if mode is Mode.SOFT else LIMIT), "so much is in progress in all processes"
    assert spent > ANALYSES_LIMIT
    assert model.compiles > 0
    assert model.analyses[QUIET] == QUIET_ASKED
