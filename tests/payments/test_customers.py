"""Customers at the provider: their details, tax numbers, and the order of what they pay with."""

import pytest

from guichet.payments.copies import AddressCopy, ShippingCopy
from guichet.payments.errors import (
    ChangeHalfMade,
    InvalidTaxId,
    ProviderConflict,
    ProviderRefused,
    ProviderUnreachable,
)
from guichet.payments.orders import CustomerDetails
from guichet.payments.stripe.details import checkout_locale
from tests.payments.faults import fail_requests, lose_answers
from tests.shops import Shop

_PARIS = AddressCopy(line1="1 rue de la Paix", postal_code="75002", city="Paris", country="FR")
_ADA = CustomerDetails(
    email="ada@example.com",
    name="Ada Lovelace",
    phone="+33123456789",
    address=_PARIS,
    shipping=ShippingCopy(name="Ada", phone=None, address=_PARIS),
    preferred_locales=("fr", "en"),
)


async def _cards(shop: Shop, customer: str, *tokens: str) -> list[str]:
    return [
        (await shop.sdk.payment_methods.attach_async(token, {"customer": customer})).id
        for token in tokens
    ]


async def test_a_customer_is_created_with_everything_that_is_known(shop: Shop) -> None:
    ada = await shop.port.create_customer(_ADA, "key")
    assert await shop.port.fetch_customer(ada.id) == ada
    assert (ada.email, ada.name, ada.phone) == ("ada@example.com", "Ada Lovelace", "+33123456789")
    assert (ada.address, ada.shipping) == (_PARIS, _ADA.shipping)
    assert ada.preferred_locales == ("fr", "en")


async def test_a_customer_whose_creation_is_repeated_is_created_once(shop: Shop) -> None:
    await lose_answers(shop, "/v1/customers")
    with pytest.raises(ProviderUnreachable) as lost:
        await shop.port.create_customer(_ADA, "key")
    assert not lost.value.outcome_known
    ada = await shop.port.create_customer(_ADA, "key")
    assert await shop.port.create_customer(_ADA, "key") == ada
    assert [each.id async for each in shop.port.list_customers()] == [ada.id]


async def test_a_key_is_not_taken_for_another_customer(shop: Shop) -> None:
    await shop.port.create_customer(_ADA, "key")
    with pytest.raises(ProviderConflict):
        await shop.port.create_customer(CustomerDetails(name="Grace"), "key")


async def test_what_is_not_set_stays_and_what_is_none_is_cleared(shop: Shop) -> None:
    ada = await shop.port.create_customer(_ADA, "one")
    assert await shop.port.update_customer(ada.id, CustomerDetails(), "two") == ada
    cleared = CustomerDetails(
        phone=None, name="", address=None, shipping=None, preferred_locales=()
    )
    left = await shop.port.update_customer(ada.id, cleared, "three")
    assert left.email == "ada@example.com"
    assert (left.phone, left.name, left.address, left.shipping) == (None, None, None, None)
    assert left.preferred_locales == ()


async def test_nothing_of_a_former_address_stays(shop: Shop) -> None:
    ada = await shop.port.create_customer(_ADA, "one")
    moved = CustomerDetails(address=AddressCopy(city="Lyon", country="FR"))
    assert (await shop.port.update_customer(ada.id, moved, "two")).address == moved.address


async def test_an_update_whose_answer_is_lost_is_repeated_without_harm(shop: Shop) -> None:
    ada = await shop.port.create_customer(_ADA, "one")
    await lose_answers(shop, f"/v1/customers/{ada.id}")
    change = CustomerDetails(name="Ada King")
    with pytest.raises(ProviderUnreachable):
        await shop.port.update_customer(ada.id, change, "two")
    assert (await shop.port.update_customer(ada.id, change, "two")).name == "Ada King"


async def test_what_the_provider_does_not_accept_is_refused(shop: Shop) -> None:
    with pytest.raises(ProviderRefused) as refused:
        await shop.port.create_customer(CustomerDetails(email="no address"), "key")
    assert (refused.value.provider_code, refused.value.parameter) == ("email_invalid", "email")
    with pytest.raises(ProviderRefused):
        await shop.port.update_customer("cus_none", CustomerDetails(name="Nobody"), "other")


async def test_tax_ids_are_added_and_removed(shop: Shop) -> None:
    ada = await shop.port.create_customer(_ADA, "one")
    added = await shop.port.add_tax_id(ada.id, "eu_vat", "FR12345678901", "two")
    assert (added.type, added.value) == ("eu_vat", "FR12345678901")
    assert await shop.port.add_tax_id(ada.id, "eu_vat", "FR12345678901", "two") == added
    present = await shop.port.fetch_customer(ada.id)
    assert present is not None
    assert [each.id for each in present.tax_ids] == [added.id]
    for _ in range(2):
        await shop.port.remove_tax_id(ada.id, added.id, "three")
    assert await shop.port.fetch_customer(ada.id) == ada


@pytest.mark.parametrize(("kind", "value"), [("eu_vat", "FR1"), ("gb_vat", "FR12345678901")])
async def test_a_number_that_is_not_one_of_its_kind_is_refused(
    shop: Shop, kind: str, value: str
) -> None:
    ada = await shop.port.create_customer(_ADA, "one")
    with pytest.raises(InvalidTaxId) as invalid:
        await shop.port.add_tax_id(ada.id, kind, value, "two")
    assert invalid.value.status == 422
    assert invalid.value.request_id
    assert value not in str(invalid.value)


