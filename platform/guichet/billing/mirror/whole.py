"""Any copy into the mirror, and what becomes of an object that the provider no longer knows."""

from typing import Literal, NamedTuple

from guichet.billing.mirror.people import (
    write_customer,
    write_payment_method,
    write_payment_method_gone,
)
from guichet.billing.mirror.plans import (
    write_price,
    write_price_gone,
    write_product,
    write_product_gone,
)
from guichet.billing.mirror.sales import write_invoice, write_invoice_gone, write_subscription
from guichet.db import Connection, Unit
from guichet.payments.copies import (
    Copy,
    CustomerCopy,
    InvoiceCopy,
    PaymentMethodCopy,
    PriceCopy,
    ProductCopy,
    SubscriptionCopy,
)

Kind = Literal[
    "attempt", "customer", "invoice", "payment_method", "price", "product", "subscription"
]


class Reference(NamedTuple):
    """One object of the provider. Writing in the order of these never ends in a deadlock."""

    kind: Kind
    id: str


async def draw_copy_no(source: Unit | Connection) -> int:
    """The next number for copies; all that is fetched after it may share it.

    Draw it before a fetch begins, and after the answer to a call of our own has arrived.
    """
    number: int = await source.fetchval("select nextval('mirror_copies')")
    return number


async def write_copy(unit: Unit, copy: Copy, copy_no: int) -> bool:
    """Write a copy of any kind; answers False when a newer one is there."""
    match copy:
        case CustomerCopy():
            return await write_customer(unit, copy, copy_no)
        case InvoiceCopy():
            return await write_invoice(unit, copy, copy_no)
        case PaymentMethodCopy():
            return await write_payment_method(unit, copy, copy_no)
        case PriceCopy():
            return await write_price(unit, copy, copy_no)
        case ProductCopy():
            return await write_product(unit, copy, copy_no)
        case SubscriptionCopy():
            return await write_subscription(unit, copy, copy_no)


async def write_missing(unit: Unit, reference: Reference, copy_no: int) -> bool:
    """Note that the provider no longer knows an object; nothing that was known is erased.

    A subscription is left as it is: none can be deleted at the provider, so its absence means that
    the merchant's key now belongs to another account.
    """
    match reference.kind:
        case "customer":
            return await write_customer(unit, CustomerCopy(id=reference.id, deleted=True), copy_no)
        case "payment_method":
            return await write_payment_method_gone(unit, reference.id, copy_no)
        case "product":
            return await write_product_gone(unit, reference.id, copy_no)
        case "price":
            return await write_price_gone(unit, reference.id, copy_no)
        case "invoice":
            return await write_invoice_gone(unit, reference.id, copy_no)
        case "subscription":
            return False
