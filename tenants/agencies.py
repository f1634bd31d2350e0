"""Agencies: who hosts portals for merchants."""

from datetime import datetime
from uuid import UUID

import msgspec

from tenants.connection import Connection
from tenants.errors import TenantsError
from tenants.slugs import SlugTaken, check_slug


class UnknownAgency(TenantsError):
    """There is no agency with this slug."""


class Agency(msgspec.Struct, frozen=True):
    """An agency with the number of its tenants."""

    id: UUID
    slug: str
    name: str
    created_at: datetime
    tenants: int = 0


async def add_agency(connection: Connection, slug: str, name: str) -> Agency:
    """Raises `MalformedSlug`, `ReservedSlug` or `SlugTaken`."""
    check_slug(slug)
    row = await connection.fetchrow(
        """
        insert into agencies (slug, name)
        values ($1, $2)
        on conflict (slug) do nothing
        returning id, slug, name, created_at
        """,
        slug,
        name,
    )
    if row is None:
        raise SlugTaken(f"there is an agency {slug} already")
    return Agency(**row)


async def find_agency(connection: Connection, slug: str) -> Agency:
    """Raises `UnknownAgency`."""
    row = await connection.fetchrow(
        """
        select
          agency.id,
          agency.slug,
          agency.name,
          agency.created_at,
          (select count(1) from tenants as tenant where tenant.agency_id = agency.id) as tenants
        from agencies as agency
        where agency.slug = $1
        """,
        slug,
    )
    if row is None:
        raise UnknownAgency(f"there is no agency {slug}")
    return Agency(**row)


async def list_agencies(connection: Connection, after: str = "", limit: int = 100) -> list[Agency]:
    """A page of agencies by slug, those after the slug `after`."""
    rows = await connection.fetch(
        """
        select
          agency.id,
          agency.slug,
          agency.name,
          agency.created_at,
          (select count(1) from tenants as tenant where tenant.agency_id = agency.id) as tenants
        from agencies as agency
        where agency.slug > $1
        order by agency.slug
        limit $2
        """,
        after,
        limit,
    )
    return [Agency(**row) for row in rows]
