"""The promises of `FlowBook`, and that limits hold over it whoever asks."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from cronicorn.domain.fixtures import MIDNIGHT
from cronicorn.domain.flow.admitting import FlowAsk, admitted
from cronicorn.domain.flow.limits import FlowLimits, HeldBack
from cronicorn.domain.flow.record import BLANK, FlowKey, FlowRecord, Place, Waiting
from cronicorn.domain.instant import microseconds_of
from cronicorn.testing.clocks import VirtualClock
from cronicorn.testing.contracts.stores import MINUTE, Stores, StoresContract

ONE, OTHER = FlowKey.of_key("t1", "ünïcode 'quoted'"), FlowKey.of_host("t2", "api.test")
FULL = FlowRecord(
    starts_us=(1, 2**62), tail_us=3, again_us=4, spacing_us=10, places=(Place("c1", "ep1", 5),),
    waiting=(Waiting("t1", "ep2", 6),), slowed_us=7, slowings=8, kept_until_us=9,
)  # fmt: skip

Records = Mapping[FlowKey, FlowRecord]


async def _write(stores: Stores, records: Records) -> None:
    await stores.flow_book.change(records.keys(), lambda before, now: ({**before, **records}, None))


async def _read(stores: Stores, *keys: FlowKey) -> Records:
    return await stores.flow_book.change(keys, lambda before, now: (before, dict(before)))


async def _ask(stores: Stores, number: int, limits: FlowLimits) -> HeldBack | None:
    ask = FlowAsk(f"c{number}", "t1", f"ep{number}", returning=False, call_max=MINUTE, wants=((ONE, limits),))
    verdicts = await stores.flow_book.change([ONE], lambda records, now: admitted(records, [ask], now))
    return verdicts[ask.claim_id]


class FlowBookContract(StoresContract):
    """Subclass this with a `stores` fixture."""

    async def test_a_key_has_a_blank_record_at_first(self, stores: Stores) -> None:
        found = await _read(stores, ONE, OTHER)

        assert {key: replace(record, kept_until_us=0) for key, record in found.items()} == {ONE: BLANK, OTHER: BLANK}

    async def test_what_an_edit_makes_is_stored_under_each_key(self, stores: Stores) -> None:
        await _write(stores, {ONE: FULL, OTHER: replace(FULL, slowings=1)})

        assert await _read(stores, ONE, OTHER) == {ONE: FULL, OTHER: replace(FULL, slowings=1)}

    async def test_an_edit_is_told_the_stores_time(self, stores: Stores, clock: VirtualClock) -> None:
        clock.advance(timedelta(hours=5))

        assert await stores.flow_book.change([ONE], lambda before, now: (before, now)) == clock.now()

    async def test_an_edit_that_raises_writes_nothing(self, stores: Stores) -> None:
        await _write(stores, {ONE: FULL})

        def fail(_: Records, __: datetime) -> tuple[Records, None]:
            raise ArithmeticError

        with pytest.raises(ArithmeticError):
            await stores.flow_book.change([ONE, OTHER], fail)

        assert (await _read(stores, ONE))[ONE] == FULL

    async def test_no_change_is_lost_to_another(self, stores: Stores) -> None:
        def count(before: Records, _: datetime) -> tuple[Records, None]:
            return {key: replace(record, slowings=record.slowings + 1) for key, record in before.items()}, None

        await asyncio.gather(*(stores.flow_book.change(keys, count) for keys in ([ONE, OTHER], [OTHER, ONE]) * 20))

        assert [record.slowings for record in (await _read(stores, ONE, OTHER)).values()] == [40, 40]

    async def test_of_many_who_ask_at_once_no_more_than_the_limits_allow_may_begin(self, stores: Stores) -> None:
        by_rate = await asyncio.gather(*(_ask(stores, number, FlowLimits(rate=7)) for number in range(30)))
        await _write(stores, {ONE: BLANK})
        by_places = await asyncio.gather(*(_ask(stores, number, FlowLimits(parallelism=3)) for number in range(30)))

        assert by_rate.count(None) == 7
        assert by_places.count(None) == 3

    async def test_hosts_are_slowed_until_their_time(self, stores: Stores, clock: VirtualClock) -> None:
        until_us = microseconds_of(clock.now() + MINUTE)
        await _write(stores, {ONE: BLANK, OTHER: replace(BLANK, slowed_us=until_us)})

        before = await stores.flow_book.slowed()
        clock.advance(MINUTE)

        assert before == {OTHER: until_us}
        assert await stores.flow_book.slowed() == {}

    async def test_records_that_say_nothing_any_more_are_removed(self, stores: Stores) -> None:
        kept = replace(FULL, kept_until_us=microseconds_of(MIDNIGHT) + 1)
        await _write(stores, {ONE: FULL, OTHER: kept})

        assert await stores.flow_book.prune(MIDNIGHT, 10) == 1
        assert await stores.flow_book.prune(MIDNIGHT, 10) == 0
        assert (await _read(stores, OTHER))[OTHER] == kept
        assert (await _read(stores, ONE))[ONE].starts_us == ()
