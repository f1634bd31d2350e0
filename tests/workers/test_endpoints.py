"""Endpoints that somebody was cut off while making, or that are left in a former account."""

from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from guichet.audit import Actor
from guichet.db import Database
from guichet.outbox import QUEUE, make_redis
from guichet.payments.choose import SECRET_KEY, WEBHOOK_SECRET
from guichet.payments.endpoints import EndpointMaker, read_endpoint
from guichet.payments.former_accounts import former_accounts
from guichet.payments.key_checks import check_key, keep_key
from guichet.settings import Settings
from tenants.vault import secret_names
from tests.databases import DatabaseUrls
from tests.merchants import add_merchant, registry_for
from tests.shops import Shop, open_shop, set_secret
from workers.endpoints import MEND_ENDPOINTS, mend_endpoints, sweep_endpoints
from workers.office import Office, open_office

URL = "http://lumen.localhost:8000/webhooks/stripe"
BY = Actor("staff", "admin@lumen.example")


@pytest.fixture
async def lumen(database_urls: DatabaseUrls, db: Database) -> UUID:
    """A tenant without a key."""
    return (await add_merchant(registry_for(database_urls, db))).id


@pytest.fixture
async def office(settings: Settings, lumen: UUID) -> AsyncIterator[Office]:
    """One that knows the tenant."""
    assert lumen
    async with open_office(settings) as office:
        yield office


async def _paste(office: Office, tenant: UUID, key: str) -> None:
    """What the console does until its process is killed: the key is kept, and nothing is made."""
    deployment = office.deployment
    checked = await check_key(deployment.providers, key)
    async with deployment.db.unit(tenant) as unit:
        await keep_key(unit, deployment.vault, checked, BY, "request-1", confirmed=True)
    deployment.providers.forget(tenant)


async def _hurry(db: Database, tenant: UUID) -> None:
    """Have what is due later be due now."""
    async with db.unit(tenant) as unit:
        await unit.execute(
            """
            update provider_endpoints
            set due_at = now()
            where tenant_id = $1
            and due_at is not null
            """,
            tenant,
        )
        await unit.execute(
            """
            update former_accounts
            set due_at = now()
            where tenant_id = $1
            and due_at is not null
            """,
            tenant,
        )


async def _mend(office: Office, tenant: UUID) -> None:
    await _hurry(office.deployment.db, tenant)
    await mend_endpoints(office, str(tenant))


async def _is_due(office: Office, settings: Settings, tenant: UUID) -> bool:
    """Whether the sweep knocks for a tenant."""
    await sweep_endpoints(office)
    redis = make_redis(settings.redis_url)
    knocks = await redis.zrange(QUEUE, 0, -1)
    await redis.aclose(close_connection_pool=True)
    return any(it.decode().startswith(f"{MEND_ENDPOINTS}:{tenant}") for it in knocks)


async def _names(db: Database, tenant: UUID) -> list[str]:
    async with db.unit(tenant) as unit:
        return await secret_names(unit.connection, tenant)


async def test_who_is_killed_after_the_key_was_kept_leaves_the_endpoint_to_a_worker(
    office: Office, settings: Settings, db: Database, lumen: UUID, shop: Shop
) -> None:
    await _paste(office, lumen, shop.key)
    assert not await _is_due(office, settings, lumen)
    await _hurry(db, lumen)
    assert await _is_due(office, settings, lumen)
    await mend_endpoints(office, str(lumen))
    [made] = await shop.port.list_endpoints()
    assert made.url == URL
    async with db.unit(lumen) as unit:
        held = await read_endpoint(unit)
    assert held is not None
    assert (held.endpoint_id, held.ordered_at) == (made.id, None)
    assert WEBHOOK_SECRET in await _names(db, lumen)
    await _mend(office, lumen)
    assert [it.id for it in await shop.port.list_endpoints()] == [made.id]
    await _hurry(db, lumen)
    await mend_endpoints(office, str(lumen))
    async with db.unit(lumen) as unit:
        assert await unit.fetchval("select due_at from provider_endpoints") is None


async def test_who_is_killed_before_the_former_endpoint_is_removed_leaves_that_too(
    office: Office, lumen: UUID, shop: Shop
) -> None:
    await _paste(office, lumen, shop.key)
    await _mend(office, lumen)
    second = await shop.port.create_endpoint(URL, str(lumen), live=False, idempotency_key="killed")
    assert len(await shop.port.list_endpoints()) == 2
    await _mend(office, lumen)
    [left] = await shop.port.list_endpoints()
    assert left.id != second.id


async def test_an_endpoint_that_is_gone_when_it_is_looked_for_is_made_anew(
    office: Office, lumen: UUID, shop: Shop
) -> None:
    await _paste(office, lumen, shop.key)
    await _mend(office, lumen)
    [made] = await shop.port.list_endpoints()
    await shop.port.delete_endpoint(made.id)
    await _mend(office, lumen)
    [again] = await shop.port.list_endpoints()
    assert again.id != made.id


