"""Looking at an installation from the machine that holds its settings: its store, files, keys, egress and network."""

import os
import shutil
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

from cronicorn.domain.alert.targets import url_of
from cronicorn.domain.call import Call, Method, Outcome, OutcomeKind
from cronicorn.domain.diagnosis import Examined, Wellness, clock_against, ending_keys, lag, room, secrecy
from cronicorn.domain.errors import CronicornError, InvalidInputError, MasterKeyError
from cronicorn.domain.keychain.keychain import place_of_key, place_of_secret
from cronicorn.domain.keychain.ports import Vault
from cronicorn.domain.outgoing import USER_AGENT
from cronicorn.domain.ports import Dispatcher
from cronicorn.domain.provision.allowed import NOTHING_ALLOWED, Network
from cronicorn.domain.target import parse_target
from cronicorn.domain.tenant import Tenant
from cronicorn.domain.wording import length
from cronicorn.wiring.engine import OVERDUE_SLACK
from cronicorn.wiring.revisions import newest_revision
from cronicorn.wiring.settings import Settings
from cronicorn.wiring.settings_table import SETTINGS
from cronicorn.wiring.stores import Stores, open_chosen
from cronicorn.wiring.timekeeping import system_clock
from cronicorn.wiring.vault import key_file_of, open_vault
from cronicorn.wiring.worker import http_dispatcher

_SITES_MAX = 3
_JOBS_READ_MAX = 50
_KEYS_READ_MAX = 1_000
_ANSWER_WITHIN = timedelta(seconds=10)
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Site:
    """A server that is called."""

    tenant_id: str
    origin: str


async def examine_store(settings: Settings, *, network: bool, urls: Sequence[str] = ()) -> AsyncIterator[Examined]:
    """Look at all that *settings* name, one thing after the other; what can't be looked at is told as broken.

    With *network* a few servers that are called, or those of *urls*, are asked for HEAD of their first page.
    """
    for each in (*_files(settings), *_disk(settings)):
        yield each
    try:
        stores = await open_chosen(settings, system_clock(), existing=True)
    except CronicornError as error:
        yield _broken("database", error, "see that CRONICORN_DATABASE_URL is right and its server runs")
        return
    try:
        told = f"{settings.database_url}, revision {newest_revision(settings)}, can be read and written"
        await stores.health.ping()
        yield Examined(what="database", wellness=Wellness.OK, told=told)
        async for each in _inside(settings, stores):
            yield each
        if network:
            async for each in _outside(settings, stores, urls):
                yield each
        else:
            yield Examined(what="network", wellness=Wellness.UNSEEN, told="not asked, as was wished")
    except CronicornError as error:
        yield _broken("database", error, "see whether its server runs and has room")
    finally:
        await stores.aclose()


def _files(settings: Settings) -> Iterator[Examined]:
    """Who may read what holds secrets."""
    names = [name for setting in SETTINGS for name in setting.names[1:]]
    paths = [Path(given) for name in names if (given := os.environ.get(name, "").strip())]
    if settings.database_url.backend == "sqlite":
        paths.append(settings.database_url.file)
    if settings.database_url.backend != "memory":
        paths.append(key_file_of(settings.database_url))
    for path in paths:
        if os.name == "posix" and path.is_file():
            yield secrecy(str(path), path.stat().st_mode)


def _disk(settings: Settings) -> Iterator[Examined]:
    if settings.database_url.backend == "sqlite":
        file = settings.database_url.file
        folder = next((each for each in file.absolute().parents if each.is_dir()), None)
        if folder is not None:
            yield room(str(file), shutil.disk_usage(folder).free)
    else:
        yield Examined(
            what="disk", wellness=Wellness.UNSEEN, told="the disk of a database server can't be seen from here"
        )


async def _inside(settings: Settings, stores: Stores) -> AsyncIterator[Examined]:
    clock, by = system_clock(), settings.poll_interval + OVERDUE_SLACK
    asked = clock.now()
    attendance = await stores.worker_book.attendance()
    yield clock_against("the database", attendance.now, (asked, clock.now()))
    yield lag(await stores.health.overdue(by), by)
    tenants = await stores.keys.tenants()
    keys = [key for tenant in tenants for key in await stores.issued_keys.list(tenant.id, limit=_KEYS_READ_MAX)]
    living = [(key.name, key.expires_at) for key in keys if key.expires_at is not None and key.revoked_at is None]
    yield ending_keys(living, attendance.now)
    yield await _secrets(settings, stores, tenants)
    yield await _egress(settings, stores)


async def _secrets(settings: Settings, stores: Stores, tenants: Sequence[Tenant]) -> Examined:
    """Whether all that is sealed can be opened."""
    try:
        vault = await open_vault(settings)
        count = sum([await _opened(stores, vault, tenant.id) for tenant in tenants])
    except MasterKeyError as error:
        return _broken("master key", error, "bring back the key that sealed it; `cronicorn backup` does not hold it")
    told = f"it opens all {count} sealed values" if count else "nothing is sealed yet"
    return Examined(what="master key", wellness=Wellness.OK, told=told)


async def _opened(stores: Stores, vault: Vault, tenant_id: str) -> int:
    """How much the tenant has sealed, once all of it was opened. Raises MasterKeyError."""
    keychain = await stores.keychains.get(tenant_id)
    for key in keychain.signing:
        vault.open(key.sealed, place_of_key(tenant_id, key.prefix))
    for secret in keychain.secrets:
        vault.open(secret.sealed, place_of_secret(tenant_id, secret.name))
    routes = [route for route in (await stores.alertings.get(tenant_id)).routes if route.sealed is not None]
    for route in routes:
        url_of(route, tenant_id, vault)
    return len(keychain.signing) + len(keychain.secrets) + len(routes)


