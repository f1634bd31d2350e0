"""Payment and setup intents: tried, authenticated, refused, canceled; cards and their fates."""

from typing import Any

import httpx
import pytest
import stripe

from tests.stripe_sandbox.annotations import problems
from tests.stripe_sandbox.program import Account
from tests.stripe_sandbox.shop import DAY, START, Shop, open_shop

_BACK = "http://shop.localhost/back"
_ACTION_CODE = "invoice_payment_intent_requires_action"


async def _pay(account: Account, card: str, **params: Any) -> stripe.PaymentIntent:
    asked: Any = {
        "amount": 1_500, "currency": "usd", "confirm": True, "payment_method": card, **params,
    }  # fmt: skip
    return await account.v1.payment_intents.create_async(asked)


async def _refused(account: Account, card: str, **params: Any) -> dict[str, Any]:
    """The body of the 402."""
    with pytest.raises(stripe.CardError) as refused:
        await _pay(account, card, **params)
    assert refused.value.http_status == 402
    body: Any = refused.value.json_body
    error: dict[str, Any] = body["error"]
    return error


def _bank(intent: stripe.PaymentIntent | stripe.SetupIntent) -> str:
    assert intent.next_action
    assert intent.next_action.redirect_to_url
    return str(intent.next_action.redirect_to_url.url)


async def _answer(intent: stripe.PaymentIntent | stripe.SetupIntent, outcome: str) -> str:
    """Press a button of the bank's page; where it leads."""
    async with httpx.AsyncClient() as visitor:
        answer = await visitor.post(_bank(intent), content=f"outcome={outcome}")
    assert answer.status_code == 303
    return str(answer.headers["location"])


async def test_a_payment_goes_from_creation_to_success(account: Account) -> None:
    intents = account.v1.payment_intents
    intent = await intents.create_async({"amount": 1_500, "currency": "eur"})
    assert intent.status == "requires_payment_method"
    intent = await intents.update_async(intent.id, {"payment_method": "pm_card_visa"})
    assert intent.status == "requires_confirmation"
    intent = await intents.confirm_async(intent.id, {"expand": ["latest_charge"]})
    assert (intent.status, intent.amount_received) == ("succeeded", 1_500)
    assert isinstance(intent.latest_charge, stripe.Charge)
    assert (intent.latest_charge.currency, intent.latest_charge.paid) == ("eur", True)
    with pytest.raises(stripe.InvalidRequestError) as again:
        await intents.confirm_async(intent.id)
    assert again.value.code == "payment_intent_unexpected_state"


async def test_a_canceled_payment_is_never_paid(account: Account) -> None:
    intents = account.v1.payment_intents
    intent = await intents.create_async({"amount": 1_500, "currency": "usd"})
    canceled = await intents.cancel_async(
        intent.id, {"cancellation_reason": "requested_by_customer"}
    )
    assert (canceled.status, canceled.cancellation_reason) == ("canceled", "requested_by_customer")
    with pytest.raises(stripe.InvalidRequestError):
        await intents.confirm_async(intent.id, {"payment_method": "pm_card_visa"})


async def test_only_who_has_the_client_secret_sees_the_intent_with_it(account: Account) -> None:
    intents = account.v1.payment_intents
    intent = await intents.create_async({"amount": 1_500, "currency": "usd"})
    secret = str(intent.client_secret)
    found = await intents.retrieve_async(intent.id, {"client_secret": secret})
    assert found.id == intent.id
    with pytest.raises(stripe.InvalidRequestError):
        await intents.retrieve_async(intent.id, {"client_secret": f"{secret}x"})


