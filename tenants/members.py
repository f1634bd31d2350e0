"""Members of agencies and merchants: who belongs there, in which role, and since when."""

from datetime import datetime
from uuid import UUID

import msgspec

from tenants.connection import Connection
from tenants.staff import AgencyRole, Staff, TenantRole


class Member(msgspec.Struct, frozen=True):
    """One person of a workspace."""

    staff_id: UUID
    email: str
    name: str
    role: str
    added_at: datetime
    added_by: str


async def put_agency_member(
    connection: Connection, agency_id: UUID, staff: Staff, role: AgencyRole, added_by: str
) -> None:
    """Let somebody into an agency, or change their role; `connection` acts as `guichet_system`."""
    await connection.execute(
        """
        insert into agency_members (agency_id, staff_id, email, name, role, added_by)
        values ($1, $2, $3, $4, $5, $6)
        on conflict (agency_id, staff_id) do update
        set role = excluded.role
        """,
        agency_id,
        staff.id,
        staff.email,
        staff.name,
        role,
        added_by,
    )


async def put_tenant_member(
    connection: Connection, tenant_id: UUID, staff: Staff, role: TenantRole, added_by: str
) -> None:
    """Let somebody into a merchant's workspace, or change their role; as `guichet_system`."""
    await connection.execute(
        """
        insert into tenant_members (tenant_id, staff_id, email, name, role, added_by)
        values ($1, $2, $3, $4, $5, $6)
        on conflict (tenant_id, staff_id) do update
        set role = excluded.role
        """,
        tenant_id,
        staff.id,
        staff.email,
        staff.name,
        role,
        added_by,
    )
