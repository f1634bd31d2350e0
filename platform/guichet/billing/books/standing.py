"""What must hold of customers and subscriptions in the mirror: what they name is there."""

from guichet.billing.books.breaches import MOST, breaches
from guichet.billing.books.differences import Difference
from guichet.db import Unit


async def price_unknown(unit: Unit) -> list[Difference]:
    rows = await unit.fetch(
        """
        select
          item.subscription_id as id,
          jsonb_build_object('prices', jsonb_agg(item.price_id order by item.position))::text
            as held
        from subscription_items as item
        where item.tenant_id = $1
        and not exists (
          select
          from prices as price
          where price.tenant_id = $1
          and price.id = item.price_id
        )
        group by item.subscription_id
        order by item.subscription_id
        limit $2
        """,
        unit.tenant_id,
        MOST,
    )
    return breaches("price_unknown", "subscription", rows)


async def customers_method_not_attached(unit: Unit) -> list[Difference]:
    rows = await unit.fetch(
        """
        select
          customer.id,
          jsonb_build_object(
            'default_payment_method_id', customer.default_payment_method_id,
            'attached_to', method.customer_id
          )::text as held
        from customers as customer
        left join payment_methods as method
          on method.tenant_id = $1
          and method.id = customer.default_payment_method_id
        where customer.tenant_id = $1
        and not customer.deleted
        and customer.default_payment_method_id is not null
        and method.customer_id is distinct from customer.id
        order by customer.id
        limit $2
        """,
        unit.tenant_id,
        MOST,
    )
    return breaches("method_not_attached", "customer", rows)


async def subscriptions_method_not_attached(unit: Unit) -> list[Difference]:
    """Of subscriptions that may still charge; an ended one keeps the name of what it charged."""
    rows = await unit.fetch(
        """
        select
          subscription.id,
          jsonb_build_object(
            'default_payment_method_id', subscription.default_payment_method_id,
            'attached_to', method.customer_id
          )::text as held
        from subscriptions as subscription
        left join payment_methods as method
          on method.tenant_id = $1
          and method.id = subscription.default_payment_method_id
        where subscription.tenant_id = $1
        and subscription.status not in ('canceled', 'incomplete_expired')
        and subscription.default_payment_method_id is not null
        and method.customer_id is distinct from subscription.customer_id
        order by subscription.id
        limit $2
        """,
        unit.tenant_id,
        MOST,
    )
    return breaches("method_not_attached", "subscription", rows)


async def invoice_unknown(unit: Unit) -> list[Difference]:
    rows = await unit.fetch(
        """
        select
          subscription.id,
          jsonb_build_object('latest_invoice_id', subscription.latest_invoice_id)::text as held
        from subscriptions as subscription
        where subscription.tenant_id = $1
        and subscription.latest_invoice_id is not null
        and not exists (
          select
          from invoices as invoice
          where invoice.tenant_id = $1
          and invoice.id = subscription.latest_invoice_id
        )
        order by subscription.id
        limit $2
        """,
        unit.tenant_id,
        MOST,
    )
    return breaches("invoice_unknown", "subscription", rows)


async def end_missing(unit: Unit) -> list[Difference]:
    rows = await unit.fetch(
        """
        select
          id,
          jsonb_build_object('status', status, 'ended_at', ended_at)::text as held
        from subscriptions
        where tenant_id = $1
        and status = 'canceled'
        and ended_at is null
        order by id
        limit $2
        """,
        unit.tenant_id,
        MOST,
    )
    return breaches("end_missing", "subscription", rows)
