"""Workers and their leases, as a person sees them."""

from cronicorn.domain.attendance.worker import WorkerReport
from cronicorn.domain.permission import EVERYTHING
from cronicorn.domain.principal import Principal
from tests.web.site import a_site, filled


async def test_workers_are_shown_with_what_they_hold_and_what_ran_out() -> None:
    async with a_site() as site:
        endpoint, book = await filled(site, runs=2), site.world.stores.worker_book
        alone = await site.text("/workers")
        await book.note(WorkerReport(worker_id="db-host-7", version="9.9 <b>"))
        await book.note(WorkerReport(worker_id="w1", version="9.8"))
        site.world.clock.move(minutes=2)
        await book.note(WorkerReport(worker_id="w1", version="9.8"))
        await site.world.claim()
        holding = await site.text("/workers")
        site.world.clock.move(minutes=10)
        lost = await site.text("/workers")

    assert "No worker is alive" in alone
    assert "None: no call is in progress." in alone
    assert 'class="tag is-active">alive' in holding
    assert 'class="tag is-failed">gone' in holding
    assert "9.9 &lt;b&gt;" in holding
    assert f'<a href="/endpoints/{endpoint.id}">shop &lt;b&gt;/stock</a>' in holding
    assert "db-host-7" not in holding
    assert "No worker is alive" not in holding
    assert 'class="tag is-failed">ran out' in lost
    assert "No worker is alive" in lost


async def test_leases_of_another_tenant_are_not_shown() -> None:
    async with a_site() as site:
        rival = Principal(tenant_id=list(site.world.stores.database.tenants)[1], actor="eve", permissions=EVERYTHING)
        await site.world.endpoint(rival, name="foreign")
        site.world.clock.move(minutes=2)
        await site.world.claim()
        page = await site.text("/workers")

    assert "foreign" not in page
    assert "None: no call is in progress." in page
