"""Brands are worked out once for a version, and kept within bounds."""

from guichet.db import Database
from guichet.portal.brand import Brands
from guichet.tenancy import Directory, TenantEntry
from guichet.theming.pages import Pages
from guichet.theming.themes import themes_directory
from tests.databases import DatabaseUrls
from tests.merchants import add_merchant, registry_for, settings_for


def _entry(directory: Directory, slug: str) -> TenantEntry:
    entry = directory.by_slug(slug)
    assert entry is not None
    return entry


async def test_as_many_brands_are_kept_as_allowed(
    db: Database, database_urls: DatabaseUrls
) -> None:
    registry = registry_for(database_urls, db)
    for slug in ("lumen", "marmite"):
        await add_merchant(registry, slug, slug.title())
    async with Directory(settings_for(database_urls), db) as directory:
        brands = Brands(Pages(themes_directory()), directory, kept=1)
        lumen = _entry(directory, "lumen")
        first = await brands.brand(lumen)
        assert await brands.brand(lumen) is first
        await brands.brand(_entry(directory, "marmite"))
        assert await brands.brand(lumen) is not first
