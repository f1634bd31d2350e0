"""Sessions of staff: rows of their own, which share nothing with customers' sessions.

A session ends three days after it was last used and a fortnight after the sign-in, whichever
comes first. All of it runs as `guichet_system`: at the door nobody has a workspace yet.
"""

from uuid import UUID

import msgspec

from guichet.auth.sessions import is_token, new_token, token_hash
from guichet.db import Connection
from tenants.staff import Staff


class StaffSession(msgspec.Struct, frozen=True):
    """A signed-in person."""

    id: UUID
    staff: Staff


async def open_staff_session(
    connection: Connection, staff_id: UUID, provider: str, device: str, replaces: str | None
) -> str:
    """Open a session under a token never used before, and answer the token for the cookie.

    `replaces` is the token that this browser sent: whoever's session that was, it ends.
    """
    if replaces is not None:
        await revoke_staff_session(connection, replaces)
    await connection.execute(
        """
        delete from staff_sessions
        where staff_id = $1
        and expires_at < now() - interval '90 days'
        """,
        staff_id,
    )
    token = new_token()
    await connection.execute(
        """
        insert into staff_sessions (token_hash, staff_id, provider, device, expires_at)
        values ($1, $2, $3, $4, now() + interval '3 days')
        """,
        token_hash(token),
        staff_id,
        provider,
        device,
    )
    return token


async def find_staff_session(connection: Connection, token: str) -> StaffSession | None:
    """The live session of a token; notes that it was seen, at most every five minutes."""
    if not is_token(token):
        return None
    row = await connection.fetchrow(
        """
        with seen as (
          update staff_sessions
          set seen_at = now(),
            expires_at = least(created_at + interval '14 days', now() + interval '3 days')
          where token_hash = $1
          and revoked_at is null
          and expires_at > now()
          and seen_at < now() - interval '5 minutes'
        )
        select session.id as session_id, staff.id, staff.email, staff.name, staff.locale
        from staff_sessions as session
        join staff on staff.id = session.staff_id
        where session.token_hash = $1
        and session.revoked_at is null
        and session.expires_at > now()
        """,
        token_hash(token),
    )
    if row is None:
        return None
    found = dict(row)
    return StaffSession(found.pop("session_id"), Staff(**found))


async def revoke_staff_session(connection: Connection, token: str) -> UUID | None:
    """End the session of a token; answers its id, or None where there was no live one."""
    revoked: UUID | None = await connection.fetchval(
        """
        update staff_sessions
        set revoked_at = now()
        where token_hash = $1
        and revoked_at is null
        returning id
        """,
        token_hash(token),
    )
    return revoked
