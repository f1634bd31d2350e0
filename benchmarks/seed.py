"""Tenants with a customer each, written in bulk by the superuser, as only a benchmark may."""

import base64
import hashlib
import uuid
from pathlib import Path

import asyncpg
import msgspec

from benchmarks.machine import SUPERUSER, Machine
from guichet.auth.sessions import token_hash
from guichet.payments.choose import WEBHOOK_SECRET
from tenants.branding import Branding, Colours, Link
from tenants.catalog import Plan
from tenants.configuration import Configuration
from tenants.identity_providers import IdentityProvider
from tenants.texts import Texts
from tenants.vault import Vault

_MIRROR = Path(__file__).with_name("seed.sql")
#: What a merchant who writes CSS at all writes, 2 kB of it.
_CSS = "\n".join(
    f".card:nth-child({place}) > .price {{ color: var(--accent-text); padding: {place}px; }}"
    for place in range(1, 25)
)
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
        """A published configuration: every option of the pages in use, with values of its own."""
        colour = hashlib.sha256(self.slug.encode()).hexdigest()
        return Configuration(
            locale="en",
            branding=Branding(
                theme="plain",
                light=Colours(accent=f"#{colour[:6]}"),
                dark=Colours(accent=f"#{colour[6:12]}", background="#101010"),
                font="serif",
                radius=int(colour[12], 16),
                density="compact",
                logo=colour,
                logo_dark=colour[::-1],
                favicon=colour[32:] + colour[:32],
                headline={
                    "en": f"Your subscription with {self.name}",
                    "fr": f"Votre abonnement chez {self.name}",
                },
                links=(
                    Link("Terms", f"https://{self.slug}.example.com/terms"),
                    Link("Privacy", f"https://{self.slug}.example.com/privacy"),
                    Link("Imprint", f"https://{self.slug}.example.com/imprint"),
                ),
                css=_CSS,
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
            texts=Texts(
                **{
                    place: {
                        "en": f"{self.name} says hello.\nWe answer within a day.",
                        "fr": f"{self.name} vous salue.\nNous répondons en un jour.",
                    }
                    for place in Texts.__struct_fields__
                }
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
            await write_tenants(connection, tenants)
            await connection.execute(_MIRROR.read_text())
            vault = Vault([machine.master_key])
            first = tenants[0]
            await vault.store(connection, first.id, WEBHOOK_SECRET, first.signing_secret)
        await connection.execute("vacuum analyze")
    finally:
        await connection.close()
    return tenants


async def write_tenants(
    connection: "asyncpg.Connection[asyncpg.Record]", tenants: list[Seeded]
) -> None:
    """Write the tenants with nothing but their published configurations.

    Leaves the hashes of their sessions' tokens in the temporary table `tokens`.
    """
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
