"""Addresses at which one of the staff sees a draft, on a host that gets nobody's cookies.

The token in one is made from the row's id, as in the links of mails, and good for an hour after a
page of the console has last shown it. Whoever has lost their role in the workspace meanwhile sees
nothing any more.
"""

from collections.abc import Sequence
from uuid import UUID

from guichet.auth.mail_links import make_link_token, read_link_token
from guichet.db import Connection, Unit
from tenants.staff import find_merchant_workspace


async def open_preview(unit: Unit, master_keys: Sequence[str], staff_id: UUID) -> str:
    """The token for previews of this tenant; the same one for as long as it is in use."""
    link_id: UUID = await unit.fetchval(
        """
        insert into preview_links as held (tenant_id, staff_id, expires_at)
        values ($1, $2, now() + interval '1 hour')
        on conflict (tenant_id, staff_id) do update
        set
          id = case when held.expires_at > now() then held.id else gen_random_uuid() end,
          expires_at = excluded.expires_at
        returning id
        """,
        unit.tenant_id,
        staff_id,
    )
    return make_link_token(master_keys, unit.tenant_id, link_id, "preview")


async def find_viewer(unit: Unit, master_keys: Sequence[str], token: str) -> UUID | None:
    """Whose token it is; None for one that is over, another tenant's, or made up."""
    link_id = read_link_token(master_keys, unit.tenant_id, token, "preview")
    if link_id is None:
        return None
    staff_id: UUID | None = await unit.fetchval(
        """
        select staff_id
        from preview_links
        where tenant_id = $1
        and id = $2
        and expires_at > now()
        """,
        unit.tenant_id,
        link_id,
    )
    return staff_id


async def may_still_look(connection: Connection, staff_id: UUID, slug: str) -> bool:
    """Whether somebody may change this merchant's settings; `connection` is the system's."""
    place = await find_merchant_workspace(connection, staff_id, slug)
    return place is not None and place.role not in ("support", "analyst")
