"""A former account that a worker is at while somebody goes back to it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, NamedTuple, cast
from uuid import UUID

import pytest

from guichet.audit import Actor
from guichet.db import Database
from guichet.payments.answers import Endpoint
from guichet.payments.choose import SECRET_KEY, Providers
from guichet.payments.former_accounts import Leaving, former_accounts, return_to_account
from guichet.payments.key_checks import check_key, keep_key
from guichet.settings import Settings
from tenants.vault import secret_names
from tests.databases import DatabaseUrls
from tests.merchants import add_merchant, registry_for
from tests.shops import Shop
from tests.tenancy.waiting import until_awaited
from workers.endpoints import mend_endpoints
from workers.office import Office, open_office

URL = "http://lumen.localhost:8000/webhooks/stripe"
BY = Actor("staff", "admin@lumen.example")


class _Beside(NamedTuple):
    """The provider, and what somebody does while it is asked to remove an endpoint."""

    port: Any
    act: Callable[[], Awaitable[None]]

    async def trial(self, key: str) -> "_Beside":
        assert key
        return self

    async def list_endpoints(self) -> list[Endpoint]:
        return cast(list[Endpoint], await self.port.list_endpoints())

    async def delete_endpoint(self, endpoint_id: str) -> None:
        await self.act()
        await self.port.delete_endpoint(endpoint_id)


@pytest.fixture
async def lumen(database_urls: DatabaseUrls, db: Database) -> UUID:
    """A tenant without a key."""
    return (await add_merchant(registry_for(database_urls, db))).id


@pytest.fixture
async def office(settings: Settings, lumen: UUID, shop: Shop) -> AsyncIterator[Office]:
    """One whose tenant has just left the shop's account for another one."""
    async with open_office(settings) as office:
        await _paste(office, lumen, shop.key)
        async with office.deployment.db.unit(lumen) as unit:
            await unit.execute("update provider_endpoints set due_at = now()")
        await mend_endpoints(office, str(lumen))
        await _paste(office, lumen, f"{shop.key}other")
        yield office


async def _paste(office: Office, tenant: UUID, key: str) -> None:
    deployment = office.deployment
    checked = await check_key(deployment.providers, key)
    async with deployment.db.unit(tenant) as unit:
        await keep_key(unit, deployment.vault, checked, BY, "request-1", confirmed=True)
    deployment.providers.forget(tenant)


async def _set_aside(db: Database, tenant: UUID) -> list[str]:
    """The names of the keys of former accounts."""
    async with db.unit(tenant) as unit:
        names = await secret_names(unit.connection, tenant)
    return [it for it in names if it.startswith(f"{SECRET_KEY}_of:")]


async def test_an_account_that_is_left_once_more_meanwhile_is_not_forgotten(
    office: Office, db: Database, lumen: UUID, shop: Shop
) -> None:
    async def go_there_and_back() -> None:
        await _paste(office, lumen, shop.key)
        await shop.port.create_endpoint(URL, str(lumen), live=False, idempotency_key="back")
        await _paste(office, lumen, f"{shop.key}other")

    deployment = office.deployment
    beside = cast(Providers, _Beside(shop.port, go_there_and_back))
    leaving = Leaving(deployment.db, deployment.vault, beside, lumen, URL)
    await leaving.finish(BY, "")
    async with db.unit(lumen) as unit:
        assert len(await former_accounts(unit)) == 1
    assert len(await _set_aside(db, lumen)) == 1
    await mend_endpoints(office, str(lumen))
    assert await shop.port.list_endpoints() == []
    assert await _set_aside(db, lumen) == []


async def test_who_goes_back_waits_for_whoever_gives_up(
    office: Office, db: Database, lumen: UUID
) -> None:
    vault = office.deployment.vault
    [name] = await _set_aside(db, lumen)

    async def go_back() -> None:
        async with office.deployment.db.unit(lumen) as unit:
            [account] = await former_accounts(unit)
            await return_to_account(unit, vault, account.account_id, account.mode)

    async def waits() -> object:
        async with db.system() as connection:
            return await connection.fetchval("select true from pg_locks where not granted")

    async with db.unit(lumen) as unit:
        # As a worker begins to give up.
        await unit.execute("update former_accounts set due_at = null where tenant_id = $1", lumen)
        going = asyncio.create_task(go_back())
        await until_awaited(waits)
        await vault.remove(unit.connection, lumen, name)
    await going
    assert await _set_aside(db, lumen) == []
