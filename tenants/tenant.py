"""A tenant: one merchant with a portal, belonging to an agency."""

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from tenants.agencies import Agency
from tenants.connection import Connection
from tenants.errors import TenantsError
from tenants.slugs import SlugTaken, check_slug

Status = Literal["active", "suspended"]


class UnknownTenant(TenantsError):
    """There is no tenant with this slug."""


class Tenant(msgspec.Struct, frozen=True):
    """A merchant. A suspended one keeps all it has; its portal answers that it is closed."""

    id: UUID
    agency: str
    slug: str
    name: str
    status: Status
    #: None when nothing was published yet.
    published_version: int | None
    created_at: datetime
    changed_at: datetime


async def add_tenant(connection: Connection, agency: Agency, slug: str, name: str) -> Tenant:
    """Raises `MalformedSlug`, `ReservedSlug` or `SlugTaken`."""
    check_slug(slug)
    row = await connection.fetchrow(
        """
        insert into tenants (agency_id, slug, name)
        values ($1, $2, $3)
        on conflict (slug) do nothing
        returning id, slug, name, status, published_version, created_at, changed_at
        """,
        agency.id,
        slug,
        name,
    )
    if row is None:
        raise SlugTaken(f"there is a tenant {slug} already")
    return Tenant(agency=agency.slug, **row)


async def find_tenant(connection: Connection, slug: str) -> Tenant:
    """Raises `UnknownTenant`."""
    row = await connection.fetchrow(
        """
        select
          tenant.id,
          agency.slug as agency,
          tenant.slug,
          tenant.name,
          tenant.status,
          tenant.published_version,
          tenant.created_at,
          tenant.changed_at
        from tenants as tenant
        join agencies as agency on agency.id = tenant.agency_id
        where tenant.slug = $1
        """,
        slug,
    )
    if row is None:
        raise UnknownTenant(f"there is no tenant {slug}")
    return Tenant(**row)


async def list_tenants(
    connection: Connection, agency: str | None = None, after: str = "", limit: int = 100
) -> list[Tenant]:
    """A page of tenants by slug, those after the slug `after`; of one agency or of all."""
    rows = await connection.fetch(
        """
        select
          tenant.id,
          agency.slug as agency,
          tenant.slug,
          tenant.name,
          tenant.status,
          tenant.published_version,
          tenant.created_at,
          tenant.changed_at
        from tenants as tenant
        join agencies as agency on agency.id = tenant.agency_id
        where tenant.slug > $1
        and ($2::text is null or agency.slug = $2)
        order by tenant.slug
        limit $3
        """,
        after,
        agency,
        limit,
    )
    return [Tenant(**row) for row in rows]


async def set_status(connection: Connection, tenant_id: UUID, status: Status) -> bool:
    """Whether this changed anything; every process learns of it at the commit."""
    changed = await connection.fetchval(
        """
        update tenants
        set status = $2
        where id = $1
        and status <> $2
        returning true
        """,
        tenant_id,
        status,
    )
    return bool(changed)
