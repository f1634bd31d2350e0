"""The webhook endpoint made for a merchant: one, whoever is killed, and no event lost."""

import time
from typing import Any
from uuid import UUID

import pytest

from guichet.audit import Actor
from guichet.billing.reconciling import reconcile
from guichet.db import Database
from guichet.outbox import open_outbox
from guichet.payments.answers import Endpoint
from guichet.payments.endpoints import EndpointMaker, open_secrets, read_endpoint
from guichet.payments.errors import ProviderUnreachable
from guichet.settings import Settings
from guichet.webhooks.intake import EventIntake
from tenants.vault import Vault
from tests.databases import DatabaseUrls
from tests.deliveries import body_of, chunks, entry, headers
from tests.shops import SIGNING_SECRET, Shop, add_portal

URL = "https://lumen.guichet.example/webhooks/stripe"
BY = Actor("staff", "admin@lumen.example")


class Killed(BaseException):
    """The process is gone; nothing of ours catches it."""


class DyingProvider:
    """The shop's provider, for a process that ends right after the endpoint was made."""

    def __init__(self, shop: Shop) -> None:
        self._port = shop.port

    def __getattr__(self, name: str) -> Any:
        return getattr(self._port, name)

    async def create_endpoint(self, *args: Any, **kwargs: Any) -> Endpoint:
        await self._port.create_endpoint(*args, **kwargs)
        raise Killed


@pytest.fixture
def vault(settings: Settings) -> Vault:
    return Vault(settings.master_keys)


@pytest.fixture
async def tenant(settings: Settings, database_urls: DatabaseUrls, db: Database, shop: Shop) -> UUID:
    return await add_portal(settings, database_urls, db, shop.key)


@pytest.fixture
def maker(db: Database, vault: Vault, shop: Shop, tenant: UUID) -> EndpointMaker:
    return EndpointMaker(db, vault, shop.port, tenant, URL)


async def _make(maker: EndpointMaker) -> Endpoint:
    return await maker.make(BY, "request-1", live=False)


async def _secrets(db: Database, vault: Vault, tenant: UUID) -> list[str]:
    async with db.unit(tenant) as unit:
        return (await open_secrets(unit, vault)).good_at(time.time())


async def _change_provider_endpoints(db: Database, tenant: UUID, hours: int) -> None:
    """Have everything that was written down of the endpoint be so many hours older."""
    async with db.unit(tenant) as unit:
        await unit.execute(
            """
            update provider_endpoints
            set
              ordered_at = ordered_at - make_interval(hours => $2),
              former_until = former_until - make_interval(hours => $2)
            where tenant_id = $1
            """,
            tenant,
            hours,
        )


async def test_an_endpoint_is_made_with_the_events_that_are_followed(
    maker: EndpointMaker, shop: Shop, db: Database, vault: Vault, tenant: UUID
) -> None:
    made = await _make(maker)
    [endpoint] = (await shop.sdk.webhook_endpoints.list_async()).data
    assert (endpoint.id, endpoint.url, endpoint.status) == (made.id, URL, "enabled")
    assert "customer.subscription.updated" in endpoint.enabled_events
    assert "*" not in endpoint.enabled_events
    assert endpoint.api_version == "2026-10-28.endive"
    assert (await _secrets(db, vault, tenant))[0] == made.secret
    assert str(made.secret) not in repr(made)


async def test_live_mode_is_not_asked_for_test_clocks(maker: EndpointMaker, shop: Shop) -> None:
    await maker.make(BY, "request-1", live=True)
    [endpoint] = (await shop.sdk.webhook_endpoints.list_async()).data
    assert not [it for it in endpoint.enabled_events if it.startswith("test_helpers")]


async def test_who_is_killed_before_the_secret_is_sealed_makes_no_second_endpoint(
    maker: EndpointMaker, shop: Shop, db: Database, vault: Vault, tenant: UUID
) -> None:
    dying: Any = DyingProvider(shop)
    with pytest.raises(Killed):
        await _make(EndpointMaker(db, vault, dying, tenant, URL))
    async with db.unit(tenant) as unit:
        begun = await read_endpoint(unit)
    assert begun is not None
    assert begun.ordered_at is not None
    assert await _secrets(db, vault, tenant) == [SIGNING_SECRET]
    [left] = await shop.port.list_endpoints()
    made = await _make(maker)
    assert made.id == left.id
    assert [it.id for it in await shop.port.list_endpoints()] == [made.id]
    assert (await _secrets(db, vault, tenant))[0] == made.secret


