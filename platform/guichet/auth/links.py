"""Which customer of the merchant a person is: linked once by verified email, then by subject."""

from guichet.auth.failures import EmailMissing, EmailNotVerified
from guichet.auth.oidc import Claims
from guichet.db import Unit


async def link_customer(unit: Unit, claims: Claims) -> str | None:
    """The customer of whoever signed in, or None where the mirror has none; creates no customer.

    First by issuer and subject, as linked before, if that customer still exists; else by
    verified email, and the link is kept. Where several customers share the address, the provider
    having made one for each purchase, it is the one with a live subscription, then the newest.
    Raises `EmailMissing` or `EmailNotVerified` where no verified email can tell.
    """
    customer_id = await _linked_before(unit, claims)
    if customer_id is not None:
        return customer_id
    if claims.email is None:
        raise EmailMissing(reason="the provider tells no email")
    if not claims.email_verified:
        raise EmailNotVerified(reason="the provider does not say that the email is verified")
    customer_id = await _find_by_email(unit, claims.email)
    if customer_id is not None:
        await _remember(unit, claims, customer_id)
    return customer_id


async def _linked_before(unit: Unit, claims: Claims) -> str | None:
    found: str | None = await unit.fetchval(
        """
        select customer.id
        from identities as identity
        join customers as customer
          on customer.tenant_id = identity.tenant_id
          and customer.id = identity.customer_id
          and not customer.deleted
        where identity.tenant_id = $1
        and identity.provider = $2
        and identity.subject = $3
        """,
        unit.tenant_id,
        claims.issuer,
        claims.subject,
    )
    return found


async def _find_by_email(unit: Unit, email: str) -> str | None:
    # The first comparison uses the index. The second folds ASCII letters only: to a Unicode-aware
    # lower() the Kelvin sign is a k, and an address spelt with it belongs to somebody else.
    found: str | None = await unit.fetchval(
        """
        select customer.id
        from customers as customer
        where customer.tenant_id = $1
        and lower(customer.email) = lower($2::text)
        and lower(customer.email collate "C") = lower($2::text collate "C")
        and not customer.deleted
        order by
          exists (
            select
            from subscriptions as subscription
            where subscription.tenant_id = customer.tenant_id
            and subscription.customer_id = customer.id
            and subscription.status in ('trialing', 'active', 'past_due', 'unpaid', 'paused')
          ) desc,
          customer.created_at desc,
          customer.id desc
        limit 1
        """,
        unit.tenant_id,
        email,
    )
    return found


async def _remember(unit: Unit, claims: Claims, customer_id: str) -> None:
    await unit.execute(
        """
        insert into identities (tenant_id, provider, subject, customer_id, email)
        values ($1, $2, $3, $4, $5)
        on conflict (tenant_id, provider, subject) do update
        set customer_id = excluded.customer_id,
          email = excluded.email,
          linked_at = now()
        """,
        unit.tenant_id,
        claims.issuer,
        claims.subject,
        customer_id,
        claims.email,
    )
