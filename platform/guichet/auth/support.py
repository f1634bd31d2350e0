"""Support views: one of the staff sees a customer's portal as the customer does, for half an hour.

The console makes a view together with a token that its page hands to the portal once, within a
minute; the portal gives a token of its own for it. A view holds for as long as the session at the
console does that asked for it, and its owner's role in the workspace: both are looked up at each
request. It is no session: what finds a customer's session never finds a view, nor the reverse.
"""

import hashlib
from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from guichet.auth.sessions import Session, is_token, new_token
from guichet.db import Connection, Unit
from guichet.errors import Forbidden
from tenants.staff import Role, Staff

#: How long a browser keeps the cookie: for longer than a view lasts, or whoever comes back to one
#: that is over would be somebody else again, and not be told.
KEPT_SECONDS = 24 * 3600

#: Why a view is over.
Ending = Literal["button", "time", "withdrawn"]

#: Roles in a merchant's workspace that may look at its customers' portals.
MAY_LOOK: tuple[Role, ...] = ("agency_owner", "agency_member", "owner", "admin", "support")

_LABEL = b"guichet support view\0"


class HandOverFailed(Forbidden):
    """This way into the portal is used up. Please open the portal from the console again."""

    code = "hand_over_failed"


class HandOver(msgspec.Struct, frozen=True):
    """A view that the console has made, and what lets its browser take it over at the portal."""

    id: UUID
    token: str


class SupportView(msgspec.Struct, frozen=True):
    """A view that holds."""

    id: UUID
    #: Who looks.
    staff_name: str
    expires_at: datetime


class KnownView(msgspec.Struct, frozen=True):
    """What the audit log tells of a view."""

    id: UUID
    customer_id: str
    staff_email: str
    expires_at: datetime


def view_hash(token: str) -> bytes:
    """What the database holds of a view's token: never what it holds of a session's."""
    return hashlib.sha256(_LABEL + token.encode()).digest()


async def make_view(unit: Unit, customer_id: str, staff: Staff, session_id: UUID) -> HandOver:
    """A view of this customer's portal for whoever has this session at the console."""
    token = new_token()
    view_id: UUID = await unit.fetchval(
        """
        insert into support_views
          (tenant_id, customer_id, staff_id, staff_email, staff_name, session_id, link_hash,
          expires_at)
        values ($1, $2, $3, $4, $5, $6, $7, now() + interval '1 minute')
        returning id
        """,
        unit.tenant_id,
        customer_id,
        staff.id,
        staff.email,
        staff.name or staff.email,
        session_id,
        view_hash(token),
    )
    return HandOver(view_id, token)


async def take_over_view(unit: Unit, handed: str) -> tuple[str, KnownView]:
    """Begin the view that was handed over, once; answers the token for its cookie.

    Raises `HandOverFailed`.
    """
    token = new_token()
    row = await unit.fetchrow(
        """
        update support_views
        set token_hash = $3, expires_at = now() + interval '30 minutes'
        where tenant_id = $1
        and link_hash = $2
        and token_hash is null
        and expires_at > now()
        returning id, customer_id, staff_email, expires_at
        """,
        unit.tenant_id,
        view_hash(handed),
        view_hash(token),
    )
    if row is None:
        raise HandOverFailed
    return token, KnownView(**row)


async def find_view(connection: Connection, tenant_id: UUID, token: str) -> SupportView | None:
    """The view of a token, if it still holds; `connection` is the system's."""
    if not is_token(token):
        return None
    row = await connection.fetchrow(
        """
        select view.id, view.staff_name, view.expires_at
        from support_views as view
        join staff_sessions as session
          on session.id = view.session_id
          and session.staff_id = view.staff_id
          and session.revoked_at is null
          and session.expires_at > now()
        join tenants as tenant
          on tenant.id = view.tenant_id
          and tenant.status = 'active'
        left join agency_members as keeper
          on keeper.agency_id = tenant.agency_id
          and keeper.staff_id = view.staff_id
        left join tenant_members as member
          on member.tenant_id = view.tenant_id
          and member.staff_id = view.staff_id
        where view.tenant_id = $1
        and view.token_hash = $2
        and view.ended_at is null
        and view.expires_at > now()
        and coalesce('agency_' || keeper.role, member.role) = any($3::text[])
        """,
        tenant_id,
        view_hash(token),
        MAY_LOOK,
    )
    return SupportView(**row) if row else None


async def find_viewed(unit: Unit, view: SupportView) -> Session | None:
    """The customer whose portal it is, as the portal's pages know whoever is signed in."""
    row = await unit.fetchrow(
        """
        select
          view.id,
          view.customer_id,
          customer.email as customer_email,
          customer.name as customer_name,
          preference.locale
        from support_views as view
        join customers as customer
          on customer.tenant_id = view.tenant_id
          and customer.id = view.customer_id
          and not customer.deleted
        left join preferences as preference
          on preference.tenant_id = view.tenant_id
          and preference.customer_id = view.customer_id
        where view.tenant_id = $1
        and view.id = $2
        """,
        unit.tenant_id,
        view.id,
    )
    return None if row is None else msgspec.convert(dict(row), Session)


async def end_view(
    unit: Unit, token: str, *, by_button: bool = False
) -> tuple[KnownView, Ending] | None:
    """End the view of a token; None where there is none, or it was ended before."""
    row = await unit.fetchrow(
        """
        update support_views
        set ended_at = now()
        where tenant_id = $1
        and token_hash = $2
        and ended_at is null
        returning id, customer_id, staff_email, expires_at, expires_at <= now() as is_late
        """,
        unit.tenant_id,
        view_hash(token),
    )
    if row is None:
        return None
    found = dict(row)
    late: Ending = "time" if found.pop("is_late") else "withdrawn"
    return KnownView(**found), "button" if by_button else late
