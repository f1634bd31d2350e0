"""Agencies and their tenants."""

import pytest

from guichet.db import Database
from guichet.tenancy import Registry
from tenants.agencies import UnknownAgency, add_agency, find_agency, list_agencies
from tenants.slugs import MalformedSlug, ReservedSlug, SlugTaken
from tenants.tenant import UnknownTenant, add_tenant, find_tenant, list_tenants, set_status
from tests.merchants import AGENCY, add_merchant


async def test_an_agency_is_found_with_the_number_of_its_tenants(
    db: Database, registry: Registry
) -> None:
    await add_merchant(registry, "lumen")
    await add_merchant(registry, "volta")
    async with db.system() as connection:
        found = await find_agency(connection, AGENCY)
        assert (found.name, found.tenants) == ("Atelier", 2)
        with pytest.raises(UnknownAgency):
            await find_agency(connection, "nobody")


async def test_a_slug_is_taken_once_and_the_transaction_goes_on(db: Database) -> None:
    async with db.system() as connection:
        agency = await add_agency(connection, "atelier", "Atelier")
        await add_tenant(connection, agency, "lumen", "Lumen")
        with pytest.raises(SlugTaken):
            await add_agency(connection, "atelier", "Other")
        with pytest.raises(SlugTaken):
            await add_tenant(connection, agency, "lumen", "Other")
        assert (await find_tenant(connection, "lumen")).name == "Lumen"


@pytest.mark.parametrize(("slug", "error"), [("console", ReservedSlug), ("A b", MalformedSlug)])
async def test_a_slug_that_cannot_be_a_host_is_refused(
    db: Database, slug: str, error: type[Exception]
) -> None:
    async with db.system() as connection:
        agency = await add_agency(connection, "atelier", "Atelier")
        with pytest.raises(error):
            await add_tenant(connection, agency, slug, "X")
        with pytest.raises(error):
            await add_agency(connection, slug, "X")


async def test_a_new_tenant_is_active_and_has_published_nothing(
    db: Database, registry: Registry
) -> None:
    await add_merchant(registry, "lumen", "Lumen")
    async with db.system() as connection:
        found = await find_tenant(connection, "lumen")
        with pytest.raises(UnknownTenant):
            await find_tenant(connection, "nobody")
    assert (found.agency, found.status, found.published_version) == (AGENCY, "active", None)


async def test_lists_are_paged_by_slug(db: Database, registry: Registry) -> None:
    await registry.add_agency("bureau", "Bureau")
    for slug in ("c", "a", "b"):
        await add_merchant(registry, slug)
    await registry.add_tenant("bureau", "d", "D")
    async with db.system() as connection:
        everybody = await list_tenants(connection)
        first = await list_tenants(connection, AGENCY, limit=2)
        second = await list_tenants(connection, AGENCY, after="b", limit=2)
        agencies = await list_agencies(connection, after="atelier")
    assert [it.slug for it in everybody] == ["a", "b", "c", "d"]
    assert [it.slug for it in first] == ["a", "b"]
    assert [it.slug for it in second] == ["c"]
    assert [it.slug for it in agencies] == ["bureau"]


async def test_suspending_twice_changes_once(db: Database, registry: Registry) -> None:
    tenant = await add_merchant(registry)
    async with db.system() as connection:
        changes = [await set_status(connection, tenant.id, "suspended") for _ in range(2)]
        assert (await find_tenant(connection, "lumen")).status == "suspended"
        assert await set_status(connection, tenant.id, "active")
    assert changes == [True, False]
