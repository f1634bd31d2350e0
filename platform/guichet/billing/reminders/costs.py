"""What the next period of a subscription costs, where that can be said."""

from collections.abc import Sequence

import msgspec

from guichet.db import Unit
from guichet.money import Money


class Cost(msgspec.Struct, frozen=True):
    """A plan's name and the amount of its next invoice, as far as they are known."""

    plan: str | None
    interval: str | None
    amount: Money | None

    @property
    def is_free(self) -> bool:
        return self.amount is not None and self.amount.amount == 0

    @property
    def facts(self) -> dict[str, object]:
        """As messages name them."""
        return {"plan": self.plan, "interval": self.interval, "amount": self.amount}


async def next_costs(unit: Unit, subscriptions: Sequence[str]) -> dict[str, Cost]:
    """The cost of each, with a planned change that comes with the period.

    There is an amount only where the provider will ask for just the prices: none is metered or in
    tiers, nothing is deducted, and the last invoice had no taxes on top.
    """
    if not subscriptions:
        return {}
    rows = await unit.fetch(
        """
        select
          subscription.id,
          subscription.currency,
          cost.plan,
          cost.interval,
          case
            when cost.is_plain
            and (cost.items = 1 or subscription.pending_at is null)
            and subscription.discounts = '[]'
            and customer.balance = 0
            and coalesce(invoice.total = invoice.subtotal, true)
            then cost.amount
          end as amount
        from subscriptions as subscription
        join customers as customer
          on customer.tenant_id = $1
          and customer.id = subscription.customer_id
        left join invoices as invoice
          on invoice.tenant_id = $1
          and invoice.id = subscription.latest_invoice_id
        cross join lateral (
          select
            count(1) as items,
            (array_agg(product.name order by item.position))[1] as plan,
            (array_agg(price.interval order by item.position))[1] as interval,
            sum(price.unit_amount * item.quantity)::bigint as amount,
            coalesce(
              bool_and(
                price.unit_amount is not null
                and item.quantity is not null
                and price.currency = subscription.currency
                and price.tiers_mode is null
                and price.package_size is null
                and price.usage is distinct from 'metered'
              ),
              false
            ) as is_plain
          from (
            select
              held.position,
              case when change.comes then subscription.pending_price_id else held.price_id end
                as price_id,
              case when change.comes then subscription.pending_quantity else held.quantity end
                as quantity
            from subscription_items as held
            cross join lateral (
              select
                held.position = 1
                and subscription.pending_at <= subscription.current_period_end_at
                and subscription.pending_price_id is not null as comes
            ) as change
            where held.tenant_id = $1
            and held.subscription_id = subscription.id
          ) as item
          left join prices as price
            on price.tenant_id = $1
            and price.id = item.price_id
          left join products as product
            on product.tenant_id = $1
            and product.id = price.product_id
        ) as cost
        where subscription.tenant_id = $1
        and subscription.id = any($2::text[])
        """,
        unit.tenant_id,
        list(subscriptions),
    )
    return {
        row["id"]: Cost(
            row["plan"],
            row["interval"],
            None if row["amount"] is None else Money(row["amount"], row["currency"]),
        )
        for row in rows
    }
