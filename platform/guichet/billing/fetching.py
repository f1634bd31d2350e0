"""Objects fetched from the provider as they are now, with what a page needs beside them."""

import asyncio
from collections.abc import Iterable
from typing import NamedTuple

import structlog
from aiolimiter import AsyncLimiter

from guichet.billing.mirror import Kind, Reference
from guichet.db import Unit
from guichet.payments.copies import (
    AttemptCopy,
    Copy,
    CustomerCopy,
    InvoiceCopy,
    PaymentMethodCopy,
    PriceCopy,
    ProductCopy,
    SubscriptionCopy,
    TestClockCopy,
)
from guichet.payments.errors import ProviderError
from guichet.payments.port import PaymentProvider

log = structlog.get_logger()

#: Calls at the same time for one batch; Stripe allows 100 a second and account in live mode.
_AT_ONCE = 8


class Fetched(NamedTuple):
    """What became of each reference: a copy, None where there is no such object, or an error."""

    copies: dict[Reference, Copy | None]
    errors: dict[Reference, Exception]


async def fetch_all(
    provider: PaymentProvider,
    references: Iterable[Reference],
    seconds: float,
    pace: AsyncLimiter | None = None,
) -> Fetched:
    """Fetch each object once, a few at a time, for at most `seconds` in all, no faster than `pace`.

    What was not reached in time is among the errors, as a `TimeoutError`.
    """
    wanted = list(dict.fromkeys(references))
    fetched = Fetched({}, {})
    gate = asyncio.Semaphore(_AT_ONCE)

    async def take(reference: Reference) -> None:
        async with gate:
            try:
                if pace:
                    await pace.acquire()
                fetched.copies[reference] = await _fetch(provider, reference)
            # One object that cannot be read must not keep the others from being applied.
            except Exception as error:
                if not isinstance(error, ProviderError):
                    log.exception("fetch_failed", object=reference.id)
                fetched.errors[reference] = error

    try:
        async with asyncio.timeout(seconds), asyncio.TaskGroup() as group:
            for reference in wanted:
                group.create_task(take(reference))
    except TimeoutError:
        for reference in wanted:
            if reference not in fetched.copies:
                fetched.errors.setdefault(reference, TimeoutError())
    return fetched


async def _fetch(provider: PaymentProvider, reference: Reference) -> Copy | None:
    match reference.kind:
        case "attempt":
            return await provider.fetch_attempt(reference.id)
        case "customer":
            return await provider.fetch_customer(reference.id)
        case "invoice":
            return await provider.fetch_invoice(reference.id)
        case "payment_method":
            return await provider.fetch_payment_method(reference.id)
        case "price":
            return await provider.fetch_price(reference.id)
        case "product":
            return await provider.fetch_product(reference.id)
        case "subscription":
            return await provider.fetch_subscription(reference.id)
        case "test_clock":
            return await provider.fetch_test_clock(reference.id)


def neighbours(copy: Copy) -> set[Reference]:
    """What a page shows beside this object, such as the names of a subscription's plans."""
    match copy:
        case SubscriptionCopy():
            found = _some("customer", copy.customer_id)
            found |= _some("payment_method", copy.default_payment_method_id)
            found |= {Reference("price", item.price_id) for item in copy.items}
            return found | _some("price", copy.pending.price_id if copy.pending else None)
        case PriceCopy():
            return _some("product", copy.product_id)
        case CustomerCopy():
            found = _some("payment_method", copy.default_payment_method_id)
            return found | _some("test_clock", copy.test_clock_id)
        case AttemptCopy() | InvoiceCopy() | PaymentMethodCopy():
            return _some("customer", copy.customer_id)
        case ProductCopy() | TestClockCopy():
            return set()


def _some(kind: Kind, identifier: str | None) -> set[Reference]:
    return {Reference(kind, identifier)} if identifier else set()


async def not_mirrored(unit: Unit, references: set[Reference]) -> set[Reference]:
    """Those of the references that the mirror has never seen."""
    ordered = list(references)
    rows = await unit.fetch(
        """
        select wanted.kind, wanted.id
        from unnest($2::text[], $3::text[]) as wanted (kind, id)
        where not case wanted.kind
          when 'customer' then exists (
            select from customers as held where held.tenant_id = $1 and held.id = wanted.id
          )
          when 'payment_method' then exists (
            select from payment_methods as held where held.tenant_id = $1 and held.id = wanted.id
          )
          when 'price' then exists (
            select from prices as held where held.tenant_id = $1 and held.id = wanted.id
          )
          when 'product' then exists (
            select from products as held where held.tenant_id = $1 and held.id = wanted.id
          )
          when 'test_clock' then exists (
            select from test_clocks as held where held.tenant_id = $1 and held.id = wanted.id
          )
          else true
        end
        """,
        unit.tenant_id,
        [reference.kind for reference in ordered],
        [reference.id for reference in ordered],
    )
    return {Reference(row["kind"], row["id"]) for row in rows}