async def test_a_kind_of_number_that_does_not_exist_is_refused(shop: Shop) -> None:
    ada = await shop.port.create_customer(_ADA, "one")
    with pytest.raises(ProviderRefused) as refused:
        await shop.port.add_tax_id(ada.id, "xx_vat", "1", "two")
    assert not isinstance(refused.value, InvalidTaxId)


async def test_the_first_method_is_the_default_and_the_others_are_its_fallbacks(
    shop: Shop,
) -> None:
    ada = await shop.port.create_customer(_ADA, "one")
    visa, amex, jcb = await _cards(shop, ada.id, "pm_card_visa", "pm_card_amex", "pm_card_jcb")
    ordered = await shop.port.order_payment_methods(ada.id, (amex, jcb, visa), "two")
    assert ordered.default_payment_method_id == amex
    assert ordered.fallback_payment_method_ids == (jcb, visa)
    assert await shop.port.fetch_customer(ada.id) == ordered
    none = await shop.port.order_payment_methods(ada.id, (), "three")
    assert none.default_payment_method_id is None
    assert none.fallback_payment_method_ids == ()


async def test_an_order_whose_answer_is_lost_is_repeated_without_harm(shop: Shop) -> None:
    ada = await shop.port.create_customer(_ADA, "one")
    visa, amex = await _cards(shop, ada.id, "pm_card_visa", "pm_card_amex")
    await lose_answers(shop, f"/v1/customers/{ada.id}")
    with pytest.raises(ProviderUnreachable):
        await shop.port.order_payment_methods(ada.id, (amex, visa), "two")
    ordered = await shop.port.order_payment_methods(ada.id, (amex, visa), "two")
    assert ordered.fallback_payment_method_ids == (visa,)


async def test_methods_of_others_too_many_and_twice_the_same_are_refused(shop: Shop) -> None:
    ada = await shop.port.create_customer(_ADA, "one")
    other = await shop.add_customer("grace@example.com")
    mine = await _cards(shop, ada.id, "pm_card_visa")
    theirs = await _cards(shop, other, "pm_card_amex")
    many = await _cards(shop, ada.id, *["pm_card_visa"] * 15)
    for wrong in (mine + theirs, mine + mine, mine + many, ["pm_none"]):
        with pytest.raises(ProviderRefused):
            await shop.port.order_payment_methods(ada.id, tuple(wrong), "two")
    assert await shop.port.fetch_customer(ada.id) == ada


async def test_fifteen_methods_can_be_ordered(shop: Shop) -> None:
    ada = await shop.port.create_customer(_ADA, "one")
    many = await _cards(shop, ada.id, *["pm_card_visa"] * 15)
    ordered = await shop.port.order_payment_methods(ada.id, tuple(many), "two")
    assert ordered.fallback_payment_method_ids == tuple(many[1:])


async def test_a_detached_method_leaves_its_place_to_the_next(shop: Shop) -> None:
    ada = await shop.port.create_customer(_ADA, "one")
    visa, amex, jcb = await _cards(shop, ada.id, "pm_card_visa", "pm_card_amex", "pm_card_jcb")
    await shop.port.order_payment_methods(ada.id, (visa, amex, jcb), "two")
    detached = await shop.port.detach_payment_method(visa, "three")
    assert (detached.id, detached.customer_id) == (visa, None)
    present = await shop.port.fetch_customer(ada.id)
    assert present is not None
    assert present.default_payment_method_id == amex
    assert present.fallback_payment_method_ids == (jcb,)
    assert await shop.port.detach_payment_method(visa, "three") == detached


async def test_a_detached_fallback_is_no_fallback_any_more(shop: Shop) -> None:
    ada = await shop.port.create_customer(_ADA, "one")
    visa, amex = await _cards(shop, ada.id, "pm_card_visa", "pm_card_amex")
    await shop.port.order_payment_methods(ada.id, (visa, amex), "two")
    await shop.port.detach_payment_method(amex, "three")
    present = await shop.port.fetch_customer(ada.id)
    assert present is not None
    assert present.default_payment_method_id == visa
    assert present.fallback_payment_method_ids == ()


async def test_a_detaching_that_is_lost_half_way_is_finished_when_it_is_repeated(
    shop: Shop,
) -> None:
    ada = await shop.port.create_customer(_ADA, "one")
    visa, amex = await _cards(shop, ada.id, "pm_card_visa", "pm_card_amex")
    await shop.port.order_payment_methods(ada.id, (visa, amex), "two")
    await fail_requests(shop, 503, f"/v1/payment_methods/{visa}")
    with pytest.raises(ChangeHalfMade) as half:
        await shop.port.detach_payment_method(visa, "three")
    assert not half.value.outcome_known
    detached = await shop.port.detach_payment_method(visa, "three")
    assert detached.customer_id is None
    present = await shop.port.fetch_customer(ada.id)
    assert present is not None
    assert present.default_payment_method_id == amex


async def test_a_method_that_is_not_there_cannot_be_detached(shop: Shop) -> None:
    with pytest.raises(ProviderRefused) as refused:
        await shop.port.detach_payment_method("pm_none", "key")
    assert refused.value.provider_code == "resource_missing"


@pytest.mark.parametrize(
    ("tag", "page"),
    [
        (None, "auto"),
        ("fr", "fr"),
        ("fr-CA", "fr-CA"),
        ("fr-BE", "fr"),
        ("zh-Hant-TW", "zh"),
        ("gd", "auto"),
        ("", "auto"),
    ],
)
def test_hosted_pages_speak_the_nearest_language_they_know(tag: str | None, page: str) -> None:
    assert checkout_locale(tag) == page
