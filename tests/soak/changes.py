"""Every kind of change that a soak makes, and how often each one is chosen."""

from collections.abc import Awaitable, Callable

from tests.soak import asking, invoicing, people, requesting, selling, subscribing
from tests.soak.account import Account

Change = Callable[[Account], Awaitable[None]]

#: Through us.
OURS: dict[Change, int] = {
    asking.start: 6,
    asking.change_now: 8,
    asking.change_later: 6,
    asking.undo: 3,
    asking.cancel: 4,
    asking.keep: 3,
    asking.pause: 3,
    asking.resume: 3,
    asking.change_details: 6,
    asking.add_tax_id: 4,
    asking.remove_tax_id: 3,
    asking.order_methods: 4,
    asking.detach: 2,
    asking.pay: 6,
    asking.finalize: 3,
    asking.void: 2,
    asking.give_up: 2,
    requesting.request_change: 14,
    requesting.request_cancel: 4,
    requesting.request_keep: 4,
    requesting.request_undo: 4,
}

#: By the merchant, past us.
THEIRS: dict[Change, int] = {
    selling.add_product: 2,
    selling.change_product: 3,
    selling.delete_product: 1,
    selling.add_price: 3,
    selling.change_price: 3,
    selling.add_coupon: 4,
    selling.rename_coupon: 2,
    selling.delete_coupon: 1,
    selling.discount_subscription: 6,
    people.add_customer: 10,
    people.change_customer: 6,
    people.delete_customer: 2,
    people.add_card: 5,
    people.take_card: 2,
    people.renew_card: 3,
    people.set_default_card: 2,
    people.give_tax_id: 2,
    people.add_clock: 4,
    people.advance_clock: 7,
    people.decline_next_charge: 3,
    subscribing.subscribe: 12,
    subscribing.change_subscription: 10,
    subscribing.mark_subscription: 6,
    subscribing.end_subscription: 3,
    subscribing.plan_subscription: 4,
    subscribing.begin_later: 2,
    invoicing.charge_extra: 4,
    invoicing.invoice_by_hand: 5,
    invoicing.change_draft: 3,
    invoicing.finalize_draft: 3,
    invoicing.settle_invoice: 5,
    invoicing.refund: 5,
    invoicing.credit: 4,
}


def name_of(change: Change) -> str:
    return f"{change.__module__.rpartition('.')[2]}.{change.__name__}"
