"""Setup intents: cards kept for later, authenticated, refused and canceled."""

from typing import Any

import pytest
import stripe

from tests.stripe_sandbox.annotations import problems
from tests.stripe_sandbox.intents import BACK, answer_bank, pay
from tests.stripe_sandbox.program import Account
from tests.stripe_sandbox.shop import open_shop


async def _set_up(account: Account, customer: str, card: str) -> stripe.SetupIntent:
    asked: Any = {
        "customer": customer, "payment_method": card, "confirm": True, "return_url": BACK,
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
    assert f"setup_intent={intent.id}" in await answer_bank(intent, "complete")
    paid = await pay(account, str(intent.payment_method), customer=shop.customer, off_session=True)
    assert paid.status == "succeeded"


async def test_a_setup_that_fails_keeps_nothing(account: Account) -> None:
    shop = await open_shop(account)
    intent = await _set_up(account, shop.customer, "pm_card_authenticationRequired")
    assert "redirect_status=failed" in await answer_bank(intent, "fail")
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
