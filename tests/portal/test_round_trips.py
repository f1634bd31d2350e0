"""The home page asks the database once, whoever looks at it."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import asyncpg
import msgspec

from guichet.db import Database
from guichet.demo.merchants import MARMITE
from guichet.settings import Settings
from tenants.configuration import load_published, publish
from tests.portal.shop import Shop, add_shop, open_shop
from tests.tenancy.waiting import until

HOME = "select portal_home($1, $2)"
#: A published configuration is read within its tenant, in a transaction.
_READING = 4


@asynccontextmanager
async def statements(db: Database) -> AsyncIterator[list[str]]:
    """Everything that the pool asks meanwhile, transactions' beginnings and ends included."""
    asked: list[str] = []

    def note(query: asyncpg.connection.LoggedQuery) -> None:
        asked.append(query.query)

    async with AsyncExitStack() as stack:
        # Held all at once, so that every connection is opened and has the logger.
        for _ in range(db.pool.get_max_size()):
            connection = await stack.enter_async_context(db.pool.acquire())
            connection.add_query_logger(note)
    try:
        yield asked
    finally:
        async with AsyncExitStack() as stack:
            for _ in range(db.pool.get_max_size()):
                connection = await stack.enter_async_context(db.pool.acquire())
                connection.remove_query_logger(note)


async def asked_for_home(shop: Shop, who: str) -> list[str]:
    """The statements of one look at the home page."""
    async with shop.signed_in(who) as browser, statements(shop.deployment.db) as asked:
        assert (await browser.get("/")).status_code == 200
        return list(asked)


async def test_home_takes_one_round_trip_for_every_customer_of_every_tenant(
    settings: Settings,
) -> None:
    async with open_shop(settings) as lumen:
        marmite = await add_shop(lumen.edge, lumen.deployment, MARMITE)
        for shop in (lumen, marmite):
            await asked_for_home(shop, "ada")
        for shop in (lumen, marmite, lumen):
            for who in ("ada", "grace", "linus", "zoe"):
                assert await asked_for_home(shop, who) == [HOME], (shop.merchant.slug, who)


async def test_a_published_configuration_is_read_by_the_first_page_after_it(shop: Shop) -> None:
    assert len(await asked_for_home(shop, "ada")) == _READING + 1
    assert await asked_for_home(shop, "ada") == [HOME]

    async with shop.deployment.db.unit(shop.tenant_id) as unit:
        published = await load_published(unit.connection, shop.tenant_id)
        changed = msgspec.structs.replace(published.configuration, support_email="a@example.com")
        version = await publish(unit.connection, shop.tenant_id, changed, "test")
    await until(lambda: _version(shop) == version)

    assert len(await asked_for_home(shop, "ada")) == _READING + 1
    assert await asked_for_home(shop, "ada") == [HOME]
    async with shop.signed_in("ada") as ada:
        assert "mailto:a@example.com" in (await ada.get("/")).text


def _version(shop: Shop) -> int:
    entry = shop.deployment.directory.by_id(shop.tenant_id)
    return entry.published_version if entry else 0
