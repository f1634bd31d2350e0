"""The versions of a portal's configuration that were published: all of them are kept."""

from datetime import datetime
from uuid import UUID

import msgspec

from tenants.checks import InvalidConfiguration, broken_rules
from tenants.configuration import (
    NOTHING_PUBLISHED,
    Published,
    UnknownVersion,
    load_published,
    load_version,
    publish,
)
from tenants.connection import Connection
from tenants.drafts import lock_configuration
from tenants.errors import TenantsError

#: How many versions a page of the history shows.
PAGE_SIZE = 25


class PublishedMeanwhile(TenantsError):
    """Another version is published than the one that was looked at."""


class Version(msgspec.Struct, frozen=True):
    """One publication."""

    version: int
    published_at: datetime
    published_by: str
    reason: str


async def list_versions(
    connection: Connection, tenant_id: UUID, before: int | None = None
) -> list[Version]:
    """A page of the versions below a number, the newest first; one more tells that there are."""
    rows = await connection.fetch(
        """
        select version, published_at, published_by, reason
        from configurations
        where tenant_id = $1
        and version < coalesce($2::integer, 2147483647)
        order by version desc
        limit $3
        """,
        tenant_id,
        before,
        PAGE_SIZE + 1,
    )
    return [Version(**row) for row in rows]


async def find_version(connection: Connection, tenant_id: UUID, version: int) -> Version:
    """Who published a version, and why. Raises `UnknownVersion`."""
    row = await connection.fetchrow(
        """
        select version, published_at, published_by, reason
        from configurations
        where tenant_id = $1
        and version = $2
        """,
        tenant_id,
        version,
    )
    if row is None:
        raise UnknownVersion(f"version {version} was never published")
    return Version(**row)


async def load_predecessor(connection: Connection, tenant_id: UUID, version: int) -> Published:
    """What was published before a version; the empty configuration before the first one."""
    if version <= 1:
        return NOTHING_PUBLISHED
    return await load_version(connection, tenant_id, version - 1)


async def roll_back(
    connection: Connection,
    tenant_id: UUID,
    version: int,
    published_by: str,
    reason: str,
    seen: int,
) -> int:
    """Publish a former version anew and answer its new number; the draft stays as it is.

    Raises `UnknownVersion`, `InvalidConfiguration` where today's rules forbid what was allowed
    once, and `PublishedMeanwhile` unless the version `seen` is still the published one.
    """
    await lock_configuration(connection, tenant_id)
    published = await load_published(connection, tenant_id)
    if published.version != seen:
        raise PublishedMeanwhile(f"version {published.version} is published")
    former = await load_version(connection, tenant_id, version)
    mistakes = tuple(broken_rules(former.configuration))
    if mistakes:
        raise InvalidConfiguration(mistakes)
    return await publish(connection, tenant_id, former.configuration, published_by, reason)
