"""A portal's configuration: one document, published in versions that are all kept."""

from uuid import UUID

import msgspec

from tenants.branding import Branding
from tenants.cancelling import CancelRules
from tenants.catalog import ChangeRules, Plan
from tenants.connection import Connection
from tenants.errors import TenantsError
from tenants.features import Features
from tenants.identity_providers import IdentityProvider
from tenants.mails import Mails
from tenants.retries import RetryPolicy
from tenants.texts import Texts

#: In bytes of JSON. A merchant's own CSS is the largest part of a document.
LARGEST_DOCUMENT = 256 * 1024


class UnknownVersion(TenantsError):
    """The tenant has no such version of its configuration."""


class DocumentTooLarge(TenantsError):
    """The configuration is larger than one that is kept in memory may be."""


class Configuration(msgspec.Struct, frozen=True, omit_defaults=True):
    """Everything that a merchant publishes. Unknown fields of a later release are ignored."""

    #: The language of a visitor of whom nothing better is known: en or fr.
    locale: str = "en"
    branding: Branding = msgspec.field(default_factory=Branding)
    plans: tuple[Plan, ...] = ()
    changes: ChangeRules = msgspec.field(default_factory=ChangeRules)
    cancel: CancelRules = msgspec.field(default_factory=CancelRules)
    features: Features = msgspec.field(default_factory=Features)
    texts: Texts = msgspec.field(default_factory=Texts)
    identity_providers: tuple[IdentityProvider, ...] = ()
    support_email: str = ""
    retries: RetryPolicy = msgspec.field(default_factory=RetryPolicy)
    mails: Mails = msgspec.field(default_factory=Mails)


class Published(msgspec.Struct, frozen=True):
    """A published version with its number, counted from 1; 0 is the empty one of a new tenant."""

    version: int
    configuration: Configuration


NOTHING_PUBLISHED = Published(0, Configuration())


async def load_published(connection: Connection, tenant_id: UUID) -> Published:
    """Read the published version; a tenant that never published has `NOTHING_PUBLISHED`."""
    row = await connection.fetchrow(
        """
        select configuration.version, configuration.document::text
        from tenants as tenant
        join configurations as configuration
          on configuration.tenant_id = tenant.id
          and configuration.version = tenant.published_version
        where tenant.id = $1
        """,
        tenant_id,
    )
    if row is None:
        return NOTHING_PUBLISHED
    return Published(row["version"], msgspec.json.decode(row["document"], type=Configuration))


async def load_version(connection: Connection, tenant_id: UUID, version: int) -> Published:
    """Read one version that was published once. Raises `UnknownVersion`."""
    document = await connection.fetchval(
        """
        select document::text
        from configurations
        where tenant_id = $1
        and version = $2
        """,
        tenant_id,
        version,
    )
    if document is None:
        raise UnknownVersion(f"version {version} was never published")
    return Published(version, msgspec.json.decode(document, type=Configuration))


async def publish(
    connection: Connection,
    tenant_id: UUID,
    configuration: Configuration,
    published_by: str,
    reason: str = "",
) -> int:
    """Publish a new version and answer its number; every process learns of it at the commit.

    Raises `DocumentTooLarge`.
    """
    document = msgspec.json.encode(configuration)
    if len(document) > LARGEST_DOCUMENT:
        raise DocumentTooLarge(f"a configuration has at most {LARGEST_DOCUMENT} bytes")
    # Two publishers get two numbers: the second one waits here, and counts in a statement of its
    # own, which sees what the first one has published.
    await connection.execute(
        """
        select id
        from tenants
        where id = $1
        for no key update
        """,
        tenant_id,
    )
    version = await connection.fetchval(
        """
        insert into configurations (tenant_id, version, document, published_by, reason)
        select $1, coalesce(max(version), 0) + 1, $2::jsonb, $3, $4
        from configurations
        where tenant_id = $1
        returning version
        """,
        tenant_id,
        document.decode(),
        published_by,
        reason,
    )
    await connection.execute(
        "update tenants set published_version = $2 where id = $1", tenant_id, version
    )
    return int(version)
