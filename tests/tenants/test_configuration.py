"""Versions of a configuration: published one after another, kept, read back as they were."""

import asyncio

import pytest

from guichet.db import Database
from tenants.branding import Branding
from tenants.configuration import (
    LARGEST_DOCUMENT,
    NOTHING_PUBLISHED,
    Configuration,
    DocumentTooLarge,
    UnknownVersion,
    load_published,
    load_version,
    publish,
)
from tenants.tenant import Tenant


async def _publish(db: Database, tenant: Tenant, locale: str) -> int:
    async with db.unit(tenant.id) as unit:
        return await publish(unit.connection, tenant.id, Configuration(locale=locale), "test")


async def test_a_tenant_that_never_published_has_the_empty_version(
    db: Database, lumen: Tenant
) -> None:
    async with db.unit(lumen.id) as unit:
        assert await load_published(unit.connection, lumen.id) == NOTHING_PUBLISHED


async def test_the_last_version_is_published_and_the_others_are_kept(
    db: Database, lumen: Tenant
) -> None:
    assert [await _publish(db, lumen, locale) for locale in ("fr", "en")] == [1, 2]
    async with db.unit(lumen.id) as unit:
        last = await load_published(unit.connection, lumen.id)
        first = await load_version(unit.connection, lumen.id, 1)
        with pytest.raises(UnknownVersion):
            await load_version(unit.connection, lumen.id, 3)
    assert (last.version, last.configuration.locale) == (2, "en")
    assert (first.version, first.configuration.locale) == (1, "fr")


async def test_two_publishers_at_once_get_two_versions(db: Database, lumen: Tenant) -> None:
    versions = await asyncio.gather(*(_publish(db, lumen, "en") for _ in range(4)))
    assert sorted(versions) == [1, 2, 3, 4]


async def test_another_tenant_s_versions_are_unknown(
    db: Database, lumen: Tenant, volta: Tenant
) -> None:
    await _publish(db, lumen, "fr")
    async with db.unit(volta.id) as unit:
        assert await load_published(unit.connection, lumen.id) == NOTHING_PUBLISHED
        with pytest.raises(UnknownVersion):
            await load_version(unit.connection, lumen.id, 1)


async def test_fields_of_a_later_release_are_ignored(db: Database, lumen: Tenant) -> None:
    async with db.unit(lumen.id) as unit:
        await unit.execute(
            """
            insert into configurations (tenant_id, version, document, published_by)
            values ($1, 1, '{"locale": "fr", "later": [1], "branding": {"more": {}}}', 'test')
            """,
            lumen.id,
        )
        published = await load_version(unit.connection, lumen.id, 1)
    assert published.configuration == Configuration(locale="fr")


async def test_a_configuration_that_is_too_large_for_memory_is_refused(
    db: Database, lumen: Tenant
) -> None:
    large = Configuration(branding=Branding(css="x" * LARGEST_DOCUMENT))
    async with db.unit(lumen.id) as unit:
        with pytest.raises(DocumentTooLarge):
            await publish(unit.connection, lumen.id, large, "test")
        assert await load_published(unit.connection, lumen.id) == NOTHING_PUBLISHED
