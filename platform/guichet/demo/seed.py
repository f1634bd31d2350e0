"""Makes the demo's agency, merchants, customers and their year. Every step may be repeated."""

import asyncio
import secrets
from datetime import UTC, datetime
from uuid import UUID

import httpx
import msgspec
import stripe

from guichet.billing.importing import import_tenant
from guichet.billing.imports import ImportAtWork
from guichet.db import Database, connect
from guichet.demo.history import live_a_year, stripe_client
from guichet.demo.merchants import ALL, Merchant, logo
from guichet.demo.people import AGENCY, STAFF
from guichet.payments.choose import SECRET_KEY, WEBHOOK_SECRET, Providers
from guichet.payments.port import PaymentProvider
from guichet.settings import Settings
from tenants.agencies import Agency, UnknownAgency, add_agency, find_agency
from tenants.assets import store_asset
from tenants.catalog import Plan
from tenants.configuration import Configuration, load_published, publish
from tenants.identity_providers import IdentityProvider, secret_name
from tenants.members import put_agency_member, put_tenant_member
from tenants.retries import RetryPolicy
from tenants.staff import add_staff
from tenants.tenant import UnknownTenant, add_tenant, find_tenant
from tenants.vault import Vault

_ACTOR = "guichet demo"
_PROVIDER = "demo"
#: Requests a second: nobody else's customers wait for the sandbox.
_SANDBOX_RATE = 500.0


async def seed(settings: Settings, sandbox_url: str, issuer: str) -> None:
    """Make whatever of the demo is not there yet, and point it at these addresses."""
    vault = Vault(settings.master_keys)
    async with (
        connect(settings.database_url, connections=4) as db,
        Providers(settings, db, vault) as providers,
    ):
        agency = await _agency(db)
        for merchant in ALL:
            maker = _Maker(settings, db, vault, providers, sandbox_url, issuer)
            await maker.make(agency, merchant)
        await _staff(db, agency)


async def _agency(db: Database) -> Agency:
    slug, name = AGENCY
    async with db.system() as connection:
        try:
            return await find_agency(connection, slug)
        except UnknownAgency:
            return await add_agency(connection, slug, name)


async def _staff(db: Database, agency: Agency) -> None:
    owner, admin = STAFF
    async with db.system() as connection:
        keeper = await add_staff(connection, owner.email, owner.name)
        await put_agency_member(connection, agency.id, keeper, "owner", _ACTOR)
        helper = await add_staff(connection, admin.email, admin.name)
        merchant = await find_tenant(connection, "lumen")
        await put_tenant_member(connection, merchant.id, helper, "admin", _ACTOR)


