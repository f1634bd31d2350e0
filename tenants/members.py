"""Members of agencies and merchants: who belongs there, in which role, and since when."""

from datetime import datetime
from uuid import UUID

import msgspec

from tenants.connection import Connection
from tenants.staff import AgencyRole, Kind, Staff, TenantRole


class Member(msgspec.Struct, frozen=True):
    """One person of a workspace."""

    staff_id: UUID
    email: str
    name: str
    role: str
    added_at: datetime
    added_by: str


async def put_agency_member(
    connection: Connection,
    agency_id: UUID,
    staff: Staff,
    role: AgencyRole,
    added_by: str,
    *,
    keep: bool = False,
) -> None:
    """Let somebody into an agency, or change their role; `connection` acts as `guichet_system`.

    With `keep` whoever is a member already stays what they are.
    """
    await connection.execute(
        """
        insert into agency_members (agency_id, staff_id, email, name, role, added_by)
        values ($1, $2, $3, $4, $5, $6)
        on conflict (agency_id, staff_id) do update
        set role = case when $7 then agency_members.role else excluded.role end
        """,
        agency_id,
        staff.id,
        staff.email,
        staff.name,
        role,
        added_by,
        keep,
    )


async def put_tenant_member(
    connection: Connection,
    tenant_id: UUID,
    staff: Staff,
    role: TenantRole,
    added_by: str,
    *,
    keep: bool = False,
) -> None:
    """Let somebody into a merchant's workspace, or change their role; as `guichet_system`."""
    await connection.execute(
        """
        insert into tenant_members (tenant_id, staff_id, email, name, role, added_by)
        values ($1, $2, $3, $4, $5, $6)
        on conflict (tenant_id, staff_id) do update
        set role = case when $7 then tenant_members.role else excluded.role end
        """,
        tenant_id,
        staff.id,
        staff.email,
        staff.name,
        role,
        added_by,
        keep,
    )


async def list_members(connection: Connection, kind: Kind, workspace_id: UUID) -> list[Member]:
    """Everybody who belongs to a workspace, in the order in which they came.

    Those of a merchant's agency are there by their own right, and not among them.
    """
    if kind == "agency":
        rows = await connection.fetch(
            """
            select staff_id, email, name, role, added_at, added_by
            from agency_members
            where agency_id = $1
            order by added_at, email
            """,
            workspace_id,
        )
    else:
        rows = await connection.fetch(
            """
            select staff_id, email, name, role, added_at, added_by
            from tenant_members
            where tenant_id = $1
            order by added_at, email
            """,
            workspace_id,
        )
    return [Member(**row) for row in rows]


async def list_keepers(connection: Connection, tenant_id: UUID) -> list[Member]:
    """The people of a merchant's agency; `connection` acts as `guichet_system`."""
    rows = await connection.fetch(
        """
        select member.staff_id, member.email, member.name, member.role, member.added_at,
          member.added_by
        from tenants as tenant
        join agency_members as member on member.agency_id = tenant.agency_id
        where tenant.id = $1
        order by member.added_at, member.email
        """,
        tenant_id,
    )
    return [Member(**row) for row in rows]


async def lock_members(connection: Connection, kind: Kind, workspace_id: UUID) -> list[Member]:
    """Everybody who belongs to a workspace, none of whom changes before the transaction's end.

    Two who act at once go one after the other, so that an owner is left.
    """
    if kind == "agency":
        rows = await connection.fetch(
            """
            select staff_id, email, name, role, added_at, added_by
            from agency_members
            where agency_id = $1
            order by staff_id
            for update
            """,
            workspace_id,
        )
    else:
        rows = await connection.fetch(
            """
            select staff_id, email, name, role, added_at, added_by
            from tenant_members
            where tenant_id = $1
            order by staff_id
            for update
            """,
            workspace_id,
        )
    return [Member(**row) for row in rows]


async def set_role(
    connection: Connection, kind: Kind, workspace_id: UUID, staff_id: UUID, role: str
) -> None:
    """Change what somebody is in a workspace."""
    if kind == "agency":
        await connection.execute(
            """
            update agency_members
            set role = $3
            where agency_id = $1
            and staff_id = $2
            """,
            workspace_id,
            staff_id,
            role,
        )
    else:
        await connection.execute(
            """
            update tenant_members
            set role = $3
            where tenant_id = $1
            and staff_id = $2
            """,
            workspace_id,
            staff_id,
            role,
        )


async def remove_member(
    connection: Connection, kind: Kind, workspace_id: UUID, staff_id: UUID
) -> None:
    """Take somebody out of a workspace: from their next request on they may do nothing there."""
    if kind == "agency":
        await connection.execute(
            """
            delete from agency_members
            where agency_id = $1
            and staff_id = $2
            """,
            workspace_id,
            staff_id,
        )
    else:
        await connection.execute(
            """
            delete from tenant_members
            where tenant_id = $1
            and staff_id = $2
            """,
            workspace_id,
            staff_id,
        )
