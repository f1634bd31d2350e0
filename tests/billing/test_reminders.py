"""Customers are reminded of what is near, by their own time, and of each thing once."""

from datetime import datetime
from decimal import Decimal

import msgspec
import pytest
from msgspec.structs import replace

from guichet.billing.reminders import remind
from guichet.payments.copies import (
    CustomerCopy,
    DiscountCopy,
    ItemCopy,
    PauseCopy,
    PaymentMethodCopy,
    PendingCopy,
    SubscriptionCopy,
    TestClockCopy,
)
from tenants.mails import Mails
from tests.billing.following import ACTIVE, CARD, DAY, HOUR, NOW, PAID, PERSON, PLAN, Merchant

_TRIAL = replace(
    ACTIVE,
    status="trialing",
    trial_end_at=NOW + 2 * DAY,
    current_period_start_at=NOW - 12 * DAY,
    current_period_end_at=NOW + 2 * DAY,
)
_RENEWS = replace(ACTIVE, current_period_end_at=NOW + 6 * DAY)
_LATER = replace(PLAN[1], id="price_2", unit_amount=2500, interval="year")
#: One that nobody has to be reminded of.
_KEEPS = replace(CARD, exp_year=NOW.year + 3)
_EXPIRES = replace(CARD, exp_year=NOW.year, exp_month=NOW.month)


async def _remind(merchant: Merchant, rules: Mails | None = None) -> int:
    return await remind(merchant.db, merchant.tenant_id, rules or Mails())


async def _facts(merchant: Merchant) -> dict[str, object]:
    (mail,) = await merchant.mails()
    facts: dict[str, object] = msgspec.json.decode(mail["facts"])
    return facts


def _at(time: datetime) -> str:
    return time.isoformat().replace("+00:00", "Z")


@pytest.fixture
async def lumen(merchant: Merchant) -> Merchant:
    """With one customer, who has subscribed to nothing."""
    person = replace(PERSON, balance=0)
    await merchant.write(person, _KEEPS, *PLAN, _LATER)
    return merchant


async def test_a_trial_that_ends_soon_is_told_of_once(lumen: Merchant) -> None:
    await lumen.write(_TRIAL)
    assert (await _remind(lumen), await _remind(lumen)) == (1, 0)
    assert await lumen.told() == ["trial_ending"]
    assert await _facts(lumen) == {
        "subscription_id": "sub_1",
        "ends_at": _at(NOW + 2 * DAY),
        "plan": "Lumen",
        "interval": "month",
        "amount": {"amount": 2000, "currency": "eur"},
    }


async def test_a_trial_that_is_extended_is_told_of_again(lumen: Merchant) -> None:
    await lumen.write(_TRIAL)
    await _remind(lumen)
    await lumen.write(replace(_TRIAL, trial_end_at=NOW + 2 * DAY + HOUR))
    assert await _remind(lumen) == 1


async def test_a_renewal_that_comes_soon_is_told_of_once(lumen: Merchant) -> None:
    await lumen.write(_RENEWS)
    assert (await _remind(lumen), await _remind(lumen)) == (1, 0)
    assert await lumen.told() == ["renewal_coming"]
    assert await _facts(lumen) == {
        "subscription_id": "sub_1",
        "renews_at": _at(NOW + 6 * DAY),
        "plan": "Lumen",
        "interval": "month",
        "amount": {"amount": 2000, "currency": "eur"},
    }


@pytest.mark.parametrize(
    "subscription",
    [
        replace(_TRIAL, trial_end_at=NOW + 4 * DAY),
        replace(_TRIAL, trial_end_at=NOW - HOUR),
        replace(_TRIAL, cancel_at_period_end=True),
        replace(_TRIAL, cancel_at=NOW + 2 * DAY),
        replace(_RENEWS, current_period_end_at=NOW + 8 * DAY),
        replace(_RENEWS, current_period_end_at=NOW - HOUR),
        replace(_RENEWS, current_period_start_at=NOW - DAY),
        replace(_RENEWS, cancel_at_period_end=True),
        replace(_RENEWS, cancel_at=NOW + 6 * DAY),
        replace(_RENEWS, status="past_due"),
        replace(_RENEWS, status="canceled"),
        replace(_RENEWS, pause=PauseCopy(behavior="void", resumes_at=None)),
    ],
)
async def test_nothing_is_told_of_what_is_far_or_does_not_happen(
    lumen: Merchant, subscription: SubscriptionCopy
) -> None:
    await lumen.write(subscription)
    assert await _remind(lumen) == 0


async def test_a_merchant_says_how_early_it_is(lumen: Merchant) -> None:
    await lumen.write(replace(_TRIAL, id="sub_2"), _RENEWS)
    assert await _remind(lumen, Mails(renewal_days=0, trial_days=0)) == 0
    assert await _remind(lumen, Mails(renewal_days=5, trial_days=1)) == 0
    assert await _remind(lumen, Mails(renewal_days=6, trial_days=2)) == 2


async def test_a_renewal_of_nothing_is_not_told_of(lumen: Merchant) -> None:
    await lumen.write(replace(_RENEWS, items=(ItemCopy(id="si_1", price_id="free", quantity=1),)))
    await lumen.write(replace(PLAN[1], id="free", unit_amount=0))
    assert await _remind(lumen) == 0


async def test_a_planned_change_is_what_renews(lumen: Merchant) -> None:
    pending = PendingCopy(at=NOW + 6 * DAY, price_id="price_2", quantity=3)
    await lumen.write(replace(_RENEWS, pending=pending))
    await _remind(lumen)
    facts = await _facts(lumen)
    assert facts["amount"] == {"amount": 7500, "currency": "eur"}
    assert facts["interval"] == "year"


