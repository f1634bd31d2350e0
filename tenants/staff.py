"""Staff: people who work for agencies and merchants, and which workspaces each may enter."""

import re
from typing import Literal
from uuid import UUID

import msgspec

from tenants.connection import Connection
from tenants.errors import TenantsError

TenantRole = Literal["owner", "admin", "support", "analyst"]
AgencyRole = Literal["owner", "member"]
#: What somebody is in a merchant's workspace. The agency's people are there by their own right.
Role = Literal["agency_owner", "agency_member", "owner", "admin", "support", "analyst"]

#: What a workspace is one of.
Kind = Literal["agency", "merchant"]

# ASCII only: two spellings of one address would be two people.
_EMAIL = re.compile(r"[a-z0-9._%+'=-]{1,64}@[a-z0-9-]+(\.[a-z0-9-]+)+", re.ASCII)
_LONGEST_EMAIL = 254
#: A switcher names no more workspaces than this; an agency's merchants stand in its own list.
_MOST_WORKSPACES = 100


class MalformedEmail(TenantsError):
    """Not an address of mail that staff can have."""


class Staff(msgspec.Struct, frozen=True):
    """One person."""

    id: UUID
    email: str
    name: str
    #: The language chosen in the console, if any.
    locale: str | None


class Workspace(msgspec.Struct, frozen=True):
    """An agency or a merchant that somebody may enter, and as what."""

    kind: Kind
    id: UUID
    slug: str
    name: str
    role: Role
    #: Of a merchant: active or suspended.
    status: str = "active"
    #: Of a merchant: its agency's slug, where the person belongs to the agency.
    agency: str | None = None


def canonical_email(email: str) -> str:
    """An address as it is kept: lower-case, without blanks around it. Raises `MalformedEmail`."""
    plain = email.strip().lower()
    if len(plain) > _LONGEST_EMAIL or not _EMAIL.fullmatch(plain):
        raise MalformedEmail(f"{email!r} is no address of mail")
    return plain


async def find_staff(connection: Connection, email: str) -> Staff | None:
    """The person with this canonical address; `connection` acts as `guichet_system`."""
    row = await connection.fetchrow(
        """
        select id, email, name, locale
        from staff
        where email = $1
        """,
        email,
    )
    return Staff(**row) if row else None


async def add_staff(connection: Connection, email: str, name: str = "") -> Staff:
    """The person with this address, made where there is none. Raises `MalformedEmail`."""
    plain = canonical_email(email)
    await connection.execute(
        """
        insert into staff (email, name)
        values ($1, $2)
        on conflict (email) do nothing
        """,
        plain,
        name,
    )
    found = await find_staff(connection, plain)
    assert found is not None
    return found


async def list_workspaces(connection: Connection, staff_id: UUID) -> list[Workspace]:
    """Agencies and merchants that somebody belongs to, agencies first, a hundred at most.

    The merchants of an agency are not among them; `connection` acts as `guichet_system`.
    """
    rows = await connection.fetch(
        """
        select
          'agency' as kind,
          agency.id,
          agency.slug,
          agency.name,
          'agency_' || member.role as role,
          'active' as status
        from agency_members as member
        join agencies as agency on agency.id = member.agency_id
        where member.staff_id = $1
        union all
        select 'merchant', tenant.id, tenant.slug, tenant.name, member.role, tenant.status
        from tenant_members as member
        join tenants as tenant on tenant.id = member.tenant_id
        where member.staff_id = $1
        order by kind, name, slug
        limit $2
        """,
        staff_id,
        _MOST_WORKSPACES,
    )
    return [msgspec.convert(dict(row), Workspace) for row in rows]


async def find_agency_workspace(
    connection: Connection, staff_id: UUID, slug: str
) -> Workspace | None:
    """The agency with this slug, if the person belongs to it."""
    row = await connection.fetchrow(
        """
        select
          'agency' as kind,
          agency.id,
          agency.slug,
          agency.name,
          'agency_' || member.role as role
        from agencies as agency
        join agency_members as member
          on member.agency_id = agency.id
          and member.staff_id = $1
        where agency.slug = $2
        """,
        staff_id,
        slug,
    )
    return msgspec.convert(dict(row), Workspace) if row else None


async def find_merchant_workspace(
    connection: Connection, staff_id: UUID, slug: str
) -> Workspace | None:
    """The merchant with this slug, if the person belongs to it or to its agency.

    Whoever belongs to both is there with the agency's rights, which are the wider ones.
    """
    row = await connection.fetchrow(
        """
        select
          'merchant' as kind,
          tenant.id,
          tenant.slug,
          tenant.name,
          coalesce('agency_' || keeper.role, member.role) as role,
          tenant.status,
          case when keeper.role is not null then agency.slug end as agency
        from tenants as tenant
        join agencies as agency on agency.id = tenant.agency_id
        left join agency_members as keeper
          on keeper.agency_id = tenant.agency_id
          and keeper.staff_id = $1
        left join tenant_members as member
          on member.tenant_id = tenant.id
          and member.staff_id = $1
        where tenant.slug = $2
        and coalesce(keeper.role, member.role) is not null
        """,
        staff_id,
        slug,
    )
    return msgspec.convert(dict(row), Workspace) if row else None
