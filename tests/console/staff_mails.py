"""Mails to staff: asked for, looked up, and made older than they are."""

from guichet.auth.staff.mail import StaffMailKind, queue_staff_message
from guichet.db import Database
from tenants.agencies import add_agency
from tenants.staff import Staff


async def queue_link(db: Database, staff: Staff, locale: str = "en") -> None:
    """A link that somebody asks for."""
    async with db.system() as connection:
        await queue_staff_message(connection, "sign_in", staff.email, locale, {"next": "/"})


async def queue_invitation(db: Database, workspace: str = "Atelier", locale: str = "en") -> None:
    async with db.system() as connection:
        agency = await add_agency(connection, "atelier", workspace)
        invitation = await connection.fetchval(
            """
            insert into agency_invitations (agency_id, email, role, invited_by, expires_at)
            values ($1, 'noor@example.com', 'member', 'camille@atelier.example',
              now() + interval '7 days')
            returning id
            """,
            agency.id,
        )
        facts = {
            "invitation": str(invitation),
            "workspace": workspace,
            "role": "member",
            "invited_by": "camille@atelier.example",
        }
        kind: StaffMailKind = "agency_invitation"
        await queue_staff_message(connection, kind, "noor@example.com", locale, facts)


async def fates(db: Database) -> list[tuple[str, str | None, bool]]:
    """State, reason and whether it is due once more, of each mail."""
    async with db.system() as connection:
        rows = await connection.fetch(
            """
            select state, reason, due_at is not null as waits
            from staff_messages
            order by queued_at, id
            """
        )
    return [(row["state"], row["reason"], row["waits"]) for row in rows]


async def let_pass(db: Database, time: str) -> None:
    async with db.system() as connection:
        await connection.execute(
            """
            update staff_messages
            set
              queued_at = queued_at - $1::text::interval,
              due_at = due_at - $1::text::interval,
              ended_at = ended_at - $1::text::interval
            """,
            time,
        )
        await connection.execute(
            """
            update staff_links
            set expires_at = expires_at - $1::text::interval
            """,
            time,
        )
