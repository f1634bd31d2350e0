"""From Stripe's objects to our copies: only what the mirror keeps, in our words."""

from guichet.payments.stripe.copying.attempts import copy_attempt, receipt_url
from guichet.payments.stripe.copying.catalog import (
    PRICE,
    PROMOTION_CODE,
    copy_coupon,
    copy_price,
    copy_product,
    copy_promotion_code,
)
from guichet.payments.stripe.copying.clocks import copy_test_clock
from guichet.payments.stripe.copying.invoices import (
    INVOICE,
    copy_invoice,
    intent_ids_of,
    intent_that_paid,
    is_proration,
)
from guichet.payments.stripe.copying.payments import (
    attempt_of,
    charged_to,
    copy_confirmation,
    copy_credit_note,
    copy_refund,
    intent_of,
    is_being_paid,
    is_on_its_way,
)
from guichet.payments.stripe.copying.people import (
    CUSTOMER,
    FALLBACKS,
    copy_customer,
    copy_payment_method,
    copy_tax_id,
)
from guichet.payments.stripe.copying.subscriptions import OURS, SUBSCRIPTION, copy_subscription
from guichet.payments.stripe.copying.values import exact, moment, reference, seconds

__all__ = [
    "CUSTOMER",
    "FALLBACKS",
    "INVOICE",
    "OURS",
    "PRICE",
    "PROMOTION_CODE",
    "SUBSCRIPTION",
    "attempt_of",
    "charged_to",
    "copy_attempt",
    "copy_confirmation",
    "copy_coupon",
    "copy_credit_note",
    "copy_customer",
    "copy_invoice",
    "copy_payment_method",
    "copy_price",
    "copy_product",
    "copy_promotion_code",
    "copy_refund",
    "copy_subscription",
    "copy_tax_id",
    "copy_test_clock",
    "exact",
    "intent_ids_of",
    "intent_of",
    "intent_that_paid",
    "is_being_paid",
    "is_on_its_way",
    "is_proration",
    "moment",
    "receipt_url",
    "reference",
    "seconds",
]
