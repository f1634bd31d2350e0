"""Links that are mailed to staff: each lets its person in once, for a quarter of an hour.

What asks for one answers the same whether there is such a person or not, and does the same: it
queues a mail, and a worker looks whether there is somebody to send it to. A link opens a page with
a button, so that a mail scanner that follows it lets nobody in.
"""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from guichet.auth.failures import SignInExpired
from guichet.auth.mail_links import make_link_token, read_link_token
from guichet.db import Connection
from tenants.staff import Staff

#: Links of staff belong to no tenant.
NOBODY = UUID(int=0)


class StaffLink(msgspec.Struct, frozen=True):
    """A link that is still good, and whom it lets in."""

    id: UUID
    staff: Staff
    next_path: str


async def make_asked_links(connection: Connection) -> None:
    """Make the links that are due to be mailed, each under its mail's id.

    Mails to addresses that nobody of the staff has are dropped: they were queued so that asking is
    the same work for everybody.
    """
    await connection.execute(
        """
        delete from staff_messages as message
        where message.kind = 'sign_in'
        and message.state = 'queued'
        and message.due_at <= now()
        and not exists (
          select
          from staff
          where staff.email = message.recipient
        )
        """
    )
    await connection.execute(
        """
        insert into staff_links (id, staff_id, next_path, expires_at)
        select
          message.id,
          staff.id,
          coalesce(message.facts ->> 'next', '/'),
          message.queued_at + interval '15 minutes'
        from staff_messages as message
        join staff on staff.email = message.recipient
        where message.kind = 'sign_in'
        and message.state = 'queued'
        and message.due_at <= now()
        and message.tries = 0
        on conflict (id) do nothing
        """
    )


def staff_link_token(master_keys: Sequence[str], link_id: UUID) -> str:
    """The token in the address of a link."""
    return make_link_token(master_keys, NOBODY, link_id, "staff_sign_in")


async def find_staff_link(
    connection: Connection, master_keys: Sequence[str], token: str
) -> StaffLink:
    """The link of a token; raises `SignInExpired` for one that is used, over, or made up."""
    return await _find(connection, _id(master_keys, token))


async def use_staff_link(
    connection: Connection, master_keys: Sequence[str], token: str
) -> StaffLink:
    """Use up the link of a token: of two clicks one alone gets in. Raises `SignInExpired`."""
    link = await _find(connection, _id(master_keys, token))
    used = await connection.fetchval(
        """
        update staff_links
        set used_at = now()
        where id = $1
        and used_at is null
        returning true
        """,
        link.id,
    )
    if not used:
        raise SignInExpired(reason="the link was used a moment ago")
    return link


def _id(master_keys: Sequence[str], token: str) -> UUID:
    link_id = read_link_token(master_keys, NOBODY, token, "staff_sign_in")
    if link_id is None:
        raise SignInExpired(reason="no link of ours")
    return link_id


async def _find(connection: Connection, link_id: UUID) -> StaffLink:
    row = await connection.fetchrow(
        """
        select link.id as link_id, link.next_path, staff.id, staff.email, staff.name, staff.locale
        from staff_links as link
        join staff on staff.id = link.staff_id
        where link.id = $1
        and link.used_at is null
        and link.expires_at > now()
        """,
        link_id,
    )
    if row is None:
        raise SignInExpired(reason="the link was used or is over")
    found = dict(row)
    return StaffLink(found.pop("link_id"), next_path=found.pop("next_path"), staff=Staff(**found))