async def _egress(settings: Settings, stores: Stores) -> Examined:
    """What is open beyond the public internet."""
    provided = await stores.provisions.provisions()
    own = {tenant_id: each.egress for tenant_id, each in provided.items() if each.egress != NOTHING_ALLOWED}
    wide = [str(each) for each in settings.egress_allow if _is_wide(each)]
    wide += [str(each) for allowed in own.values() for each in allowed.ranges if _is_wide(each)]
    if wide:
        return Examined(
            what="egress guard", wellness=Wellness.LOOK, told=f"wide open: {', '.join(wide)}",
            advice="open single networks instead: whoever edits an endpoint can call all that is open",
        )  # fmt: skip
    told = "only the public internet is open, by the settings of this command"
    if settings.egress_allow or own:
        ranges = ", ".join(map(str, settings.egress_allow)) or "nothing"
        told = f"open to all beside the public internet: {ranges}; to {len(own)} tenants more"
    return Examined(what="egress guard", wellness=Wellness.OK, told=told)


def _is_wide(network: Network) -> bool:
    """Whether so much is open that it can hardly be meant; a /8 is a company's own."""
    return network.prefixlen < 8  # noqa: PLR2004


async def _outside(settings: Settings, stores: Stores, urls: Sequence[str]) -> AsyncIterator[Examined]:
    """Whether servers that are called can be: name, address guard, connection, TLS; and what their clocks say."""
    tenants = await stores.keys.tenants()
    sites = [_Site(tenant_id=tenants[0].id, origin=_origin(url)) for url in urls] if tenants else []
    sites = sites or await _sites(stores, tenants)
    if not sites:
        yield Examined(
            what="network", wellness=Wellness.UNSEEN, told="no endpoint names a server; --url URL looks at one"
        )
        return
    compared = False
    async with http_dispatcher(settings, stores.provisions) as dispatcher:
        for site in sites:
            asked = system_clock().now()
            outcome = await _head(dispatcher, site)
            yield _reached(site, outcome)
            date = _date(dict(outcome.headers))
            if date is not None and not compared:
                compared = True
                yield clock_against(site.origin, date, (asked, system_clock().now()), _SECOND)


async def _sites(stores: Stores, tenants: Sequence[Tenant]) -> list[_Site]:
    """The servers that most endpoints call."""
    count: Counter[_Site] = Counter()
    for tenant in tenants:
        for job, _ in (await stores.jobs.list(tenant.id))[:_JOBS_READ_MAX]:
            for endpoint, _stored in await stores.endpoints.list(tenant.id, job.id):
                if endpoint.archived_at is None:
                    count[_Site(tenant_id=tenant.id, origin=_origin(endpoint.request.url))] += 1
    found: dict[str, _Site] = {}
    for site, _ in count.most_common():
        found.setdefault(site.origin, site)
    return list(found.values())[:_SITES_MAX]


def _origin(url: str) -> str:
    """Raises InvalidInputError for what is no URL."""
    site = parse_target(url).site
    return f"{site.scheme}://{site.authority}"


async def _head(dispatcher: Dispatcher, site: _Site) -> Outcome:
    return await dispatcher.dispatch(
        Call(
            tenant_id=site.tenant_id, url=f"{site.origin}/", method=Method.HEAD, headers={"User-Agent": USER_AGENT},
            body=None, timeout=_ANSWER_WITHIN, response_bytes_max=0,
        )
    )  # fmt: skip


_ADVICE: Mapping[OutcomeKind, str] = {
    OutcomeKind.REFUSED: "open it where schedulers run, if it should be called; theirs counts, and this is by the "
    "settings of this command",
    OutcomeKind.UNRESOLVED: "see that the name servers in /etc/resolv.conf answer, and that the name is right",
    OutcomeKind.TLS_FAILED: "see that this machine trusts who signed the certificate, and that its clock is right",
}


def _reached(site: _Site, outcome: Outcome) -> Examined:
    what = f"network to {site.origin}"
    if outcome.kind is OutcomeKind.RESPONDED:
        told = f"answered {outcome.status_code} in {length(outcome.duration)}"
        return Examined(what=what, wellness=Wellness.OK, told=told)
    advice = _ADVICE.get(outcome.kind, "see that a connection can be made from this machine: firewall, proxy, server")
    return Examined(what=what, wellness=Wellness.LOOK, told=outcome.error or outcome.kind.value, advice=advice)


def _date(headers: Mapping[str, str]) -> datetime | None:
    try:
        found = parsedate_to_datetime(headers.get("date", ""))
    except ValueError:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def _broken(what: str, error: CronicornError, advice: str) -> Examined:
    return Examined(what=what, wellness=Wellness.BROKEN, told=str(error), advice=advice)


def examine_settings(error: InvalidInputError) -> Iterator[Examined]:
    """What is wrong with settings that can't be used."""
    for each in error.fields or ():
        yield Examined(
            what=f"setting {each.pointer.removeprefix('/')}", wellness=Wellness.BROKEN, told=each.message,
            advice="`cronicorn settings` shows what holds",
        )  # fmt: skip
    if not error.fields:
        yield Examined(what="settings", wellness=Wellness.BROKEN, told=str(error), advice="mend them")
