"""Tenants with a customer each, written in bulk by the superuser, as only a benchmark may."""

import base64
import hashlib
import uuid

import asyncpg
import msgspec

from benchmarks.machine import SUPERUSER, Machine
from guichet.auth.sessions import token_hash
from guichet.payments.choose import WEBHOOK_SECRET
from tenants.branding import Branding, Colours, Link
from tenants.catalog import Plan
from tenants.configuration import Configuration
from tenants.identity_providers import IdentityProvider
from tenants.vault import Vault

_NAMESPACE = uuid.UUID("6f1f3a5e-6f0b-4c55-9a35-1d9f2a0f6a11")


class Seeded(msgspec.Struct, frozen=True):
    """One tenant and its signed-in customer."""

    number: int

    @property
    def id(self) -> uuid.UUID:
        return uuid.uuid5(_NAMESPACE, str(self.number))

    @property
    def slug(self) -> str:
        return f"merchant-{self.number}"

    @property
    def host(self) -> str:
        return f"{self.slug}.localhost"

    @property
    def name(self) -> str:
        return f"Merchant {self.number} GmbH"

    @property
    def session_token(self) -> str:
        digest = hashlib.sha256(self.slug.encode()).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

    @property
    def cookie(self) -> str:
        """What the customer's browser sends, a choice of language included."""
        return f"guichet-session={self.session_token}"

    @property
    def signing_secret(self) -> str:
        """What the provider signs the events of this tenant with; only number 0 has it stored."""
        return f"whsec_{self.session_token}"

    @property
    def configuration(self) -> Configuration:
        """A published configuration of the usual size, with values of its own."""
        colour = hashlib.sha256(self.slug.encode()).hexdigest()
        return Configuration(
            locale="en",
            branding=Branding(
                theme="plain",
                light=Colours(accent=f"#{colour[:6]}"),
                dark=Colours(accent=f"#{colour[6:12]}"),
                radius=int(colour[12], 16),
                logo=colour,
                headline={
                    "en": f"Your subscription with {self.name}",
                    "fr": f"Votre abonnement chez {self.name}",
                },
                links=(
                    Link("Terms", f"https://{self.slug}.example.com/terms"),
                    Link("Privacy", f"https://{self.slug}.example.com/privacy"),
                    Link("Imprint", f"https://{self.slug}.example.com/imprint"),
                ),
            ),
            plans=tuple(self._plan(number) for number in range(3)),
            identity_providers=(
                IdentityProvider(
                    "account",
                    f"{self.name} account",
                    f"https://id.{self.slug}.example.com",
                    f"portal-{self.number}",
                ),
            ),
            support_email=f"help@{self.slug}.example.com",
        )

    def _plan(self, number: int) -> Plan:
        return Plan(
            price_id=f"price_{self.number}_{number}",
            description={
                "en": "Everything in the plan below, and twice as many projects and exports.",
                "fr": "Tout ce que contient l'offre inférieure, et deux fois plus de projets.",
            },
            highlight=number == 1,
        )


async def seed(machine: Machine, database: str, count: int) -> list[Seeded]:
    """Write `count` tenants into an empty database; each has a subscription, ten invoices, a
    card and a session. The first one's signing secret is in the vault.
    """
    tenants = [Seeded(number) for number in range(count)]
    connection = await asyncpg.connect(machine.postgres.url(SUPERUSER, database))
    try:
        async with connection.transaction():
            await _write_tenants(connection, tenants)
            await _write_mirror(connection)
            vault = Vault([machine.master_key])
            first = tenants[0]
            await vault.store(connection, first.id, WEBHOOK_SECRET, first.signing_secret)
        await connection.execute("vacuum analyze")
    finally:
        await connection.close()
    return tenants


