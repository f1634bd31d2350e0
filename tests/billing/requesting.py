"""Changes that are asked for at a merchant of the tests, made, broken off and taken up again."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import httpx

from guichet.billing.change_requests import (
    ChangeRequest,
    find_request,
    start_request,
)
from guichet.billing.resuming import resume_unfinished
from guichet.payments.orders import ItemOrder, SubscriptionChange
from guichet.payments.port import PaymentProvider
from tests.loopback import NO_AUTHORITIES
from tests.portal.shop import Shop


async def upgrade(shop: Shop) -> SubscriptionChange:
    subscription = (await shop.subscription("ada")).to_dict()
    item = subscription["items"]["data"][0]["id"]
    return SubscriptionChange(
        subscription_id=subscription["id"],
        items=(ItemOrder(item_id=item, price_id=shop.prices["scale"]),),
        when="now",
        proration="always_invoice",
        as_of=datetime.now(UTC).replace(microsecond=0),
    )


async def start(
    shop: Shop,
    plan: SubscriptionChange,
    request_id: UUID | None = None,
    read_at: datetime | None = None,
) -> ChangeRequest:
    customer_id = await shop.customer_id("ada")
    async with shop.deployment.db.unit(shop.tenant_id) as unit:
        return await start_request(
            unit,
            request_id or uuid4(),
            customer_id,
            plan.subscription_id,
            "change_plan",
            plan,
            read_at,
        )


async def provider(shop: Shop) -> PaymentProvider:
    return await shop.deployment.providers.client(shop.tenant_id)


async def state(shop: Shop, request: ChangeRequest) -> ChangeRequest:
    async with shop.deployment.db.unit(shop.tenant_id) as unit:
        found = await find_request(unit, request.customer_id, request.id)
    assert found is not None
    return found


async def abandon(shop: Shop) -> None:
    """End every lease, as time does when whoever holds it has died."""
    async with shop.deployment.db.unit(shop.tenant_id) as unit:
        await unit.execute(
            """
            update change_requests
            set claimed_until = now() - interval '1 second'
            where tenant_id = $1
            """,
            shop.tenant_id,
        )


async def resume(shop: Shop, later: timedelta = timedelta(0)) -> int:
    return await resume_unfinished(
        shop.deployment.db,
        shop.deployment.providers,
        shop.tenant_id,
        datetime.now(UTC) + later,
    )


async def paid(shop: Shop) -> int:
    invoices = await shop.stripe.v1.invoices.list_async(
        {"customer": await shop.customer_id("ada"), "status": "paid", "limit": 100}
    )
    return len(invoices.data)


async def plan_held(shop: Shop) -> str:
    return str((await shop.subscription("ada")).to_dict()["items"]["data"][0]["price"]["id"])


async def break_next(shop: Shop, **fault: object) -> None:
    """Have the sandbox fail the account's next writing request."""
    async with httpx.AsyncClient(trust_env=False, verify=NO_AUTHORITIES) as client:
        answer = await client.post(
            f"{shop.deployment.settings.stripe_url}/_control/settings",
            headers={"authorization": f"Bearer {shop.key}"},
            json={"fail_next_requests": [{"method": "POST", "count": 10, **fault}]},
        )
    assert answer.status_code == 200, answer.text


async def mend(shop: Shop) -> None:
    async with httpx.AsyncClient(trust_env=False, verify=NO_AUTHORITIES) as client:
        await client.post(
            f"{shop.deployment.settings.stripe_url}/_control/settings",
            headers={"authorization": f"Bearer {shop.key}"},
            json={"fail_next_requests": []},
        )
