"""`guichet books`: what differs is told, what is harmless is mended, and the doctor knows."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import asyncpg
import msgspec
import pytest

from guichet.billing.mirror import draw_copy_no, write_copies
from guichet.cli.book_checks import check_book_results
from guichet.db import Database
from guichet.settings import Settings
from tests.cli.commands import Guichet, commands_for
from tests.databases import DatabaseUrls
from tests.merchants import registry_for
from tests.mirrors import held, mirrored
from tests.shops import Shop, add_portal, open_shop


@pytest.fixture
async def shop(sandbox: str, stripe_key: str) -> AsyncIterator[Shop]:
    async with open_shop(sandbox, stripe_key) as shop:
        yield shop


@pytest.fixture
async def tenant(settings: Settings, database_urls: DatabaseUrls, db: Database, shop: Shop) -> UUID:
    """The tenant *lumen*, mirrored as it is."""
    tenant = await add_portal(settings, database_urls, db, shop.key)
    await shop.subscribe(await shop.add_customer())
    copies = (await held(shop.port)).values()
    async with db.unit(tenant) as unit:
        await write_copies(unit, copies, await draw_copy_no(unit))
    return tenant


@pytest.fixture
def books(settings: Settings) -> Guichet:
    guichet = commands_for(settings)

    async def books(*arguments: str) -> object:
        return await guichet(
            "books",
            "--settle",
            "0",
            "--rate",
            "1000",
            *arguments,
            GUICHET_STRIPE_URL=settings.stripe_url,
        )

    return books  # type: ignore[return-value]


async def _remedies(settings: Settings) -> dict[str, str]:
    return {it.subject: it.remedy for it in await check_book_results(settings)}


@pytest.mark.usefixtures("tenant")
async def test_books_in_order_are_told_in_one_line(books: Guichet, settings: Settings) -> None:
    result = await books()
    assert (result.exit_code, result.stdout) == (0, "ok  lumen: 9 objects, all in order\n")
    assert await _remedies(settings) == {"books": ""}


async def test_a_dropped_delivery_is_told_mended_and_gone(
    books: Guichet, settings: Settings, db: Database, tenant: UUID, shop: Shop
) -> None:
    customer = await shop.add_customer("dropped@example.com")
    told = await books("--tenant", "lumen")
    assert told.exit_code == 1
    assert f"!!  lumen: customer {customer}: the provider holds it and the mirror" in told.stdout
    assert "guichet books --tenant lumen --repair" in told.stdout
    assert "--repair" in (await _remedies(settings))["books of lumen"]
    mended = await books("--tenant", "lumen", "--repair")
    assert mended.exit_code == 0
    assert f"ok  lumen: customer {customer}" in mended.stdout
    assert await mirrored(db, tenant) == await held(shop.port)
    assert (await books()).exit_code == 0
    assert await _remedies(settings) == {"books": ""}


async def test_a_program_is_told_in_json(books: Guichet, tenant: UUID, db: Database) -> None:
    async with db.unit(tenant) as unit:
        await unit.execute("update products set name = 'X' where tenant_id = $1", tenant)
    result = await books("--json")
    assert result.exit_code == 1
    (report,) = msgspec.json.decode(result.stdout)
    (difference,) = report["differences"]
    assert (report["tenant"], report["failure"]) == ("lumen", None)
    assert difference["rule"] == "differs"
    assert difference["held"] == {"name": "X"}
    assert difference["provider"] == {"name": "Lumen"}


async def test_what_somebody_typed_is_shown_and_not_obeyed(
    books: Guichet, tenant: UUID, db: Database
) -> None:
    async with db.unit(tenant) as unit:
        await unit.execute(
            "update products set name = $2 where tenant_id = $1", tenant, "\x1b[2J \x9b2J \u202e"
        )
    result = await books()
    assert result.exit_code == 1
    assert set("\x1b\x9b\u202e").isdisjoint(result.stdout)


@pytest.mark.usefixtures("tenant")
async def test_a_tenant_that_cannot_be_checked_does_not_hold_up_the_others(
    books: Guichet, settings: Settings, database_urls: DatabaseUrls, db: Database, shop: Shop
) -> None:
    await add_portal(settings, database_urls, db, f"{shop.key}x", "acme")
    async with open_shop(settings.stripe_url, f"{shop.key}x") as other:
        await other.set(revoked=True)
    result = await books()
    assert result.exit_code == 1
    assert "!!  acme: not checked (provider_key_rejected). See guichet doctor.\n" in result.stdout
    assert "ok  lumen" in result.stdout
    await registry_for(database_urls, db).set_status("acme", "suspended")
    assert (await books()).exit_code == 0


@pytest.mark.usefixtures("tenant")
async def test_whatever_one_check_fails_with_the_others_are_made(
    books: Guichet, settings: Settings, database_urls: DatabaseUrls, db: Database, shop: Shop
) -> None:
    acme = await add_portal(settings, database_urls, db, shop.key, "acme")
    owner = await asyncpg.connect(database_urls.owner)
    await owner.execute(
        f"alter table book_checks add constraint nobody check (tenant_id <> '{acme}')"
    )
    await owner.close()
    result = await books()
    assert result.exit_code == 1
    assert "!!  acme: not checked (internal_error). See guichet doctor.\n" in result.stdout
    assert "ok  lumen" in result.stdout


async def test_a_tenant_that_does_not_exist_is_a_mistake(books: Guichet) -> None:
    result = await asyncio.wait_for(books("--tenant", "nobody"), 60)
    assert (result.exit_code, result.stderr) == (1, "Error: there is no tenant nobody\n")


@pytest.mark.parametrize("option", ["--rate=0", "--rate=-1", "--settle=-1"])
async def test_a_pace_that_is_none_is_a_mistake_of_usage(books: Guichet, option: str) -> None:
    assert (await books(option)).exit_code == 2
