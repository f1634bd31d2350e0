"""Payment intents: tried, authenticated, refused, canceled; cards and their fates."""

from typing import Any

import httpx
import pytest
import stripe

from tests.stripe_sandbox.annotations import problems
from tests.stripe_sandbox.intents import BACK, answer_bank, bank_page, pay
from tests.stripe_sandbox.program import Account


async def _refused(account: Account, card: str, **params: Any) -> dict[str, Any]:
    """The body of the 402."""
    with pytest.raises(stripe.CardError) as refused:
        await pay(account, card, **params)
    assert refused.value.http_status == 402
    body: Any = refused.value.json_body
    error: dict[str, Any] = body["error"]
    return error


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
    intent = await pay(account, card, return_url=BACK, **params)
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
    intent = await pay(account, "pm_card_threeDSecure2Required", return_url=BACK)
    location = await answer_bank(intent, "complete")
    assert location == (
        f"{BACK}?payment_intent={intent.id}&payment_intent_client_secret={intent.client_secret}"
        "&redirect_status=succeeded"
    )
    charges = (await account.v1.charges.list_async({"payment_intent": intent.id})).data
    details: Any = charges[0].to_dict()["payment_method_details"]
    assert details["card"]["three_d_secure"]["result"] == "authenticated"
    assert await answer_bank(intent, "fail") == location
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
    intent = await pay(account, card, return_url=BACK)
    assert "redirect_status=failed" in await answer_bank(intent, "complete")
    after = await account.v1.payment_intents.retrieve_async(intent.id)
    assert after.last_payment_error
    assert after.last_payment_error.decline_code == decline_code


async def test_a_bank_s_page_is_found_by_nobody_else_and_replaced_by_the_next(
    account: Account,
) -> None:
    intent = await pay(account, "pm_card_threeDSecure2Required", return_url=BACK)
    again = await account.v1.payment_intents.confirm_async(
        intent.id, {"return_url": BACK, "payment_method": "pm_card_threeDSecure2Required"}
    )
    assert bank_page(again) != bank_page(intent)
    assert "redirect_status=failed" in await answer_bank(intent, "complete")
    assert (await account.v1.payment_intents.retrieve_async(intent.id)).status == "requires_action"
    async with httpx.AsyncClient() as visitor:
        guessed = await visitor.get(bank_page(again)[:-1] + "!")
        shown = await visitor.get(bank_page(again))
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
