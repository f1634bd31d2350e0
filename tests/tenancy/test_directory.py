"""The directory finds tenants by host, makes their URLs, and learns of every change."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
import pytest

from guichet.db import Database
from guichet.settings import Settings
from guichet.tenancy import Directory, Registry
from tenants.tenant import Tenant
from tenants.vault import Vault
from tests.cutting_proxy import proxy_before
from tests.databases import DatabaseUrls
from tests.merchants import add_merchant, master_key, settings_for
from tests.tenancy.waiting import until, until_awaited


@pytest.fixture
async def owner(database_urls: DatabaseUrls) -> AsyncIterator["asyncpg.Connection[Any]"]:
    connection = await asyncpg.connect(database_urls.owner)
    yield connection
    await connection.close()


async def test_a_tenant_is_found_by_the_host_of_its_slug(
    directory: Directory, lumen: Tenant
) -> None:
    entry = directory.find("lumen.localhost")
    assert entry is not None
    assert (entry.id, entry.slug, entry.name) == (lumen.id, "lumen", "Lumen")
    assert entry is directory.by_slug("lumen")
    assert entry is directory.by_id(UUID(str(lumen.id)))


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        ".localhost",
        "volta.localhost",
        "a.lumen.localhost",
        "lumen.localhost.example",
        "lumen",
        "lumenlocalhost",
        "console.localhost",
        "",
    ],
)
async def test_no_other_host_leads_to_it(directory: Directory, host: str) -> None:
    assert directory.find(host) is None


async def test_urls_carry_the_scheme_and_the_port_of_the_base_domain(
    directory: Directory,
) -> None:
    entry = directory.find("lumen.localhost")
    assert entry is not None
    assert directory.url(entry) == "http://lumen.localhost:8000/"
    assert directory.url(entry, "/invoices?a=b") == "http://lumen.localhost:8000/invoices?a=b"
    assert directory.url(entry, "") == "http://lumen.localhost:8000"
    assert directory.console_url() == "http://console.localhost:8000/"
    assert directory.api_url("/v1") == "http://api.localhost:8000/v1"
    assert directory.base_url() == "http://localhost:8000/"


async def test_urls_are_https_outside_of_this_machine(
    database_urls: DatabaseUrls, db: Database, lumen: Tenant
) -> None:
    async with Directory(settings_for(database_urls, "guichet.example"), db) as directory:
        entry = directory.find("lumen.guichet.example")
        assert entry is not None
        assert directory.url(entry, "/x") == "https://lumen.guichet.example/x"


@pytest.mark.parametrize("path", ["x", "@evil.example/", ".evil.example", ":1/"])
async def test_a_path_cannot_move_the_end_of_the_host(directory: Directory, path: str) -> None:
    entry = directory.find("lumen.localhost")
    assert entry is not None
    with pytest.raises(ValueError, match="slash"):
        directory.url(entry, path)


async def test_a_custom_domain_is_served_from_when_it_is_verified_until_it_is_removed(
    directory: Directory, registry: Registry
) -> None:
    await registry.add_host("lumen", "pay.lumen.example")
    await add_merchant(registry, "volta")
    await until(lambda: directory.by_slug("volta"))
    assert directory.find("pay.lumen.example") is None
    await registry.verify_host("lumen", "pay.lumen.example")
    await until(lambda: directory.find("pay.lumen.example"))
    entry = directory.find("lumen.localhost")
    assert entry is not None
    assert entry is directory.find("pay.lumen.example")
    assert directory.url(entry) == "http://pay.lumen.example:8000/"
    await registry.remove_host("lumen", "pay.lumen.example")
    await until(lambda: directory.find("pay.lumen.example") is None)
    assert directory.find("lumen.localhost") is not None


async def test_a_domain_that_changes_hands_leads_to_its_new_tenant(
    directory: Directory, registry: Registry
) -> None:
    volta = await add_merchant(registry, "volta")
    for slug in ("lumen", "volta"):
        await registry.add_host(slug, "pay.example")
        await registry.verify_host(slug, "pay.example")
        await until(lambda: directory.find("pay.example"))
        if slug == "lumen":
            await registry.remove_host("lumen", "pay.example")
    await until(lambda: (it := directory.find("pay.example")) and it.id == volta.id)


async def test_the_first_verified_domain_makes_the_addresses(
    directory: Directory, registry: Registry
) -> None:
    for domain in ("z.example", "a.example"):
        await registry.add_host("lumen", domain)
        await registry.verify_host("lumen", domain)
    await until(lambda: directory.find("a.example"))
    entry = directory.find("a.example")
    assert entry is not None
    assert directory.host(entry) == "z.example"


async def test_a_suspended_tenant_is_found_with_its_status(
    directory: Directory, registry: Registry
) -> None:
    await registry.set_status("lumen", "suspended")
    await until(lambda: (it := directory.find("lumen.localhost")) and it.status == "suspended")
    await registry.set_status("lumen", "active")
    await until(lambda: (it := directory.find("lumen.localhost")) and it.status == "active")


async def test_each_change_is_told_to_those_who_remember_something_of_the_tenant(
    directory: Directory, registry: Registry, lumen: Tenant
) -> None:
    told: list[UUID] = []
    directory.on_change(told.append)
    await registry.set_secret(Vault([master_key()]), "lumen", "stripe_secret_key", "sk_test_1")
    await until(lambda: told == [lumen.id])


async def test_rotating_master_keys_is_no_change_of_a_tenant(
    directory: Directory, registry: Registry, lumen: Tenant
) -> None:
    old, new = master_key(), master_key()
    before = directory.by_slug("lumen")
    await registry.set_secret(Vault([old]), "lumen", "stripe_secret_key", "sk_test_1")
    await until(lambda: directory.by_slug("lumen") is not before)
    told: list[UUID] = []
    directory.on_change(told.append)
    assert await registry.rotate(Vault([new, old]), lumen.id) == 1
    volta = await add_merchant(registry, "volta")
    await until(lambda: directory.by_slug("volta"))
    assert told == [volta.id]


async def test_a_callback_that_fails_does_not_stop_the_directory(
    directory: Directory, registry: Registry
) -> None:
    told: list[UUID] = []

    def fail(_: UUID) -> None:
        raise RuntimeError("a fault of the one who asked to be told")

    directory.on_change(fail)
    directory.on_change(told.append)
    await registry.set_status("lumen", "suspended")
    await until(lambda: told)
    await registry.set_status("lumen", "active")
    await until(lambda: len(told) == 2)


async def test_a_change_that_was_never_notified_is_found(
    directory: Directory, registry: Registry, owner: "asyncpg.Connection[Any]"
) -> None:
    await owner.execute("alter table tenants disable trigger tenants_announce")
    await add_merchant(registry, "volta")
    await registry.set_status("lumen", "suspended")
    await until(lambda: directory.find("volta.localhost"))
    await until(lambda: (it := directory.find("lumen.localhost")) and it.status == "suspended")


_LISTENERS = """
    select pg_terminate_backend(pid)
    from pg_stat_activity
    where datname = current_database()
    and usename = 'guichet_web'
    and application_name = 'guichet directory'
