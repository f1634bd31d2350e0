"""Payments confirmed at the bank's page, or at once: one each, whatever is lost."""

import asyncio
from urllib.parse import parse_qs, urlsplit

import pytest

from guichet.payments.errors import (
    CardRefused,
    NeedsAuthentication,
    ProviderRefused,
    ProviderUnreachable,
)
from tests.payments.debts import attempts, owe
from tests.payments.faults import lose_answers
from tests.payments.hosted import confirm_at_the_bank
from tests.shops import Shop

_BACK = "http://lumen.localhost:8000/invoices/paid"


async def test_an_invoice_without_anything_to_charge_is_refused(shop: Shop) -> None:
    owed = await owe(shop, None)
    with pytest.raises(ProviderRefused):
        await shop.port.charge_invoice(owed.id, "key")
    waiting = await shop.port.confirm_payment(owed.id, _BACK, "other key")
    assert (waiting.status, waiting.url) == ("needs_method", None)


async def test_a_payment_is_confirmed_at_the_bank_s_page(shop: Shop) -> None:
    owed = await owe(shop, "pm_card_authenticationRequired")
    with pytest.raises(NeedsAuthentication):
        await shop.port.charge_invoice(owed.id, "key")
    asked = await shop.port.confirm_payment(owed.id, _BACK, "confirm")
    assert (asked.status, asked.url is None) == ("needs_confirmation", False)
    assert await shop.port.fetch_confirmation(asked.payment_intent_id) == asked
    assert asked.url is not None
    back = urlsplit(await confirm_at_the_bank(asked.url))
    assert f"{back.scheme}://{back.netloc}{back.path}" == _BACK
    assert parse_qs(back.query)["payment_intent"] == [asked.payment_intent_id]
    paid = await shop.port.fetch_confirmation(asked.payment_intent_id)
    assert paid is not None
    assert (paid.status, paid.url) == ("succeeded", None)
    assert (await shop.port.charge_invoice(owed.id, "again")).invoice.status == "paid"
    # Whoever asks again is told that it is paid, and nobody is charged.
    assert await shop.port.confirm_payment(owed.id, _BACK, "again") == paid
    statuses = [attempt.status for attempt in await attempts(shop)]
    assert statuses.count("succeeded") == 1


async def test_a_customer_who_does_not_pass_may_try_again(shop: Shop) -> None:
    owed = await owe(shop, "pm_card_authenticationRequired")
    asked = await shop.port.confirm_payment(owed.id, _BACK, "one")
    assert asked.url is not None
    await confirm_at_the_bank(asked.url, passes=False)
    failed = await shop.port.fetch_confirmation(asked.payment_intent_id)
    assert failed is not None
    assert failed.status == "needs_method"
    again = await shop.port.confirm_payment(owed.id, _BACK, "two")
    assert again.url is not None
    assert again.url != asked.url
    await confirm_at_the_bank(again.url)
    invoice = await shop.port.fetch_invoice(owed.id)
    assert invoice is not None
    assert invoice.status == "paid"


async def test_a_card_whose_bank_asks_nothing_is_charged_at_once(shop: Shop) -> None:
    owed = await owe(shop)
    paid = await shop.port.confirm_payment(owed.id, _BACK, "key")
    assert (paid.status, paid.url) == ("succeeded", None)
    assert await shop.port.confirm_payment(owed.id, _BACK, "key") == paid
    assert len(await attempts(shop)) == 1


async def test_two_clicks_at_once_pay_once_and_both_are_told_so(shop: Shop) -> None:
    owed, other = await owe(shop), await owe(shop)
    paid = await asyncio.gather(
        *(shop.port.charge_invoice(owed.id, key) for key in ("one", "two", "three"))
    )
    assert [each.invoice.status for each in paid] == ["paid"] * 3
    confirmed = await asyncio.gather(
        *(shop.port.confirm_payment(other.id, _BACK, key) for key in ("four", "five", "six"))
    )
    assert [each.status for each in confirmed] == ["succeeded"] * 3
    assert len(await attempts(shop)) == 2


async def test_a_confirmation_whose_answer_is_lost_leads_to_the_same_page(shop: Shop) -> None:
    owed = await owe(shop, "pm_card_authenticationRequired")
    await lose_answers(shop, "/v1/payment_intents/")
    with pytest.raises(ProviderUnreachable):
        await shop.port.confirm_payment(owed.id, _BACK, "key")
    asked = await shop.port.confirm_payment(owed.id, _BACK, "key")
    assert await shop.port.confirm_payment(owed.id, _BACK, "key") == asked


async def test_a_confirmation_with_another_method_may_be_refused(shop: Shop) -> None:
    owed = await owe(shop)
    bad = await shop.sdk.payment_methods.attach_async(
        "pm_card_chargeCustomerFail", {"customer": owed.customer_id}
    )
    with pytest.raises(CardRefused) as refused:
        await shop.port.confirm_payment(owed.id, _BACK, "key", bad.id)
    assert refused.value.decline_code == "generic_decline"
    assert refused.value.network_decline_code == "05"


async def test_what_has_no_payment_cannot_be_confirmed(shop: Shop) -> None:
    customer = await shop.sdk.customers.create_async({"email": "ada@example.com"})
    draft = await shop.sdk.invoices.create_async({"customer": customer.id, "currency": "eur"})
    with pytest.raises(ProviderRefused):
        await shop.port.confirm_payment(draft.id, _BACK, "key")
    with pytest.raises(ProviderRefused):
        await shop.port.confirm_payment("in_none", _BACK, "key")
    assert await shop.port.fetch_confirmation("pi_none") is None