async def test_what_was_left_behind_for_longer_than_a_key_is_remembered_is_removed(
    maker: EndpointMaker, shop: Shop, db: Database, vault: Vault, tenant: UUID
) -> None:
    dying: Any = DyingProvider(shop)
    with pytest.raises(Killed):
        await _make(EndpointMaker(db, vault, dying, tenant, URL))
    [orphan] = await shop.port.list_endpoints()
    await _change_provider_endpoints(db, tenant, 24)
    await shop.set(idempotency_key_seconds=0)
    made = await _make(maker)
    assert made.id != orphan.id
    assert [it.id for it in await shop.port.list_endpoints()] == [made.id]


async def test_an_endpoint_that_was_removed_while_it_was_being_made_is_made_again(
    maker: EndpointMaker, shop: Shop, db: Database, vault: Vault, tenant: UUID
) -> None:
    dying: Any = DyingProvider(shop)
    with pytest.raises(Killed):
        await _make(EndpointMaker(db, vault, dying, tenant, URL))
    [orphan] = await shop.port.list_endpoints()
    await shop.port.delete_endpoint(orphan.id)
    made = await _make(maker)
    assert [it.id for it in await shop.port.list_endpoints()] == [made.id]


async def test_making_one_anew_takes_the_place_of_every_other_that_delivers_here(
    maker: EndpointMaker, shop: Shop
) -> None:
    by_hand = await shop.sdk.webhook_endpoints.create_async({"url": URL, "enabled_events": ["*"]})
    elsewhere = await shop.sdk.webhook_endpoints.create_async(
        {"url": "https://lumen.example/hooks", "enabled_events": ["*"]}
    )
    first = await _make(maker)
    second = await _make(maker)
    assert first.id != second.id
    left = {it.id for it in await shop.port.list_endpoints()}
    assert left == {second.id, elsewhere.id}
    assert by_hand.id not in left


async def test_what_fails_at_the_provider_leaves_the_former_secret(
    maker: EndpointMaker, shop: Shop, db: Database, vault: Vault, tenant: UUID
) -> None:
    await shop.set(
        fail_next_requests=[{"count": 9, "path": "/v1/webhook_endpoints", "mode": "refused"}]
    )
    with pytest.raises(ProviderUnreachable):
        await _make(maker)
    assert await _secrets(db, vault, tenant) == [SIGNING_SECRET]


async def test_the_former_secret_is_good_for_an_hour(
    maker: EndpointMaker,
    db: Database,
    vault: Vault,
    tenant: UUID,
    redis_url: str,
) -> None:
    made = await _make(maker)
    async with open_outbox(redis_url) as outbox:
        intake = EventIntake(db, vault, outbox)
        later = EventIntake(db, vault, outbox, clock=lambda: time.time() + 3601)
        body = body_of()
        new, old = str(made.secret), SIGNING_SECRET
        hour = {"at": time.time() + 3601}
        assert await intake.receive(entry(tenant), headers(body, secret=new), chunks(body)) == 200
        assert await intake.receive(entry(tenant), headers(body, secret=old), chunks(body)) == 200
        current = headers(body, secret=new, **hour)
        former = headers(body, secret=old, **hour)
        assert await later.receive(entry(tenant), current, chunks(body)) == 200
        assert await later.receive(entry(tenant), former, chunks(body)) == 400


async def test_what_happens_between_two_endpoints_is_found_in_the_provider_s_list(
    maker: EndpointMaker, shop: Shop, db: Database, tenant: UUID
) -> None:
    await _make(maker)
    await reconcile(db, shop.port, tenant)
    await shop.add_customer("grace@example.com")
    await _make(maker)
    done = await reconcile(db, shop.port, tenant)
    assert done is not None
    assert done.imported is None
    assert done.events > 0


async def test_the_audit_log_tells_of_the_endpoint_and_of_no_secret(
    maker: EndpointMaker, db: Database, tenant: UUID
) -> None:
    made = await _make(maker)
    async with db.unit(tenant) as unit:
        rows = await unit.fetch(
            """
            select actor, action, object, details::text as details
            from audit_log
            where tenant_id = $1
            and action = 'webhook_endpoint.made'
            """,
            tenant,
        )
    assert [tuple(row)[:3] for row in rows] == [(BY.name, "webhook_endpoint.made", made.id)]
    assert str(made.secret) not in repr(rows)
