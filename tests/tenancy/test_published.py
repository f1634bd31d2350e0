"""Published configurations are read once, by whoever comes first, and kept within bounds."""

import asyncio

import pytest

from guichet.db import Database
from guichet.tenancy import Directory, Registry, TenantEntry
from guichet.tenancy.published import PublishedCache
from tenants.configuration import NOTHING_PUBLISHED, Configuration, UnknownVersion
from tenants.tenant import Tenant
from tests.databases import DatabaseUrls
from tests.merchants import add_merchant, settings_for
from tests.tenancy.waiting import until


def _entry(directory: Directory, slug: str = "lumen") -> TenantEntry:
    entry = directory.by_slug(slug)
    assert entry is not None
    return entry


async def _publish(registry: Registry, directory: Directory, locale: str) -> None:
    version = await registry.publish("lumen", Configuration(locale=locale))
    await until(lambda: _entry(directory).published_version == version)


async def test_a_new_tenant_has_the_empty_configuration(directory: Directory) -> None:
    assert await directory.published(_entry(directory)) is NOTHING_PUBLISHED


async def test_a_published_version_is_read_once(
    directory: Directory, registry: Registry, database_urls: DatabaseUrls
) -> None:
    await _publish(registry, directory, "fr")
    entry = _entry(directory)
    first = await directory.published(entry)
    assert first.configuration.locale == "fr"
    assert await directory.published(entry) is first


async def test_the_next_version_takes_its_place(directory: Directory, registry: Registry) -> None:
    await _publish(registry, directory, "fr")
    await directory.published(_entry(directory))
    await _publish(registry, directory, "en")
    assert (await directory.published(_entry(directory))).configuration.locale == "en"


async def test_those_who_ask_at_the_same_time_share_one_reading(
    directory: Directory, registry: Registry
) -> None:
    await _publish(registry, directory, "fr")
    entry = _entry(directory)
    answers = await asyncio.gather(*(directory.published(entry) for _ in range(20)))
    assert len({id(answer) for answer in answers}) == 1


async def test_the_first_to_ask_may_go_away(directory: Directory, registry: Registry) -> None:
    await _publish(registry, directory, "fr")
    entry = _entry(directory)
    first = asyncio.create_task(directory.published(entry))
    await asyncio.sleep(0)
    second = asyncio.create_task(directory.published(entry))
    await asyncio.sleep(0)
    first.cancel()
    assert (await second).configuration.locale == "fr"
    assert first.cancelled()


async def test_a_version_that_is_not_there_is_an_error_and_is_asked_for_again(
    directory: Directory, registry: Registry, db: Database, lumen: Tenant
) -> None:
    async with db.unit(lumen.id) as unit:
        await unit.execute("update tenants set published_version = 1 where id = $1", lumen.id)
    await until(lambda: _entry(directory).published_version == 1)
    entry = _entry(directory)
    with pytest.raises(UnknownVersion):
        await directory.published(entry)
    async with db.unit(lumen.id) as unit:
        await unit.execute(
            """
            insert into configurations (tenant_id, version, document, published_by)
            values ($1, 1, '{}', 'test')
            """,
            lumen.id,
        )
    assert (await directory.published(entry)).version == 1


async def test_the_least_recently_used_is_forgotten(
    database_urls: DatabaseUrls, db: Database, registry: Registry, lumen: Tenant
) -> None:
    for slug in ("volta", "marmite"):
        await add_merchant(registry, slug)
    for slug in ("lumen", "volta", "marmite"):
        await registry.publish(slug, Configuration(locale="fr"))
    async with Directory(settings_for(database_urls), db) as directory:
        cache = PublishedCache(db, 2)
        lumen_s = await cache.load(_entry(directory))
        volta_s = await cache.load(_entry(directory, "volta"))
        assert await cache.load(_entry(directory)) is lumen_s
        await cache.load(_entry(directory, "marmite"))
        assert await cache.load(_entry(directory)) is lumen_s
        assert await cache.load(_entry(directory, "volta")) is not volta_s
