"""Who pays which invoice: the signed-in customer, or whoever holds the link of a mail."""

from collections.abc import Set as AbstractSet
from datetime import datetime

import msgspec

from guichet.billing.dunning.banning import banned_methods
from guichet.billing.failed_payments import (
    Declined,
    FailedPayment,
    declines_of,
    find_failed_payment,
)
from guichet.billing.invoices import Invoice, find_invoice
from guichet.billing.payment_methods import MethodBook, PaymentMethod, read_methods
from guichet.billing.subscriptions import Subscription, find_subscription
from guichet.db import Unit


class Payer(msgspec.Struct, frozen=True):
    """A customer at one invoice of theirs, and where its pages are."""

    customer_id: str
    invoice_id: str
    #: The page to pay on; its form goes there too, and the one for another card to `/card` below.
    page: str
    #: Where the outcome of a payment is shown.
    result: str
    #: What the forms carry.
    csrf: str


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """A method to pay with, and what speaks against it."""

    method: PaymentMethod
    is_default: bool
    is_chosen: bool
    is_expired: bool
    #: Whether it was refused because of what it is: it cannot be charged before that has changed.
    is_dead: bool
    #: Whether its bank, or its network, has refused it for good, be it for another invoice. Its
    #: customer may try all the same.
    is_refused: bool
    declined_at: datetime | None


class Debt(msgspec.Struct, frozen=True, kw_only=True):
    """An invoice with all that its page tells of it."""

    invoice: Invoice
    subscription: Subscription | None
    failed: FailedPayment | None
    book: MethodBook
    choices: tuple[Choice, ...]

    @property
    def is_paid(self) -> bool:
        return self.invoice.status == "paid"

    @property
    def is_payable(self) -> bool:
        """Whether there is something to pay; what was written off may still be."""
        is_owed = self.invoice.status in ("open", "uncollectible")
        return is_owed and self.invoice.remaining.amount > 0


async def read_debt(unit: Unit, payer: Payer) -> Debt:
    """What the payer's page shows; raises `NotFound`."""
    invoice = await find_invoice(unit, payer.customer_id, payer.invoice_id)
    book = await read_methods(unit, payer.customer_id)
    subscription = None
    if invoice.subscription_id is not None:
        subscription = await find_subscription(unit, payer.customer_id, invoice.subscription_id)
    return Debt(
        invoice=invoice,
        subscription=subscription,
        failed=await find_failed_payment(unit, payer.customer_id, invoice.id),
        book=book,
        choices=choices(
            book,
            await declines_of(unit, invoice.id),
            await banned_methods(unit, payer.customer_id, book.now),
        ),
    )


def choices(
    book: MethodBook, declines: dict[str, Declined], banned: AbstractSet[str] = frozenset()
) -> tuple[Choice, ...]:
    """The methods in their order; the first one that may work is chosen."""
    made: list[Choice] = []
    for method in book.all:
        declined = declines.get(method.id)
        is_dead = declined is not None and declined.is_dead
        is_refused = method.id in banned or (declined is not None and declined.is_final)
        is_expired = method.is_expired(book.now)
        has_chosen = any(choice.is_chosen for choice in made)
        made.append(
            Choice(
                method=method,
                is_default=method.id == book.first,
                is_chosen=not (has_chosen or is_dead or is_refused or is_expired),
                is_expired=is_expired,
                is_dead=is_dead,
                is_refused=is_refused,
                declined_at=declined.at if declined else None,
            )
        )
    return tuple(made)
