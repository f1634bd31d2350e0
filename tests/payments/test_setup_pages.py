"""Pages of the provider's on which a customer leaves a card, walked through over HTTP."""

from datetime import UTC, datetime, timedelta

import pytest

from guichet.payments.errors import ProviderRefused, ProviderUnreachable
from guichet.payments.orders import SetupOrder
from tests.payments.faults import lose_answers
from tests.payments.hosted import (
    ASKS_THE_BANK,
    DECLINED,
    confirm_at_the_bank,
    type_card,
)
from tests.shops import Shop

_BACK = "http://lumen.localhost:8000/payment-methods"


def _order(customer: str, locale: str | None = "fr", currency: str | None = None) -> SetupOrder:
    return SetupOrder(
        customer_id=customer,
        success_url=f"{_BACK}/added?page={{CHECKOUT_SESSION_ID}}",
        cancel_url=_BACK,
        locale=locale,
        currency=currency,
    )


async def _customer(shop: Shop) -> str:
    return (await shop.sdk.customers.create_async({"email": "ada@example.com"})).id


async def _methods(shop: Shop, customer: str) -> list[str]:
    return [each.id async for each in shop.port.list_payment_methods(customer)]


@pytest.mark.parametrize("currency", [None, "eur"])
async def test_a_card_is_left_at_the_page_and_belongs_to_the_customer(
    shop: Shop, currency: str | None
) -> None:
    ada = await _customer(shop)
    page = await shop.port.open_setup_page(_order(ada, currency=currency), "key")
    assert (page.status, page.customer_id, page.payment_method_id) == ("open", ada, None)
    assert datetime.now(UTC) < page.expires_at <= datetime.now(UTC) + timedelta(days=1)
    assert page.url is not None
    assert await type_card(page.url) == f"{_BACK}/added?page={page.id}"
    done = await shop.port.fetch_setup_page(page.id)
    assert done is not None
    assert (done.status, done.url) == ("complete", None)
    assert [done.payment_method_id] == await _methods(shop, ada)


async def test_a_bank_that_wants_to_be_asked_is_asked_before_the_card_is_kept(shop: Shop) -> None:
    ada = await _customer(shop)
    page = await shop.port.open_setup_page(_order(ada), "key")
    assert page.url is not None
    bank = await type_card(page.url, ASKS_THE_BANK)
    assert (await shop.port.fetch_setup_page(page.id)) == page
    assert await confirm_at_the_bank(bank) == f"{_BACK}/added?page={page.id}"
    done = await shop.port.fetch_setup_page(page.id)
    assert done is not None
    assert [done.payment_method_id] == await _methods(shop, ada)


async def test_a_bank_that_says_no_leaves_the_page_open(shop: Shop) -> None:
    ada = await _customer(shop)
    page = await shop.port.open_setup_page(_order(ada), "key")
    assert page.url is not None
    await confirm_at_the_bank(await type_card(page.url, ASKS_THE_BANK), passes=False)
    assert await shop.port.fetch_setup_page(page.id) == page
    assert await _methods(shop, ada) == []


async def test_a_card_that_is_declined_is_not_kept(shop: Shop) -> None:
    ada = await _customer(shop)
    page = await shop.port.open_setup_page(_order(ada), "key")
    assert page.url is not None
    assert await type_card(page.url, DECLINED) == page.url
    assert await shop.port.fetch_setup_page(page.id) == page
    assert await _methods(shop, ada) == []


async def test_a_page_whose_opening_is_repeated_is_opened_once(shop: Shop) -> None:
    ada = await _customer(shop)
    await lose_answers(shop, "/v1/checkout/sessions")
    with pytest.raises(ProviderUnreachable):
        await shop.port.open_setup_page(_order(ada), "key")
    page = await shop.port.open_setup_page(_order(ada), "key")
    assert await shop.port.open_setup_page(_order(ada), "key") == page
    sessions = await shop.sdk.checkout.sessions.list_async({"customer": ada})
    assert [each.id for each in sessions.data] == [page.id]


async def test_an_expired_page_leads_nowhere(shop: Shop) -> None:
    page = await shop.port.open_setup_page(_order(await _customer(shop), locale=None), "key")
    await shop.sdk.checkout.sessions.expire_async(page.id)
    expired = await shop.port.fetch_setup_page(page.id)
    assert expired is not None
    assert (expired.status, expired.url) == ("expired", None)


async def test_a_page_that_is_not_there_is_none_and_one_for_nobody_is_refused(shop: Shop) -> None:
    assert await shop.port.fetch_setup_page("cs_test_none") is None
    with pytest.raises(ProviderRefused):
        await shop.port.open_setup_page(_order("cus_none"), "key")
