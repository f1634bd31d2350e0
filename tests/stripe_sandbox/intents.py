"""Payments that are tried, and the bank that is asked about them."""

from typing import Any

import httpx
import stripe

from tests.loopback import NO_AUTHORITIES
from tests.stripe_sandbox.program import Account

BACK = "http://shop.localhost/back"


async def pay(account: Account, card: str, **params: Any) -> stripe.PaymentIntent:
    asked: Any = {
        "amount": 1_500, "currency": "usd", "confirm": True, "payment_method": card, **params,
    }  # fmt: skip
    return await account.v1.payment_intents.create_async(asked)


def bank_page(intent: stripe.PaymentIntent | stripe.SetupIntent) -> str:
    assert intent.next_action
    assert intent.next_action.redirect_to_url
    return str(intent.next_action.redirect_to_url.url)


async def answer_bank(intent: stripe.PaymentIntent | stripe.SetupIntent, outcome: str) -> str:
    """Press a button of the bank's page; where it leads."""
    async with httpx.AsyncClient(verify=NO_AUTHORITIES) as visitor:
        answer = await visitor.post(bank_page(intent), content=f"outcome={outcome}")
    assert answer.status_code == 303
    return str(answer.headers["location"])