class _Maker:
    """Makes one merchant after the other with the same tools."""

    def __init__(
        self,
        settings: Settings,
        db: Database,
        vault: Vault,
        providers: Providers,
        sandbox_url: str,
        issuer: str,
    ) -> None:
        self._settings = settings
        self._db = db
        self._vault = vault
        self._providers = providers
        self._sandbox_url = sandbox_url
        self._issuer = issuer

    async def make(self, agency: Agency, merchant: Merchant) -> None:
        tenant_id = await self._tenant(agency, merchant)
        async with self._db.unit(tenant_id) as unit:
            published = await load_published(unit.connection, tenant_id)
            key = await self._vault.open(unit.connection, tenant_id, SECRET_KEY)
        if key is None:
            # A key is an account of its own, kept only once its year is whole.
            key = f"sk_test_{merchant.slug}{secrets.token_hex(12)}"
            client = stripe_client(key, self._sandbox_url)
            # The first call makes the account. It is named before the year begins: invoices say
            # who sends them as it was when they were finalized.
            await client.v1.accounts.retrieve_current_async()
            await self._name_account(merchant, key)
            prices = await live_a_year(client, merchant, datetime.now(UTC))
            await self._publish_first(tenant_id, merchant, key, prices)
        else:
            await self._bring_up_to_date(tenant_id, merchant, published.configuration)
        await self._receive_events(tenant_id, merchant, key)
        provider = await self._providers.client(tenant_id)
        await self._import(provider, tenant_id)

    async def _import(self, provider: PaymentProvider, tenant_id: UUID) -> None:
        """Copy the account; where an import was killed a moment ago, once its lease has run out."""
        while True:
            try:
                await import_tenant(self._db, provider, tenant_id, rate=_SANDBOX_RATE)
                return
            except ImportAtWork:
                await asyncio.sleep(1)

    async def _name_account(self, merchant: Merchant, key: str) -> None:
        """Have the sandbox call the account by its merchant's name, on invoices for one."""
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.post(
                f"{self._sandbox_url}/_control/settings",
                headers={"authorization": f"Bearer {key}"},
                json={"name": merchant.name},
            )
            answer.raise_for_status()

    async def _tenant(self, agency: Agency, merchant: Merchant) -> UUID:
        async with self._db.system() as connection:
            try:
                return (await find_tenant(connection, merchant.slug)).id
            except UnknownTenant:
                return (await add_tenant(connection, agency, merchant.slug, merchant.name)).id

    async def _publish_first(
        self, tenant_id: UUID, merchant: Merchant, key: str, prices: dict[str, str]
    ) -> None:
        async with self._db.unit(tenant_id) as unit:
            store = unit.connection
            pictures = [
                await store_asset(store, tenant_id, logo(merchant, dark), "image/svg+xml")
                for dark in (False, True)
            ]
            await self._vault.store(store, tenant_id, SECRET_KEY, key)
            await self._vault.store(
                store, tenant_id, secret_name(_PROVIDER), secrets.token_urlsafe(24)
            )
            configuration = Configuration(
                locale=merchant.locale,
                branding=msgspec.structs.replace(
                    merchant.branding, logo=pictures[0], logo_dark=pictures[1]
                ),
                plans=_plans(merchant, prices),
                changes=merchant.changes,
                retries=merchant.retries,
                identity_providers=(self._identity_provider(merchant),),
                support_email=merchant.support_email,
            )
            await publish(store, tenant_id, configuration, _ACTOR, "First version of the demo.")

    async def _bring_up_to_date(
        self, tenant_id: UUID, merchant: Merchant, configuration: Configuration
    ) -> None:
        """Follow the identity provider, and have a policy where an older demo had none."""
        untouched = configuration.retries == RetryPolicy()
        changed = msgspec.structs.replace(
            configuration,
            identity_providers=(self._identity_provider(merchant),),
            retries=merchant.retries if untouched else configuration.retries,
        )
        if changed != configuration:
            async with self._db.unit(tenant_id) as unit:
                await publish(unit.connection, tenant_id, changed, _ACTOR, "The demo has changed.")

    def _identity_provider(self, merchant: Merchant) -> IdentityProvider:
        return IdentityProvider(
            id=_PROVIDER,
            label=merchant.name,
            issuer=self._issuer,
            client_id=f"guichet-{merchant.slug}",
        )

    async def _receive_events(self, tenant_id: UUID, merchant: Merchant, key: str) -> None:
        """Have the sandbox deliver this account's events to the merchant's portal."""
        client = stripe_client(key, self._sandbox_url)
        host = f"{merchant.slug}.{self._settings.base_domain}"
        url = f"{self._settings.url_scheme}://{host}/webhooks/stripe"
        endpoints = (await client.v1.webhook_endpoints.list_async({"limit": 10})).data
        if any(endpoint.url == url for endpoint in endpoints):
            return
        for endpoint in endpoints:
            await client.v1.webhook_endpoints.delete_async(endpoint.id)
        made = await client.v1.webhook_endpoints.create_async({"url": url, "enabled_events": ["*"]})
        if not made.secret:
            raise stripe.StripeError("the sandbox gave the webhook endpoint no secret")
        async with self._db.unit(tenant_id) as unit:
            await self._vault.store(unit.connection, tenant_id, WEBHOOK_SECRET, made.secret)


def _plans(merchant: Merchant, prices: dict[str, str]) -> tuple[Plan, ...]:
    return tuple(
        Plan(
            price_id=prices[offer.key],
            description={"en": offer.english, "fr": offer.french},
            highlight=offer.highlight,
            quantity_max=offer.quantity_max,
        )
        for offer in merchant.offers
    )