"""


async def test_a_change_made_while_the_listener_was_cut_is_found(
    directory: Directory, registry: Registry, postgres_superuser: "asyncpg.Connection[Any]"
) -> None:
    assert len(await postgres_superuser.fetch(_LISTENERS)) == 1
    await add_merchant(registry, "volta")
    await until(lambda: directory.by_slug("volta"))
    assert len(await postgres_superuser.fetch(_LISTENERS)) == 1
    await add_merchant(registry, "marmite")
    await until(lambda: directory.by_slug("marmite"))
    assert directory.connected


async def test_the_directory_serves_what_it_has_while_the_database_is_away(
    database_urls: DatabaseUrls, db: Database, registry: Registry, lumen: Tenant
) -> None:
    async with proxy_before(database_urls.web) as (proxy, url):
        settings = msgspec.structs.replace(settings_for(database_urls), database_url=url)
        async with Directory(settings, db) as directory:
            proxy.refuse()
            await until(lambda: not directory.connected)
            await add_merchant(registry, "volta")
            await asyncio.sleep(0.6)
            assert not directory.connected
            assert directory.find("lumen.localhost") is not None
            assert directory.find("volta.localhost") is None
            await proxy.listen()
            await until(lambda: directory.find("volta.localhost"))
            assert directory.connected


async def test_a_database_that_swallows_everything_is_given_up_and_found_again(
    database_urls: DatabaseUrls, db: Database, registry: Registry, lumen: Tenant
) -> None:
    async with proxy_before(database_urls.web) as (proxy, url):
        settings = msgspec.structs.replace(settings_for(database_urls), database_url=url)
        async with Directory(settings, db) as directory:
            proxy.swallow()
            await until(lambda: not directory.connected)
            assert directory.find("lumen.localhost") is not None
            proxy.flow()
            await add_merchant(registry, "volta")
            await until(lambda: directory.find("volta.localhost"))


async def test_a_tenant_that_is_gone_after_a_restore_is_gone_from_the_directory(
    directory: Directory,
    registry: Registry,
    owner: "asyncpg.Connection[Any]",
    postgres_superuser: "asyncpg.Connection[Any]",
) -> None:
    await add_merchant(registry, "volta")
    await until(lambda: directory.by_slug("volta"))
    # As a restored database has it: rows and numbers are those of an earlier day.
    await postgres_superuser.execute(
        """
        delete from audit_log where tenant_id = (select id from tenants where slug = 'volta')
        """
    )
    await postgres_superuser.execute("delete from tenants where slug = 'volta'")
    await owner.execute("select setval('directory_changes', 1)")
    await postgres_superuser.fetch(_LISTENERS)
    await until(lambda: directory.by_slug("volta") is None)
    await registry.set_status("lumen", "suspended")
    await until(lambda: (it := directory.by_slug("lumen")) and it.status == "suspended")


async def test_a_directory_cannot_start_without_its_database(
    database_urls: DatabaseUrls, db: Database
) -> None:
    settings = msgspec.structs.replace(
        settings_for(database_urls), database_url="postgresql://guichet_web@127.0.0.1:1/guichet"
    )
    with pytest.raises(ConnectionRefusedError):
        async with Directory(settings, db):
            pass


async def test_a_directory_that_is_closed_leaves_no_connection(
    database_urls: DatabaseUrls,
    db: Database,
    lumen: Tenant,
    owner: "asyncpg.Connection[Any]",
) -> None:
    async with Directory(settings_for(database_urls), db):
        pass

    async def is_gone() -> bool:
        listeners = await owner.fetchval(
            """
            select count(1)
            from pg_stat_activity
            where datname = current_database()
            and application_name = 'guichet directory'
            """
        )
        return bool(listeners == 0)

    await until_awaited(is_gone)


async def test_many_changes_at_once_all_arrive(directory: Directory, registry: Registry) -> None:
    slugs = [f"shop-{number}" for number in range(40)]
    await asyncio.gather(*(add_merchant(registry, slug) for slug in slugs))
    await until(lambda: all(directory.by_slug(slug) for slug in slugs))
    assert len(directory) == len(slugs) + 1


async def test_a_knock_at_the_moment_of_its_end_does_not_keep_it_open(
    settings_without_sandbox: Settings, db: Database
) -> None:
    for turns in range(6):
        directory = await Directory(settings_without_sandbox, db).__aenter__()
        await asyncio.sleep(0.01)
        directory._wake()
        for _ in range(turns):
            await asyncio.sleep(0)
        closing = asyncio.create_task(directory.__aexit__())
        closed, _ = await asyncio.wait({closing}, timeout=5)
        assert closed, f"still open when closed {turns} turns after a knock"