# Source: https://docs.stripe.com/testing#declined-payments and #fraud-prevention
@pytest.mark.parametrize(
    ("card", "code", "decline_code", "kind", "network_status"),
    [
        ("pm_card_visa_chargeDeclined", "card_declined", "generic_decline",
         "issuer_declined", "declined_by_network"),
        ("pm_card_visa_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds",
         "issuer_declined", "declined_by_network"),
        ("pm_card_visa_chargeDeclinedLostCard", "card_declined", "lost_card",
         "issuer_declined", "declined_by_network"),
        ("pm_card_visa_chargeDeclinedStolenCard", "card_declined", "stolen_card",
         "issuer_declined", "declined_by_network"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", "expired_card",
         "issuer_declined", "declined_by_network"),
        ("pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc", "incorrect_cvc",
         "issuer_declined", "declined_by_network"),
        ("pm_card_chargeDeclinedProcessingError", "processing_error", "processing_error",
         "issuer_declined", "declined_by_network"),
        ("pm_card_visa_chargeDeclinedVelocityLimitExceeded", "card_declined",
         "card_velocity_exceeded", "issuer_declined", "declined_by_network"),
        ("pm_card_chargeCustomerFail", "card_declined", "generic_decline",
         "issuer_declined", "declined_by_network"),
        ("pm_card_radarBlock", "card_declined", "fraudulent", "blocked", "not_sent_to_network"),
        ("pm_card_threeDSecureRequiredProcessingError", "card_declined", "generic_decline",
         "issuer_declined", "declined_by_network"),
    ],
)  # fmt: skip
async def test_a_declined_card_leaves_a_failed_charge(
    account: Account, card: str, code: str, decline_code: str, kind: str, network_status: str
) -> None:
    error = await _refused(account, card)
    assert (error["type"], error["code"], error["decline_code"]) == (
        "card_error", code, decline_code,
    )  # fmt: skip
    intent = error["payment_intent"]
    assert intent["status"] == "requires_payment_method"
    assert intent["last_payment_error"]["decline_code"] == decline_code
    listed = await account.v1.charges.list_async({"payment_intent": intent["id"]})
    (charge,) = listed.data
    assert (charge.status, charge.failure_code, charge.id) == ("failed", code, error["charge"])
    assert charge.outcome
    assert (charge.outcome.type, charge.outcome.network_status) == (kind, network_status)
    assert problems(intent) == problems(charge.to_dict()) == []


async def test_every_attempt_stays_listed_and_the_last_one_pays(account: Account) -> None:
    error = await _refused(account, "pm_card_visa_chargeDeclined")
    intents = account.v1.payment_intents
    identifier = error["payment_intent"]["id"]
    with pytest.raises(stripe.CardError):
        await intents.confirm_async(identifier, {"payment_method": "pm_card_radarBlock"})
    paid = await intents.confirm_async(identifier, {"payment_method": "pm_card_mastercard"})
    assert (paid.status, paid.last_payment_error) == ("succeeded", None)
    charges = (await account.v1.charges.list_async({"payment_intent": identifier})).data
    assert [charge.status for charge in charges] == ["succeeded", "failed", "failed"]


# Source: https://docs.stripe.com/testing#regulatory-cards and #three-ds-cards
@pytest.mark.parametrize(
    ("card", "params", "status"),
    [
        ("pm_card_visa", {}, "succeeded"),
        ("pm_card_amex_threeDSecureNotSupported",
         {"payment_method_options": {"card": {"request_three_d_secure": "any"}}}, "succeeded"),
        ("pm_card_threeDSecureOptional", {}, "succeeded"),
        ("pm_card_threeDSecureOptional",
         {"payment_method_options": {"card": {"request_three_d_secure": "any"}}},
         "requires_action"),
        ("pm_card_threeDSecure2Required", {}, "requires_action"),
        ("pm_card_authenticationRequired", {}, "requires_action"),
        ("pm_card_authenticationRequiredOnSetup", {}, "requires_action"),
        ("pm_card_authenticationRequiredSetupForOffSession", {}, "requires_action"),
        ("pm_card_authenticationRequiredSetupForOffSession", {"off_session": True}, "succeeded"),
        ("pm_card_authenticationRequiredChargeDeclinedInsufficientFunds", {}, "requires_action"),
    ],
)  # fmt: skip
async def test_a_card_asks_for_authentication_as_it_is_published_to(
    account: Account, card: str, params: dict[str, Any], status: str
) -> None:
    intent = await _pay(account, card, return_url=_BACK, **params)
    assert intent.status == status
    assert (intent.next_action is not None) == (status == "requires_action")
    assert problems(intent.to_dict()) == []


@pytest.mark.parametrize("card", ["pm_card_authenticationRequired",
                                  "pm_card_authenticationRequiredOnSetup"])  # fmt: skip
async def test_a_customer_who_is_away_cannot_authenticate(account: Account, card: str) -> None:
    error = await _refused(account, card, off_session=True)
    assert (error["code"], error["decline_code"]) == ("authentication_required",) * 2
    assert error["payment_intent"]["status"] == "requires_payment_method"


