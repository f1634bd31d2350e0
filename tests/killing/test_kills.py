"""`kill -9` of each process in the middle of a plan change: one change, charged once."""

import asyncio
from collections.abc import Iterator

import httpx
import pytest

from guichet.settings import Settings
from tests.killing.rig import Rig, reachable
from tests.portal.shop import Customer, Shop, hidden_fields

pytestmark = pytest.mark.slow

#: Long enough to hit the middle of a call with a kill, short enough for its time-out.
SLOW_MS = 1500
#: A request's lease and the sweep after it; the promise is a minute.
SETTLED_SECONDS = 60


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Rig, Settings]]:
    rig = Rig(reachable(tmp_path_factory.mktemp("rig")))
    with rig.running() as settings:
        yield rig, settings


async def confirm(browser: Customer, path: str, fields: dict[str, str]) -> int | None:
    """Send the form; the answer's status, or None when the connection was cut."""
    try:
        return (await browser.post(path, fields)).status_code
    except httpx.TransportError:
        return None


async def paid(shop: Shop, customer_id: str) -> int:
    invoices = await shop.stripe.v1.invoices.list_async(
        {"customer": customer_id, "status": "paid", "limit": 100}
    )
    return len(invoices.data)


async def states(shop: Shop) -> list[str]:
    """The states of all change requests."""
    async with shop.deployment.db.unit(shop.tenant_id) as unit:
        rows = await unit.fetch(
            "select state from change_requests where tenant_id = $1", shop.tenant_id
        )
    return [row["state"] for row in rows]


async def started(shop: Shop) -> None:
    """Wait until a change is written down, so that the provider is being called."""
    while await states(shop) != ["started"]:
        await asyncio.sleep(0.05)


async def settled(shop: Shop) -> list[str]:
    """The states of all change requests, once none is unfinished."""
    for _ in range(SETTLED_SECONDS * 4):
        found = await states(shop)
        if not {"started", "unknown"} & set(found):
            return found
        await asyncio.sleep(0.25)
    raise AssertionError(f"still unfinished: {found}")


async def mirrored(shop: Shop, customer_id: str) -> tuple[dict[str, str], dict[str, int]]:
    """The customer's subscriptions (with their price) and invoices (with what was paid) here."""
    async with shop.deployment.db.unit(shop.tenant_id) as unit:
        plans = await unit.fetch(
            """
            select item.subscription_id, item.price_id
            from subscription_items as item
            join subscriptions as subscription
              on subscription.tenant_id = item.tenant_id
              and subscription.id = item.subscription_id
            where item.tenant_id = $1
            and subscription.customer_id = $2
            """,
            shop.tenant_id,
            customer_id,
        )
        invoices = await unit.fetch(
            "select id, amount_paid from invoices where tenant_id = $1 and customer_id = $2",
            shop.tenant_id,
            customer_id,
        )
    return (
        {row["subscription_id"]: row["price_id"] for row in plans},
        {row["id"]: row["amount_paid"] for row in invoices},
    )


async def provided(shop: Shop, customer_id: str) -> tuple[dict[str, str], dict[str, int]]:
    """The same as the sandbox has it."""
    client = shop.stripe.v1
    held = await client.subscriptions.list_async({"customer": customer_id, "status": "all"})
    invoices = await client.invoices.list_async({"customer": customer_id, "limit": 100})
    return (
        {
            each["id"]: each["items"]["data"][0]["price"]["id"]
            for each in (subscription.to_dict() for subscription in held.data)
        },
        {invoice.id: invoice.amount_paid for invoice in invoices.data if invoice.id},
    )


@pytest.mark.parametrize("victim", ["web", "worker", "postgres", "valkey", "sandbox"])
async def test_a_kill_in_the_middle_of_a_change_leaves_one_change_charged_once(
    rig: tuple[Rig, Settings], victim: str
) -> None:
    platform, settings = rig
    async with (
        platform.shop(settings, f"shop-{victim}") as shop,
        platform.signed_in(shop, "ada") as ada,
    ):
        subscription = await shop.subscription("ada")
        before = await paid(shop, ada.customer_id)
        path = f"/subscriptions/{subscription.id}/change"
        page = await ada.get(f"{path}/review?price={shop.prices['scale']}")
        fields = hidden_fields(page.text)
        await platform.set_latency(shop, SLOW_MS)
        sending = asyncio.create_task(confirm(ada, path, fields))
        await started(shop)
        await asyncio.sleep(SLOW_MS / 2000)
        await asyncio.to_thread(platform.kill, victim)
        await sending
        await asyncio.to_thread(platform.restart, victim)
        await platform.set_latency(shop, 0)

        assert await settled(shop) == ["done"]
        _, invoices = expected = await provided(shop, ada.customer_id)
        assert expected[0][subscription.id] == shop.prices["scale"]
        assert await paid(shop, ada.customer_id) == before + 1
        assert len(invoices) == len(set(invoices))
        for _ in range(SETTLED_SECONDS * 4):
            if await mirrored(shop, ada.customer_id) == expected:
                break
            await asyncio.sleep(0.25)
        assert await mirrored(shop, ada.customer_id) == expected
        again = await ada.post(path, fields)
        assert again.status_code == 303
        assert "Your plan is changed" in (await ada.get(again.headers["location"])).text
        assert await paid(shop, ada.customer_id) == before + 1
