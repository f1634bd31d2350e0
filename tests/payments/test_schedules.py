"""The two phases of a change at the end of a period: nothing of the present one is lost."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest
import stripe
from stripe import SubscriptionSchedule

from guichet.payments.copies import ItemCopy, PriceCopy, SubscriptionCopy
from guichet.payments.errors import ProviderRefused
from guichet.payments.orders import ItemOrder, SubscriptionChange
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
        collection_method="charge_automatically",
        default_payment_method_id="pm_1",
        cancel_at_period_end=False,
        cancel_at=None,
        canceled_at=None,
        cancellation_feedback=None,
        cancellation_comment=None,
        ended_at=None,
        trial_end_at=moment(_END),
        current_period_start_at=moment(_START),
        current_period_end_at=moment(_END),
        latest_invoice_id=None,
        schedule_id="sub_sched_1",
        schedule_is_ours=True,
        pending=None,
        pending_update=None,
        pause=None,
        discounts=(),
        created_at=moment(_START),
        items=(
            ItemCopy(id="si_a", price_id="price_a", quantity=2),
            ItemCopy(id="si_b", price_id="price_b", quantity=1),
        ),
    )


_REPLACED = ItemOrder(item_id="si_a", price_id="price_c", quantity=5)


def _change(*items: ItemOrder, code: str | None = None) -> SubscriptionChange:
    return SubscriptionChange(
        subscription_id="sub_1",
        items=items or (_REPLACED,),
        when="period_end",
        proration="none",
        promotion_code_id=code,
        as_of=moment(_START),
    )


_PRICE = PriceCopy(
    id="price_c",
    product_id="prod_1",
    currency="eur",
    unit_amount=9900,
    unit_amount_exact=Decimal(9900),
    interval="month",
    interval_count=3,
    usage="licensed",
    tiers_mode=None,
    tiers=(),
    package_size=None,
    package_round=None,
    currency_options=(),
    nickname=None,
    lookup_key=None,
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


def test_several_items_are_changed_added_and_taken_off_at_once() -> None:
    change = _change(
        _REPLACED,
        ItemOrder(item_id="si_b", price_id="price_b", removed=True),
        ItemOrder(price_id="price_d", quantity=3),
        ItemOrder(price_id="price_metered", quantity=None),
    )
    _, following = two_phases(_schedule(), _subscription(), change, _PRICE)
    assert following["items"] == [
        {"price": "price_c", "quantity": 5},
        {"price": "price_d", "quantity": 3},
        {"price": "price_metered"},
    ]


def test_what_is_special_about_an_item_stays_with_it() -> None:
    item = {"price": "price_a", "quantity": 2, "tax_rates": ["txr_2"], "metadata": {"a": "b"}}
    following = two_phases(_schedule(items=[item]), _subscription(), _change(), _PRICE)[1]
    assert following["items"][0] == {
        "price": "price_c",
        "quantity": 5,
        "tax_rates": ["txr_2"],
        "metadata": {"a": "b"},
    }


def test_a_promotion_code_joins_the_running_discounts_in_the_second_phase() -> None:
    present, following = two_phases(_schedule(), _subscription(), _change(code="promo_1"), _PRICE)
    assert present["discounts"] == [{"discount": "di_1"}]
    assert following["discounts"] == [{"discount": "di_1"}, {"promotion_code": "promo_1"}]


def test_an_item_that_is_gone_is_refused() -> None:
    gone = _change(ItemOrder(item_id="si_gone", price_id="price_c"))
    with pytest.raises(ProviderRefused):
        two_phases(_schedule(), _subscription(), gone, _PRICE)


def test_a_plan_of_nothing_is_refused() -> None:
    off = [ItemOrder(item_id=it.id, price_id="", removed=True) for it in _subscription().items]
    with pytest.raises(ProviderRefused):
        two_phases(_schedule(), _subscription(), _change(*off), _PRICE)


def test_a_price_that_is_charged_once_has_no_second_phase() -> None:
    once = msgspec.structs.replace(_PRICE, interval=None, interval_count=None)
    with pytest.raises(ProviderRefused):
        two_phases(_schedule(), _subscription(), _change(), once)


def test_a_schedule_that_is_not_under_way_is_refused() -> None:
    schedule = _schedule(start_date=_START - 1)
    assert isinstance(schedule, stripe.SubscriptionSchedule)
    with pytest.raises(ProviderRefused):
        two_phases(schedule, _subscription(), _change(), _PRICE)
