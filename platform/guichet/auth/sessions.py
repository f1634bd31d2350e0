"""Customers' sessions: rows that hold a hash of the cookie and can be revoked.

A session ends 7 days after it was last used and 30 days after the sign-in, whichever comes first:
`expires_at` always holds the earlier of the two, so whoever reads a session compares one column.
It is moved forward when `seen_at` is, at most every five minutes.
"""

import hashlib
import re
import secrets
from uuid import UUID

import msgspec

from guichet.db import Unit

#: How long a cookie may be kept: as long as a session can live at most.
LONGEST_SECONDS = 30 * 24 * 3600

_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


class Session(msgspec.Struct, frozen=True):
    """A signed-in customer; the `session` of what the function `portal_home` answers."""

    id: UUID
    customer_id: str
    customer_email: str | None
    customer_name: str | None
    #: The language that the customer chose here, if any.
    locale: str | None


def new_token() -> str:
    """256 random bits in 43 characters of base64url."""
    return secrets.token_urlsafe(32)


def is_token(value: str) -> bool:
    """Whether `value` has the form of a token; what has not is never looked up."""
    return _TOKEN.fullmatch(value) is not None


def token_hash(token: str) -> bytes:
    """What the database holds of a token. Unsalted: 256 random bits cannot be guessed back."""
    return hashlib.sha256(token.encode()).digest()


async def open_session(
    unit: Unit, customer_id: str, provider: str, device: str, replaces: str | None = None
) -> str:
    """Open a session under a token never used before, and answer the token for the cookie.

    `replaces` is the token that this browser sent, whoever it belongs to: that session ends, so
    a token planted in a browser before its sign-in is worth nothing after it.
    """
    if replaces is not None:
        await revoke(unit, replaces)
    await unit.execute(
        """
        delete from sessions
        where tenant_id = $1
        and customer_id = $2
        and expires_at < now() - interval '90 days'
        """,
        unit.tenant_id,
        customer_id,
    )
    token = new_token()
    await unit.execute(
        """
        insert into sessions (tenant_id, token_hash, customer_id, provider, device, expires_at)
        values ($1, $2, $3, $4, $5, now() + interval '7 days')
        """,
        unit.tenant_id,
        token_hash(token),
        customer_id,
        provider,
        device,
    )
    return token


async def find_session(unit: Unit, token: str) -> Session | None:
    """The live session of a token, if its customer still exists; notes that it was seen."""
    if not is_token(token):
        return None
    row = await unit.fetchrow(
        """
        with seen as (
          update sessions
          set seen_at = now(),
            expires_at = least(created_at + interval '30 days', now() + interval '7 days')
          where tenant_id = $1
          and token_hash = $2
          and revoked_at is null
          and expires_at > now()
          and seen_at < now() - interval '5 minutes'
        )
        select
          session.id,
          session.customer_id,
          customer.email as customer_email,
          customer.name as customer_name,
          preference.locale
        from sessions as session
        join customers as customer
          on customer.tenant_id = session.tenant_id
          and customer.id = session.customer_id
          and not customer.deleted
        left join preferences as preference
          on preference.tenant_id = session.tenant_id
          and preference.customer_id = session.customer_id
        where session.tenant_id = $1
        and session.token_hash = $2
        and session.revoked_at is null
        and session.expires_at > now()
        """,
        unit.tenant_id,
        token_hash(token),
    )
    return None if row is None else msgspec.convert(dict(row), Session)


async def revoke(unit: Unit, token: str) -> UUID | None:
    """End the session of a token; answers its id, or None where there was no live one."""
    revoked: UUID | None = await unit.fetchval(
        """
        update sessions
        set revoked_at = now()
        where tenant_id = $1
        and token_hash = $2
        and revoked_at is null
        returning id
        """,
        unit.tenant_id,
        token_hash(token),
    )
    return revoked


async def revoke_one(unit: Unit, customer_id: str, session_id: UUID) -> bool:
    """End one of a customer's own sessions; False when they have no such live session."""
    revoked = await unit.fetchval(
        """
        update sessions
        set revoked_at = now()
        where tenant_id = $1
        and customer_id = $2
        and id = $3
        and revoked_at is null
        returning id
        """,
        unit.tenant_id,
        customer_id,
        session_id,
    )
    return revoked is not None


async def revoke_all(unit: Unit, customer_id: str, keep: UUID | None = None) -> int:
    """End all of a customer's sessions, except the one named by `keep`; answers how many."""
    revoked = await unit.fetch(
        """
        update sessions
        set revoked_at = now()
        where tenant_id = $1
        and customer_id = $2
        and id is distinct from $3
        and revoked_at is null
        returning id
        """,
        unit.tenant_id,
        customer_id,
        keep,
    )
    return len(revoked)