async def test_a_passed_authentication_is_charged_and_shown(account: Account) -> None:
    intent = await _pay(account, "pm_card_threeDSecure2Required", return_url=_BACK)
    location = await _answer(intent, "complete")
    assert location == (
        f"{_BACK}?payment_intent={intent.id}&payment_intent_client_secret={intent.client_secret}"
        "&redirect_status=succeeded"
    )
    charges = (await account.v1.charges.list_async({"payment_intent": intent.id})).data
    details: Any = charges[0].to_dict()["payment_method_details"]
    assert details["card"]["three_d_secure"]["result"] == "authenticated"
    assert await _answer(intent, "fail") == location
    assert len((await account.v1.charges.list_async({"payment_intent": intent.id})).data) == 1


@pytest.mark.parametrize(
    ("card", "decline_code"),
    [
        ("pm_card_threeDSecureRequiredChargeDeclined", "generic_decline"),
        ("pm_card_authenticationRequiredChargeDeclinedInsufficientFunds", "insufficient_funds"),
    ],
)
async def test_a_card_may_be_declined_after_authentication(
    account: Account, card: str, decline_code: str
) -> None:
    intent = await _pay(account, card, return_url=_BACK)
    assert "redirect_status=failed" in await _answer(intent, "complete")
    after = await account.v1.payment_intents.retrieve_async(intent.id)
    assert after.last_payment_error
    assert after.last_payment_error.decline_code == decline_code


async def test_a_bank_s_page_is_found_by_nobody_else_and_replaced_by_the_next(
    account: Account,
) -> None:
    intent = await _pay(account, "pm_card_threeDSecure2Required", return_url=_BACK)
    again = await account.v1.payment_intents.confirm_async(
        intent.id, {"return_url": _BACK, "payment_method": "pm_card_threeDSecure2Required"}
    )
    assert _bank(again) != _bank(intent)
    assert "redirect_status=failed" in await _answer(intent, "complete")
    assert (await account.v1.payment_intents.retrieve_async(intent.id)).status == "requires_action"
    async with httpx.AsyncClient() as visitor:
        guessed = await visitor.get(_bank(again)[:-1] + "!")
        shown = await visitor.get(_bank(again))
    assert (guessed.status_code, shown.status_code) == (404, 200)
    assert "Complete" in shown.text


@pytest.mark.parametrize(
    ("card", "available"),
    [
        ("pm_card_visa_cartesBancaires", ["cartes_bancaires", "visa"]),
        ("pm_card_mastercard_debit_eftposAuCoBranded", ["eftpos_au", "mastercard"]),
        ("pm_card_unionpay", ["unionpay"]),
    ],
)
async def test_a_card_tells_its_networks(account: Account, card: str, available: list[str]) -> None:
    method = await account.v1.payment_methods.retrieve_async(card)
    assert method.card
    assert method.card.networks
    assert method.card.networks.available == available
    assert problems(method.to_dict()) == []


# Setup intents.


async def _set_up(account: Account, customer: str, card: str) -> stripe.SetupIntent:
    asked: Any = {
        "customer": customer, "payment_method": card, "confirm": True, "return_url": _BACK,
    }  # fmt: skip
    return await account.v1.setup_intents.create_async(asked)


async def test_a_card_that_is_set_up_is_attached_and_told_of(account: Account) -> None:
    shop = await open_shop(account)
    intent = await _set_up(account, shop.customer, "pm_card_mastercard")
    assert (intent.status, intent.usage) == ("succeeded", "off_session")
    method = await account.v1.payment_methods.retrieve_async(str(intent.payment_method))
    assert method.customer == shop.customer
    events = await shop.events("setup_intent.created", "setup_intent.succeeded")
    assert [event.type for event in events] == ["setup_intent.created", "setup_intent.succeeded"]
    assert problems(intent.to_dict()) == []
    (listed,) = (await account.v1.setup_intents.list_async({"customer": shop.customer})).data
    assert listed.id == intent.id


async def test_what_was_set_up_is_charged_while_the_customer_is_away(account: Account) -> None:
    shop = await open_shop(account)
    intent = await _set_up(account, shop.customer, "pm_card_authenticationRequiredOnSetup")
    assert intent.status == "requires_action"
    assert f"setup_intent={intent.id}" in await _answer(intent, "complete")
    paid = await _pay(account, str(intent.payment_method), customer=shop.customer, off_session=True)
    assert paid.status == "succeeded"