async def _write_tenants(
    connection: "asyncpg.Connection[asyncpg.Record]", tenants: list[Seeded]
) -> None:
    agency = await connection.fetchval(
        "insert into agencies (slug, name) values ('atelier', 'Atelier') returning id"
    )
    await connection.copy_records_to_table(
        "tenants",
        columns=["id", "agency_id", "slug", "name", "published_version"],
        records=[(it.id, agency, it.slug, it.name, 1) for it in tenants],
    )
    await connection.copy_records_to_table(
        "configurations",
        columns=["tenant_id", "version", "document", "published_by"],
        records=[
            (it.id, 1, msgspec.json.encode(it.configuration).decode(), "benchmark")
            for it in tenants
        ],
    )
    await connection.execute("create temporary table tokens (tenant_id uuid, hash bytea)")
    await connection.copy_records_to_table(
        "tokens", records=[(it.id, token_hash(it.session_token)) for it in tenants]
    )


async def _write_mirror(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """What the provider's copies are, for every tenant at once."""
    await connection.execute(
        """
        insert into customers
          (tenant_id, id, email, name, currency, default_payment_method_id, created_at, copy_no)
        select
          id, 'cus_' || slug, 'camille@' || slug || '.example.com', 'Camille Laurent', 'eur',
          'pm_' || slug, now() - interval '400 days', nextval('mirror_copies')
        from tenants;

        insert into payment_methods
          (tenant_id, id, customer_id, type, brand, last4, exp_month, exp_year, created_at, copy_no)
        select
          id, 'pm_' || slug, 'cus_' || slug, 'card', 'visa', '4242', 11,
          extract(year from now())::int + 3, now() - interval '400 days', nextval('mirror_copies')
        from tenants;

        insert into products (tenant_id, id, name, active, copy_no)
        select
          tenant.id, 'prod_' || substr(slug, 10) || '_' || n,
          (array['Solo', 'Studio', 'Atelier'])[n + 1], true, nextval('mirror_copies')
        from tenants as tenant, generate_series(0, 2) as n;

        insert into prices
          (tenant_id, id, product_id, currency, unit_amount, interval, interval_count, active,
          copy_no)
        select
          tenant.id, 'price_' || substr(slug, 10) || '_' || n,
          'prod_' || substr(slug, 10) || '_' || n, 'eur', 1200 * (n + 1), 'month', 1, true,
          nextval('mirror_copies')
        from tenants as tenant, generate_series(0, 2) as n;

        insert into subscriptions
          (tenant_id, id, customer_id, status, currency, default_payment_method_id,
          cancel_at_period_end, current_period_start_at, current_period_end_at, created_at, copy_no)
        select
          id, 'sub_' || slug, 'cus_' || slug, 'active', 'eur', 'pm_' || slug, false,
          now() - interval '10 days', now() + interval '20 days', now() - interval '400 days',
          nextval('mirror_copies')
        from tenants;

        insert into subscription_items
          (tenant_id, subscription_id, id, position, price_id, quantity)
        select id, 'sub_' || slug, 'si_' || slug, 0, 'price_' || substr(slug, 10) || '_1', 1
        from tenants;

        insert into invoices
          (tenant_id, id, customer_id, subscription_id, number, status, currency, total,
          amount_paid, amount_remaining, attempt_count, created_at, copy_no)
        select
          tenant.id, 'in_' || slug || '_' || n, 'cus_' || slug, 'sub_' || slug,
          'M' || substr(slug, 10) || '-' || lpad(n::text, 4, '0'), 'paid', 'eur',
          2400, 2400, 0, 1, now() - n * interval '30 days', nextval('mirror_copies')
        from tenants as tenant, generate_series(1, 10) as n;

        insert into sessions (tenant_id, token_hash, customer_id, provider, device, expires_at)
        select
          tenant.id, token.hash, 'cus_' || tenant.slug, 'account', 'Firefox on Linux',
          now() + interval '7 days'
        from tenants as tenant
        join tokens as token on token.tenant_id = tenant.id;

        drop table tokens;
        """
    )
