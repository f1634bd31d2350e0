"""Which person of the staff somebody is: linked once by verified email, then by subject."""

from guichet.auth.failures import EmailMissing, EmailNotVerified
from guichet.auth.oidc import Claims
from guichet.db import Connection
from tenants.staff import MalformedEmail, Staff, canonical_email, find_staff


async def link_staff(connection: Connection, claims: Claims) -> Staff | None:
    """The person of whoever signed in, or None where there is none; makes nobody.

    Raises `EmailMissing` or `EmailNotVerified` where no verified email can tell.
    """
    known = await _linked_before(connection, claims)
    if known is not None:
        return known
    if claims.email is None:
        raise EmailMissing(reason="the provider tells no email")
    if not claims.email_verified:
        raise EmailNotVerified(reason="the provider does not say that the email is verified")
    try:
        found = await find_staff(connection, canonical_email(claims.email))
    except MalformedEmail:
        return None
    if found is not None:
        await connection.execute(
            """
            insert into staff_identities (issuer, subject, staff_id)
            values ($1, $2, $3)
            on conflict (issuer, subject) do nothing
            """,
            claims.issuer,
            claims.subject,
            found.id,
        )
    return found


async def _linked_before(connection: Connection, claims: Claims) -> Staff | None:
    row = await connection.fetchrow(
        """
        select staff.id, staff.email, staff.name, staff.locale
        from staff_identities as identity
        join staff on staff.id = identity.staff_id
        where identity.issuer = $1
        and identity.subject = $2
        """,
        claims.issuer,
        claims.subject,
    )
    return Staff(**row) if row else None