async def test_a_setup_that_fails_keeps_nothing(account: Account) -> None:
    shop = await open_shop(account)
    intent = await _set_up(account, shop.customer, "pm_card_authenticationRequired")
    assert "redirect_status=failed" in await _answer(intent, "fail")
    after = await account.v1.setup_intents.retrieve_async(intent.id)
    assert after.last_setup_error
    assert after.last_setup_error.code == "setup_intent_authentication_failure"
    with pytest.raises(stripe.CardError) as refused:
        await _set_up(account, shop.customer, "pm_card_chargeDeclinedExpiredCard")
    error: Any = refused.value.json_body
    assert error["error"]["setup_intent"]["status"] == "requires_payment_method"
    assert [event.type for event in await shop.events("setup_intent.setup_failed")] == [
        "setup_intent.setup_failed"
    ] * 2
    canceled = await account.v1.setup_intents.cancel_async(after.id)
    assert canceled.status == "canceled"
    methods = await account.v1.payment_methods.list_async({"customer": shop.customer})
    assert len(methods.data) == 1


# Invoices and subscriptions.


async def _keep(shop: Shop, card: str) -> str:
    """Make a card the customer's default."""
    method = await shop.account.v1.payment_methods.attach_async(card, {"customer": shop.customer})
    settings: Any = {"invoice_settings": {"default_payment_method": method.id}}
    await shop.account.v1.customers.update_async(shop.customer, settings)
    return method.id


async def test_a_first_invoice_waits_for_the_bank_without_a_charge(account: Account) -> None:
    shop = await open_shop(account)
    await _keep(shop, "pm_card_authenticationRequired")
    subscription = await shop.subscribe(
        await shop.price(1_000), expand=["latest_invoice.payments.data.payment.payment_intent"]
    )
    assert subscription.status == "incomplete"
    answer: Any = subscription.to_dict()
    intent = answer["latest_invoice"]["payments"]["data"][0]["payment"]["payment_intent"]
    assert (intent["status"], intent["next_action"]["type"]) == (
        "requires_action", "use_stripe_sdk",
    )  # fmt: skip
    assert await account.charges() == []
    types = ("payment_intent.requires_action", "invoice.payment_action_required",
             "invoice.payment_failed")  # fmt: skip
    assert [event.type for event in await shop.events(*types)] == list(types)


async def test_a_renewal_whose_bank_asks_fails_while_the_customer_is_away(account: Account) -> None:
    shop = await open_shop(account)
    await shop.subscribe(await shop.price(1_000))
    await _keep(shop, "pm_card_authenticationRequired")
    await shop.advance(START + 29 * DAY)
    invoice = (await shop.invoices())[0]
    (failed, _) = await account.charges()
    assert failed["outcome"]["reason"] == "authentication_required"
    assert len(await shop.events("invoice.payment_action_required")) == 1
    with pytest.raises(stripe.CardError) as away:
        await account.v1.invoices.pay_async(invoice.id)
    assert away.value.code == "authentication_required"
    with pytest.raises(stripe.CardError) as present:
        await account.v1.invoices.pay_async(invoice.id, {"off_session": False})
    error: Any = present.value.json_body
    assert error["error"]["code"] == _ACTION_CODE
    assert error["error"]["payment_intent"]["status"] == "requires_action"
    confirmed = await account.v1.payment_intents.confirm_async(
        error["error"]["payment_intent"]["id"], {"return_url": _BACK}
    )
    await _answer(confirmed, "complete")
    listed = await account.v1.subscriptions.list_async({"customer": shop.customer})
    assert listed.data[0].status == "active"
    assert (await shop.invoices())[0].status == "paid"


async def test_a_voided_invoice_takes_its_intent_along(account: Account) -> None:
    shop = await open_shop(account)
    await _keep(shop, "pm_card_authenticationRequired")
    subscription = await shop.subscribe(await shop.price(1_000))
    voided = await account.v1.invoices.void_invoice_async(
        str(subscription.latest_invoice), {"expand": ["payments.data.payment.payment_intent"]}
    )
    assert voided.payments
    (payment,) = voided.payments.data
    intent: Any = payment.payment.payment_intent
    assert (payment.status, intent.status, intent.cancellation_reason) == (
        "canceled", "canceled", "void_invoice",
    )  # fmt: skip


