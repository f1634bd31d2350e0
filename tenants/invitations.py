"""Invitations to a workspace: for one address of mail, for one role, for seven days, once.

An invitation is good for as long as whoever made it might make it: it ends with their role. All of
it runs as `guichet_system`, but for what says otherwise.
"""

from datetime import datetime
from typing import get_args
from uuid import UUID

import msgspec

from tenants.connection import Connection
from tenants.staff import AgencyRole, Kind, TenantRole

#: What may be given in a workspace of each kind, the widest rights first.
ROLES: dict[Kind, tuple[str, ...]] = {
    "agency": get_args(AgencyRole),
    "merchant": get_args(TenantRole),
}


class Invitation(msgspec.Struct, frozen=True):
    """One that was neither accepted nor revoked."""

    id: UUID
    kind: Kind
    workspace_id: UUID
    slug: str
    #: The workspace's name.
    name: str
    email: str
    role: str
    invited_by: str
    created_at: datetime
    expires_at: datetime
    #: False once it is over, or its maker may not make it any more.
    is_good: bool


async def put_invitation(
    connection: Connection, kind: Kind, workspace_id: UUID, email: str, role: str, invited_by: str
) -> UUID:
    """Invite a canonical address; where it is invited already, for another seven days.

    `role` is one of `ROLES`, `invited_by` the address of a member who may give it.
    """
    invited: UUID
    if kind == "agency":
        invited = await connection.fetchval(
            """
            insert into agency_invitations (agency_id, email, role, invited_by, expires_at)
            values ($1, $2, $3, $4, now() + interval '7 days')
            on conflict (agency_id, email) where accepted_at is null and revoked_at is null
            do update
            set
              role = excluded.role,
              invited_by = excluded.invited_by,
              expires_at = excluded.expires_at
            returning id
            """,
            workspace_id,
            email,
            role,
            invited_by,
        )
    else:
        invited = await connection.fetchval(
            """
            insert into tenant_invitations (tenant_id, email, role, invited_by, expires_at)
            values ($1, $2, $3, $4, now() + interval '7 days')
            on conflict (tenant_id, email) where accepted_at is null and revoked_at is null
            do update
            set
              role = excluded.role,
              invited_by = excluded.invited_by,
              expires_at = excluded.expires_at
            returning id
            """,
            workspace_id,
            email,
            role,
            invited_by,
        )
    return invited


async def list_invitations(
    connection: Connection, kind: Kind, workspace_id: UUID
) -> list[Invitation]:
    """Those of a workspace that nobody has accepted or revoked, the newest first."""
    return await _read(connection, kind, workspace_id, None)


async def find_invitation(connection: Connection, invitation_id: UUID) -> Invitation | None:
    """One that nobody has accepted or revoked, whatever workspace it is for."""
    for kind in ROLES:
        found = await _read(connection, kind, None, invitation_id)
        if found:
            return found[0]
    return None


async def _read(
    connection: Connection, kind: Kind, workspace_id: UUID | None, invitation_id: UUID | None
) -> list[Invitation]:
    if kind == "agency":
        rows = await connection.fetch(
            """
            select
              invitation.id,
              'agency' as kind,
              agency.id as workspace_id,
              agency.slug,
              agency.name,
              invitation.email,
              invitation.role,
              invitation.invited_by,
              invitation.created_at,
              invitation.expires_at,
              invitation.expires_at > now() and exists (
                select
                from agency_members as maker
                where maker.agency_id = invitation.agency_id
                and maker.email = invitation.invited_by
                and maker.role = 'owner'
              ) as is_good
            from agency_invitations as invitation
            join agencies as agency on agency.id = invitation.agency_id
            where invitation.accepted_at is null
            and invitation.revoked_at is null
            and ($1::uuid is null or invitation.agency_id = $1)
            and ($2::uuid is null or invitation.id = $2)
            order by invitation.created_at desc
            """,
            workspace_id,
            invitation_id,
        )
    else:
        rows = await connection.fetch(
            """
            select
              invitation.id,
              'merchant' as kind,
              tenant.id as workspace_id,
              tenant.slug,
              tenant.name,
              invitation.email,
              invitation.role,
              invitation.invited_by,
              invitation.created_at,
              invitation.expires_at,
              invitation.expires_at > now() and (
                exists (
                  select
                  from tenant_members as maker
                  where maker.tenant_id = invitation.tenant_id
                  and maker.email = invitation.invited_by
                  and (
                    maker.role = 'owner'
                    or (maker.role = 'admin' and invitation.role <> 'owner')
                  )
                )
                or exists (
                  select
                  from agency_members as maker
                  where maker.agency_id = tenant.agency_id
                  and maker.email = invitation.invited_by
                  and (maker.role = 'owner' or invitation.role <> 'owner')
                )
              ) as is_good
            from tenant_invitations as invitation
            join tenants as tenant on tenant.id = invitation.tenant_id
            where invitation.accepted_at is null
            and invitation.revoked_at is null
            and ($1::uuid is null or invitation.tenant_id = $1)
            and ($2::uuid is null or invitation.id = $2)
            order by invitation.created_at desc
            """,
            workspace_id,
            invitation_id,
        )
    return [msgspec.convert(dict(row), Invitation) for row in rows]


async def use_invitation(connection: Connection, invitation: Invitation) -> bool:
    """Use one up: of two who accept at once, one alone gets True."""
    if invitation.kind == "agency":
        return bool(
            await connection.fetchval(
                """
                update agency_invitations
                set accepted_at = now()
                where agency_id = $1
                and id = $2
                and accepted_at is null
                and revoked_at is null
                and expires_at > now()
                returning true
                """,
                invitation.workspace_id,
                invitation.id,
            )
        )
    return bool(
        await connection.fetchval(
            """
            update tenant_invitations
            set accepted_at = now()
            where tenant_id = $1
            and id = $2
            and accepted_at is null
            and revoked_at is null
            and expires_at > now()
            returning true
            """,
            invitation.workspace_id,
            invitation.id,
        )
    )


async def revoke_invitation(
    connection: Connection, kind: Kind, workspace_id: UUID, invitation_id: UUID
) -> tuple[str, str] | None:
    """Take one back; answers whom it was for and as what, or None where there is none that is open.

    `connection` may act within the workspace alone.
    """
    if kind == "agency":
        row = await connection.fetchrow(
            """
            update agency_invitations
            set revoked_at = now()
            where agency_id = $1
            and id = $2
            and accepted_at is null
            and revoked_at is null
            returning email, role
            """,
            workspace_id,
            invitation_id,
        )
    else:
        row = await connection.fetchrow(
            """
            update tenant_invitations
            set revoked_at = now()
            where tenant_id = $1
            and id = $2
            and accepted_at is null
            and revoked_at is null
            returning email, role
            """,
            workspace_id,
            invitation_id,
        )
    return (row["email"], row["role"]) if row else None
