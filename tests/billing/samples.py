"""Copies of each kind, with every field set and with as few as there may be."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec

from guichet.payments.copies import (
    AddressCopy,
    AttemptCopy,
    Copy,
    CurrencyOptionCopy,
    CustomerCopy,
    DiscountCopy,
    InvoiceCopy,
    InvoicePaymentCopy,
    ItemCopy,
    LineCopy,
    PauseCopy,
    PaymentMethodCopy,
    PendingCopy,
    PendingUpdateCopy,
    PriceCopy,
    ProductCopy,
    ShippingCopy,
    SubscriptionCopy,
    TaxIdCopy,
    TestClockCopy,
    TierCopy,
)

AT = datetime(2026, 3, 1, tzinfo=UTC)
LATER = AT + timedelta(days=31)

_ADDRESS = AddressCopy(line1="Main 1", postal_code="8000", city="Zürich", country="CH")

CUSTOMER = CustomerCopy(
    id="cus_1",
    email="ada@example.com",
    name="Ada",
    phone="+41 44 000 00 00",
    address=_ADDRESS,
    shipping=ShippingCopy(name="Ada", phone=None, address=_ADDRESS),
    tax_ids=(
        TaxIdCopy(id="txi_1", type="eu_vat", value="DE123456789", verification="verified"),
        TaxIdCopy(id="txi_2", type="ch_vat", value="CHE-123", verification=None),
    ),
    tax_exempt="reverse",
    preferred_locales=("de", "fr"),
    currency="eur",
    balance=-500,
    default_payment_method_id="pm_1",
    fallback_payment_method_ids=("pm_2", "pm_3"),
    created_at=AT,
    test_clock_id="clock_1",
)
METHOD = PaymentMethodCopy(
    id="pm_1",
    customer_id="cus_1",
    type="card",
    brand="visa",
    last4="4242",
    exp_month=12,
    exp_year=2030,
    country="US",
    funding="credit",
    fingerprint="print_1",
    created_at=AT,
)
PRODUCT = ProductCopy(
    id="prod_1",
    name="Lumen",
    description="Light",
    unit_label="seat",
    default_price_id="price_1",
    active=True,
)
_TIERS = (
    TierCopy(up_to=10, unit_amount=Decimal("0.125"), flat_amount=None),
    TierCopy(up_to=None, unit_amount=None, flat_amount=Decimal(500)),
)
PRICE = PriceCopy(
    id="price_1",
    product_id="prod_1",
    currency="eur",
    unit_amount=1000,
    unit_amount_exact=Decimal("1000.123456789012"),
    interval="month",
    interval_count=1,
    usage="licensed",
    tiers_mode="graduated",
    tiers=_TIERS,
    package_size=10,
    package_round="up",
    currency_options=(
        CurrencyOptionCopy(currency="chf", unit_amount=Decimal("1100.5"), tiers=()),
        CurrencyOptionCopy(currency="usd", unit_amount=None, tiers=_TIERS),
    ),
    nickname="Monthly",
    lookup_key="lumen_monthly",
    active=True,
)
SUBSCRIPTION = SubscriptionCopy(
    id="sub_1",
    customer_id="cus_1",
    status="active",
    currency="eur",
    collection_method="send_invoice",
    default_payment_method_id="pm_1",
    cancel_at_period_end=True,
    cancel_at=LATER,
    canceled_at=AT,
    cancellation_feedback="too_expensive",
    cancellation_comment="Sorry",
    ended_at=None,
    trial_end_at=AT,
    current_period_start_at=AT,
    current_period_end_at=LATER,
    latest_invoice_id="in_1",
    schedule_id="sub_sched_1",
    schedule_is_ours=True,
    pending=PendingCopy(at=LATER, price_id="price_2", quantity=3),
    pending_update=PendingUpdateCopy(
        expires_at=LATER, items=(ItemCopy(id="si_1", price_id="price_2", quantity=3),)
    ),
    pause=PauseCopy(behavior="void", resumes_at=LATER),
    discounts=(
        DiscountCopy(
            id="di_1",
            coupon_id="co_1",
            name="Spring",
            percent_off=Decimal("12.5"),
            amount_off=None,
            currency=None,
            promotion_code_id="promo_1",
            ends_at=LATER,
        ),
    ),
    created_at=AT,
    items=(
        ItemCopy(id="si_2", price_id="price_1", quantity=1),
        ItemCopy(id="si_1", price_id="price_2", quantity=None),
    ),
)
INVOICE = InvoiceCopy(
    id="in_1",
    customer_id="cus_1",
    subscription_id="sub_1",
    number="A-1",
    status="open",
    billing_reason="subscription_cycle",
    collection_method="charge_automatically",
    currency="eur",
    subtotal=1200,
    total=1000,
    amount_due=900,
    amount_paid=0,
    amount_remaining=900,
    attempt_count=1,
    next_payment_attempt_at=LATER,
    period_start_at=AT,
    period_end_at=LATER,
    due_at=LATER,
    finalized_at=AT,
    paid_at=None,
    voided_at=None,
    created_at=AT,
    lines=(
        LineCopy(
            id="il_2",
            description="1 × Lumen",
            amount=1200,
            quantity=1,
            price_id="price_1",
            subscription_item_id="si_1",
            period_start_at=AT,
            period_end_at=LATER,
            proration=False,
        ),
        LineCopy(
            id="il_1",
            description=None,
            amount=-200,
            quantity=None,
            price_id=None,
            subscription_item_id=None,
            period_start_at=AT,
            period_end_at=AT,
            proration=True,
        ),
    ),
    payments=(
        InvoicePaymentCopy(
            id="inpay_1",
            payment_intent_id="pi_1",
            status="open",
            amount_requested=900,
            amount_paid=None,
            is_default=True,
            paid_at=None,
        ),
    ),
)
ATTEMPT = AttemptCopy(
    id="ch_1",
    customer_id="cus_1",
    payment_intent_id="pi_1",
    payment_method_id="pm_1",
    status="failed",
    currency="eur",
    amount=900,
    amount_refunded=0,
    failure_code="card_declined",
    decline_code="insufficient_funds",
    advice_code="try_again_later",
    network_decline_code="51",
    network_advice_code="03",
    network="visa",
    fingerprint="print_1",
    created_at=AT,
)
CLOCK = TestClockCopy(id="clock_1", frozen_at=AT)
#: One of each kind.
WHOLE: tuple[Copy, ...] = (
    ATTEMPT,
    CUSTOMER,
    INVOICE,
    METHOD,
    PRICE,
    PRODUCT,
    SUBSCRIPTION,
    CLOCK,
)


def bare(copy: Copy) -> Copy:
    """The same object without anything that it may lack."""
    lacking = {
        field.name: None if type(None) in _members(field.type) else ()
        for field in msgspec.structs.fields(copy)
        if type(None) in _members(field.type) or isinstance(getattr(copy, field.name), tuple)
    }
    # A customer who is not deleted has a time of creation, whatever the type allows.
    lacking.pop("created_at", None)
    return msgspec.structs.replace(copy, **lacking)


def _members(annotation: object) -> tuple[object, ...]:
    return getattr(annotation, "__args__", ())