async def test_a_refused_change_leaves_the_failed_charge_and_nothing_else(account: Account) -> None:
    shop = await open_shop(account)
    await shop.refuse_card("insufficient_funds")
    price = await shop.price(1_000)
    with pytest.raises(stripe.CardError) as refused:
        await shop.subscribe(price, payment_behavior="error_if_incomplete")
    error: Any = refused.value.json_body
    assert error["error"]["decline_code"] == "insufficient_funds"
    (charge,) = await account.charges()
    assert (charge["id"], charge["status"]) == (error["error"]["charge"], "failed")
    intent = await account.v1.payment_intents.retrieve_async(charge["payment_intent"])
    assert intent.status == "canceled"
    assert await shop.invoices() == []
    everything = {"customer": shop.customer, "status": "all"}
    found = await account.http.get("/v1/subscriptions", params=everything)
    assert found.json()["data"] == []
    types = ("charge.failed", "invoice.created", "invoice.payment_failed")
    assert [event.type for event in await shop.events(*types)] == ["charge.failed"]


async def test_a_change_whose_bank_asks_is_refused_whole(account: Account) -> None:
    shop = await open_shop(account)
    await _keep(shop, "pm_card_authenticationRequired")
    with pytest.raises(stripe.CardError) as refused:
        await shop.subscribe(await shop.price(1_000), payment_behavior="error_if_incomplete")
    assert refused.value.code == "subscription_payment_intent_requires_action"
    assert await account.charges() == []


async def test_an_invoice_paid_elsewhere_is_not_charged(account: Account) -> None:
    shop = await open_shop(account)
    await shop.refuse_card("insufficient_funds")
    subscription = await shop.subscribe(await shop.price(1_000))
    paid = await account.v1.invoices.pay_async(
        str(subscription.latest_invoice), {"paid_out_of_band": True}
    )
    assert paid.status == "paid"
    assert [charge["status"] for charge in await account.charges()] == ["failed"]
    after = await account.v1.subscriptions.retrieve_async(subscription.id)
    assert after.status == "active"


async def test_a_first_payment_can_wait_for_its_confirmation(account: Account) -> None:
    shop = await open_shop(account)
    subscription = await shop.subscribe(
        await shop.price(1_000),
        payment_behavior="default_incomplete",
        payment_settings={"save_default_payment_method": "on_subscription"},
        expand=["latest_invoice.payments.data.payment.payment_intent"],
    )
    answer: Any = subscription.to_dict()
    intent = answer["latest_invoice"]["payments"]["data"][0]["payment"]["payment_intent"]
    assert intent["status"] == "requires_confirmation"
    await account.v1.payment_intents.confirm_async(
        intent["id"], {"payment_method": "pm_card_mastercard"}
    )
    after = await account.v1.subscriptions.retrieve_async(
        subscription.id, {"expand": ["default_payment_method"]}
    )
    assert after.status == "active"
    assert isinstance(after.default_payment_method, stripe.PaymentMethod)
    assert after.default_payment_method.customer == shop.customer


async def test_a_pending_change_takes_effect_when_the_bank_is_satisfied(account: Account) -> None:
    shop = await open_shop(account)
    subscription = await shop.subscribe(await shop.price(1_000))
    await _keep(shop, "pm_card_authenticationRequired")
    item = subscription.items.data[0].id
    pending = await account.v1.subscriptions.update_async(
        subscription.id,
        {
            "items": [{"id": item, "price": await shop.price(5_000)}],
            "payment_behavior": "pending_if_incomplete",
            "proration_behavior": "always_invoice",
            "expand": ["latest_invoice.payments.data.payment.payment_intent"],
        },
    )
    assert pending.pending_update
    answer: Any = pending.to_dict()
    intent = answer["latest_invoice"]["payments"]["data"][0]["payment"]["payment_intent"]
    assert intent["status"] == "requires_action"
    confirmed = await account.v1.payment_intents.confirm_async(intent["id"], {"return_url": _BACK})
    await _answer(confirmed, "complete")
    after = await account.v1.subscriptions.retrieve_async(subscription.id)
    assert (after.status, after.pending_update) == ("active", None)
    assert after.items.data[0].price.unit_amount == 5_000


async def test_a_sent_invoice_that_a_card_does_not_pay_costs_no_standing(account: Account) -> None:
    shop = await open_shop(account)
    subscription = await shop.subscribe(
        await shop.price(1_000), collection_method="send_invoice", days_until_due=30
    )
    await shop.refuse_card("insufficient_funds")
    with pytest.raises(stripe.CardError):
        await account.v1.invoices.pay_async(str(subscription.latest_invoice))
    after = await account.v1.subscriptions.retrieve_async(subscription.id)
    assert after.status == "active"
