"""The two phases of a change at the end of a period: nothing of the present one is lost."""

from typing import Any

import pytest
import stripe
from stripe import SubscriptionSchedule

from guichet.payments.copies import ItemCopy, PriceCopy, SubscriptionCopy
from guichet.payments.errors import ProviderRefused
from guichet.payments.port import PlanChange
from guichet.payments.stripe.copying import moment
from guichet.payments.stripe.schedules import two_phases

_START, _END = 1_790_000_000, 1_792_592_000


def _schedule(**differences: Any) -> SubscriptionSchedule:
    phase = {
        "add_invoice_items": [{"price": "price_setup", "quantity": 1}],
        "automatic_tax": {"disabled_reason": None, "enabled": True, "liability": None},
        "billing_cycle_anchor": None,
        "collection_method": "charge_automatically",
        "currency": "eur",
        "default_payment_method": "pm_1",
        "default_tax_rates": [{"id": "txr_1", "object": "tax_rate", "percentage": 20.0}],
        "discounts": [{"coupon": "spring", "discount": "di_1", "promotion_code": None}],
        "end_date": _END,
        "items": [
            {"plan": "price_a", "price": "price_a", "quantity": 2, "tax_rates": [], "metadata": {}},
            {"plan": "price_b", "price": "price_b", "quantity": 1, "tax_rates": [], "metadata": {}},
        ],
        "metadata": {"origin": "import"},
        "proration_behavior": "create_prorations",
        "start_date": _START,
        "trial_end": _END,
        **differences,
    }
    values = {
        "id": "sub_sched_1",
        "object": "subscription_schedule",
        "current_phase": {"start_date": _START, "end_date": _END},
        "phases": [phase],
    }
    return SubscriptionSchedule.construct_from(values, "sk_test_1")


def _subscription() -> SubscriptionCopy:
    return SubscriptionCopy(
        id="sub_1",
        customer_id="cus_1",
        status="trialing",
        currency="eur",
        default_payment_method_id="pm_1",
        cancel_at_period_end=False,
        cancel_at=None,
        canceled_at=None,
        ended_at=None,
        trial_end_at=moment(_END),
        current_period_start_at=moment(_START),
        current_period_end_at=moment(_END),
        schedule_id="sub_sched_1",
        pending=None,
        created_at=moment(_START),
        items=(
            ItemCopy(id="si_a", price_id="price_a", quantity=2),
            ItemCopy(id="si_b", price_id="price_b", quantity=1),
        ),
    )


def _change(item: str = "si_a") -> PlanChange:
    return PlanChange("sub_1", item, "price_c", 5, "period_end", "none", moment(_START))


_PRICE = PriceCopy(
    id="price_c",
    product_id="prod_1",
    currency="eur",
    unit_amount=9900,
    interval="month",
    interval_count=3,
    active=True,
)


def test_the_present_phase_is_sent_back_as_it_is() -> None:
    present, _ = two_phases(_schedule(), _subscription(), _change(), _PRICE)
    assert present == {
        "automatic_tax": {"enabled": True},
        "collection_method": "charge_automatically",
        "currency": "eur",
        "default_payment_method": "pm_1",
        "default_tax_rates": ["txr_1"],
        "discounts": [{"discount": "di_1"}],
        "end_date": _END,
        "items": [{"price": "price_a", "quantity": 2}, {"price": "price_b", "quantity": 1}],
        "metadata": {"origin": "import"},
        "proration_behavior": "create_prorations",
        "start_date": _START,
        "trial_end": _END,
    }


def test_the_following_phase_differs_in_the_changed_item_alone() -> None:
    present, following = two_phases(_schedule(), _subscription(), _change(), _PRICE)
    assert following["items"] == [
        {"price": "price_c", "quantity": 5},
        {"price": "price_b", "quantity": 1},
    ]
    assert following["duration"] == {"interval": "month", "interval_count": 3}
    assert following["discounts"] == present["discounts"]
    assert following.keys().isdisjoint({"start_date", "end_date", "trial_end"})
    assert following["proration_behavior"] == "none"


def test_an_item_that_is_gone_is_refused() -> None:
    with pytest.raises(ProviderRefused):
        two_phases(_schedule(), _subscription(), _change("si_gone"), _PRICE)


def test_a_schedule_that_is_not_under_way_is_refused() -> None:
    schedule = _schedule(start_date=_START - 1)
    assert isinstance(schedule, stripe.SubscriptionSchedule)
    with pytest.raises(ProviderRefused):
        two_phases(schedule, _subscription(), _change(), _PRICE)