async def test_several_items_are_one_amount(lumen: Merchant) -> None:
    items = (
        ItemCopy(id="si_1", price_id="price_1", quantity=2),
        ItemCopy(id="si_2", price_id="price_2", quantity=1),
    )
    await lumen.write(replace(_RENEWS, items=items))
    await _remind(lumen)
    assert (await _facts(lumen))["amount"] == {"amount": 4500, "currency": "eur"}


_DISCOUNT = DiscountCopy(
    id="di_1",
    coupon_id="co_1",
    name=None,
    percent_off=Decimal(10),
    amount_off=None,
    currency=None,
    promotion_code_id=None,
    ends_at=None,
)


@pytest.mark.parametrize(
    "copies",
    [
        (replace(_RENEWS, discounts=(_DISCOUNT,)),),
        (replace(_RENEWS, currency="usd"),),
        (replace(_RENEWS, items=(ItemCopy(id="si_1", price_id="price_1", quantity=None),)),),
        (replace(_RENEWS, items=(ItemCopy(id="si_1", price_id="unseen", quantity=1),)),),
        (_RENEWS, replace(PLAN[1], usage="metered")),
        (_RENEWS, replace(PLAN[1], tiers_mode="volume", unit_amount=None)),
        (_RENEWS, replace(PLAN[1], package_size=5)),
        (_RENEWS, replace(PERSON, balance=-500)),
        # With taxes on top.
        (replace(_RENEWS, latest_invoice_id="in_1"), replace(PAID, subtotal=900, total=1000)),
    ],
)
async def test_no_amount_is_told_that_would_not_be_the_one_asked_for(
    lumen: Merchant, copies: tuple[SubscriptionCopy | CustomerCopy, ...]
) -> None:
    await lumen.write(*copies)
    assert await _remind(lumen) == 1
    assert (await _facts(lumen))["amount"] is None


async def test_an_amount_is_told_where_the_last_invoice_was_of_just_the_prices(
    lumen: Merchant,
) -> None:
    await lumen.write(
        replace(_RENEWS, latest_invoice_id="in_1"), replace(PAID, subtotal=900, total=900)
    )
    await _remind(lumen)
    assert (await _facts(lumen))["amount"] == {"amount": 2000, "currency": "eur"}


async def test_a_test_clock_s_customers_are_reminded_by_it(lumen: Merchant) -> None:
    clock = TestClockCopy(id="clock_1", frozen_at=NOW - 30 * DAY)
    await lumen.write(replace(PERSON, balance=0, test_clock_id="clock_1"), _RENEWS, clock)
    assert await _remind(lumen) == 0
    await lumen.write(replace(clock, frozen_at=NOW))
    assert await remind(lumen.db, lumen.tenant_id, Mails(), ["clock_2"]) == 0
    assert await remind(lumen.db, lumen.tenant_id, Mails(), ["clock_1"]) == 1
    (mail,) = await lumen.mails()
    assert mail["at"] == NOW


async def test_a_card_that_expires_is_told_of_once(lumen: Merchant) -> None:
    await lumen.write(ACTIVE, _EXPIRES)
    assert (await _remind(lumen), await _remind(lumen)) == (1, 0)
    assert await lumen.told() == ["card_expiring"]
    assert await _facts(lumen) == {
        "payment_method_id": "pm_1",
        "brand": "visa",
        "last4": "4242",
        "exp_month": NOW.month,
        "exp_year": NOW.year,
    }


async def test_a_card_s_month_is_the_customer_s(lumen: Merchant) -> None:
    clock = TestClockCopy(id="clock_1", frozen_at=datetime(2027, 12, 31, 23, tzinfo=NOW.tzinfo))
    card = replace(CARD, exp_year=2028, exp_month=2)
    await lumen.write(replace(PERSON, test_clock_id="clock_1"), ACTIVE, clock, card)
    assert await _remind(lumen) == 0
    await lumen.write(replace(clock, frozen_at=datetime(2028, 1, 1, tzinfo=NOW.tzinfo)))
    assert await _remind(lumen) == 1


@pytest.mark.parametrize(
    ("subscription", "card"),
    [
        (replace(ACTIVE, status="canceled"), _EXPIRES),
        (replace(ACTIVE, cancel_at_period_end=True), _EXPIRES),
        (replace(ACTIVE, collection_method="send_invoice"), _EXPIRES),
        (replace(ACTIVE, default_payment_method_id="pm_2"), _EXPIRES),
        (ACTIVE, replace(_EXPIRES, customer_id=None)),
        (ACTIVE, replace(_EXPIRES, exp_year=NOW.year - 1)),
        (ACTIVE, replace(_EXPIRES, id="pm_2")),
    ],
)
async def test_nothing_is_told_of_a_card_that_is_not_going_to_be_charged(
    lumen: Merchant, subscription: SubscriptionCopy, card: PaymentMethodCopy
) -> None:
    await lumen.write(subscription, card)
    assert await _remind(lumen) == 0


async def test_more_than_one_batch_is_told(lumen: Merchant) -> None:
    people = [replace(PERSON, id=f"cus_{number:03}", balance=0) for number in range(450)]
    await lumen.write(*people)
    await lumen.write(*(replace(_RENEWS, id=f"sub_{it.id}", customer_id=it.id) for it in people))
    assert await _remind(lumen) == 450
    assert await _remind(lumen) == 0
