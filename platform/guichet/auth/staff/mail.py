"""Mails to staff, queued in the transaction of what they tell; a worker writes and sends them."""

from typing import Literal

import msgspec

from guichet.db import Connection

StaffMailKind = Literal["sign_in", "agency_invitation", "tenant_invitation", "test_mail"]

#: The name of the job that sends them; its knock has no shard.
SEND_STAFF_MESSAGES = "send_staff_messages"


async def queue_staff_message(
    connection: Connection,
    kind: StaffMailKind,
    recipient: str,
    locale: str,
    facts: dict[str, str],
) -> None:
    """Add a mail that commits or rolls back with what it tells; as `guichet_system`.

    `facts` hold ids and names, or all of a mail that is written already, and no token: what writes
    the mail makes the link's. `locale` is for
    a reader whose own language nobody knows.
    """
    await connection.execute(
        """
        insert into staff_messages (kind, recipient, locale, facts)
        values ($1, $2, $3, $4::jsonb)
        """,
        kind,
        recipient,
        locale,
        msgspec.json.encode(facts).decode(),
    )
