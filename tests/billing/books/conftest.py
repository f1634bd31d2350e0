"""A shop with a morning's trade, mirrored as it is, and what its books say."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from uuid import UUID

import pytest

from guichet.billing.books import Books, check_books
from guichet.billing.mirror import draw_copy_no, write_copies
from guichet.db import Database
from guichet.settings import Settings
from tests.databases import DatabaseUrls
from tests.mirrors import held
from tests.payments.clocks import add_clock
from tests.shops import Shop, add_portal, open_shop

Check = Callable[..., Awaitable[Books]]

_NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
async def shop(sandbox: str, stripe_key: str) -> AsyncIterator[Shop]:
    async with open_shop(sandbox, stripe_key) as shop:
        yield shop


@pytest.fixture
async def tenant(settings: Settings, database_urls: DatabaseUrls, db: Database, shop: Shop) -> UUID:
    """The tenant *lumen*, whose mirror is what the shop holds after some trade."""
    tenant = await add_portal(settings, database_urls, db, shop.key)
    clock = await add_clock(shop, _NOON)
    for number, lives_by in enumerate((None, clock)):
        customer = await shop.add_customer(f"{number}@example.com", clock=lives_by)
        subscription = await shop.subscribe(customer)
        await shop.sdk.subscriptions.update_async(
            subscription.id,
            {"default_payment_method": await shop.set_card(customer, "pm_card_visa")},
        )
    await shop.sdk.subscriptions.cancel_async(subscription.id)
    async with db.unit(tenant) as unit:
        number = await draw_copy_no(unit)
    copies = (await held(shop.port)).values()
    async with db.unit(tenant) as unit:
        await write_copies(unit, copies, number)
    return tenant


@pytest.fixture
def check(db: Database, tenant: UUID, shop: Shop) -> Check:
    """Checks the books of *lumen* without waiting for anything."""

    async def check(
        repair: bool = False, settle_s: float = 0.0, methods_of: int | None = None
    ) -> Books:
        books = await check_books(
            db,
            shop.port,
            tenant,
            repair=repair,
            rate=1000,
            settle_s=settle_s,
            methods_of=methods_of,
        )
        assert books is not None
        return books

    return check