async def test_a_provider_that_does_not_answer_is_asked_again_later(
    office: Office, settings: Settings, db: Database, lumen: UUID, shop: Shop
) -> None:
    await _paste(office, lumen, shop.key)
    faults = [{"count": 2, "method": "POST", "mode": "refused", "path": "/v1/webhook_endpoints"}]
    await shop.set(fail_next_requests=faults)
    await _mend(office, lumen)
    assert await shop.port.list_endpoints() == []
    assert not await _is_due(office, settings, lumen)
    await _mend(office, lumen)
    assert len(await shop.port.list_endpoints()) == 1


async def test_whoever_makes_the_endpoint_meanwhile_and_the_worker_make_one(
    office: Office, lumen: UUID, shop: Shop
) -> None:
    await _paste(office, lumen, shop.key)
    deployment = office.deployment
    maker = EndpointMaker(deployment.db, deployment.vault, shop.port, lumen, URL)
    await _hurry(deployment.db, lumen)
    made = await maker.make(BY, "request-1", live=False)
    await mend_endpoints(office, str(lumen))
    assert [it.id for it in await shop.port.list_endpoints()] == [made.id]


async def test_the_endpoint_of_a_former_account_is_removed_and_its_key_forgotten(
    office: Office, db: Database, lumen: UUID, shop: Shop, sandbox: str
) -> None:
    await _paste(office, lumen, shop.key)
    await _mend(office, lumen)
    elsewhere = await shop.port.create_endpoint(
        "https://lumen.example/hooks", "another", live=False, idempotency_key="elsewhere"
    )
    async with open_shop(sandbox, f"{shop.key}other") as other:
        await _paste(office, lumen, other.key)
        await _mend(office, lumen)
        assert [it.id for it in await shop.port.list_endpoints()] == [elsewhere.id]
        assert [it.url for it in await other.port.list_endpoints()] == [URL]
    async with db.unit(lumen) as unit:
        assert await former_accounts(unit) == []
        removed = await unit.fetchval(
            """
            select count(1)
            from audit_log
            where tenant_id = $1
            and action = 'webhook_endpoint.removed'
            """,
            lumen,
        )
    assert removed == 1
    assert [it for it in await _names(db, lumen) if it.startswith(SECRET_KEY)] == [SECRET_KEY]


async def test_a_former_account_that_is_away_is_tried_again_and_its_key_kept(
    office: Office, db: Database, lumen: UUID, shop: Shop
) -> None:
    await _paste(office, lumen, shop.key)
    await _mend(office, lumen)
    await _paste(office, lumen, f"{shop.key}other")
    await shop.set(fail_next_requests=[{"count": 2, "mode": "refused"}])
    await _mend(office, lumen)
    async with db.unit(lumen) as unit:
        [account] = await former_accounts(unit)
    assert account.due_at is not None
    await _mend(office, lumen)
    assert await shop.port.list_endpoints() == []


async def test_a_former_account_that_lets_nobody_in_is_left_to_a_person_without_its_key(
    office: Office, db: Database, lumen: UUID, shop: Shop
) -> None:
    await _paste(office, lumen, shop.key)
    await _mend(office, lumen)
    await _paste(office, lumen, f"{shop.key}other")
    await shop.set(revoked=True)
    await _mend(office, lumen)
    async with db.unit(lumen) as unit:
        [account] = await former_accounts(unit)
    assert account.due_at is None
    assert account.endpoint_id is not None
    assert [it for it in await _names(db, lumen) if it.startswith(SECRET_KEY)] == [SECRET_KEY]


async def test_an_account_that_is_the_present_one_again_keeps_its_endpoint(
    office: Office, db: Database, lumen: UUID, shop: Shop
) -> None:
    await _paste(office, lumen, shop.key)
    await _mend(office, lumen)
    await _paste(office, lumen, f"{shop.key}other")
    await _paste(office, lumen, shop.key)
    await _mend(office, lumen)
    async with db.unit(lumen) as unit:
        assert await former_accounts(unit) == []
    assert len(await shop.port.list_endpoints()) == 1


async def test_a_key_that_was_set_in_another_way_is_not_taken_for_the_former_account_s(
    office: Office, settings: Settings, db: Database, lumen: UUID, shop: Shop, sandbox: str
) -> None:
    await _paste(office, lumen, shop.key)
    await _mend(office, lumen)
    async with open_shop(sandbox, f"{shop.key}other") as other:
        await set_secret(settings, db, lumen, SECRET_KEY, other.key)
        await _paste(office, lumen, other.key)
        await _mend(office, lumen)
        await _mend(office, lumen)
        assert len(await other.port.list_endpoints()) == 1
