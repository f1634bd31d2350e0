"""Scenarios of requests: test cards, tax ids, idempotency, lists, expansion, metadata."""

from typing import Any

import stripe

from tests.stripe_sandbox.scenarios.scenario import Scenario, Steps, code_of, refusal
from tests.stripe_sandbox.shop import Shop, open_shop

_CARDS = "https://docs.stripe.com/testing#declined-payments"
_SECURE = "https://docs.stripe.com/testing#regulatory-cards"
_TAX_IDS = "https://docs.stripe.com/billing/customer/tax-ids"
_KEYS = "https://docs.stripe.com/api/idempotent_requests"
_PAGES = "https://docs.stripe.com/api/pagination"
_EXPAND = "https://docs.stripe.com/expand"
_METADATA = "https://docs.stripe.com/api/metadata"


def _declined(card: str) -> Steps:
    """Status, error code and decline code of a payment with a test card."""

    async def steps(shop: Shop) -> Any:
        answer = await shop.account.http.post(
            "/v1/payment_intents",
            data={
                "amount": "1000",
                "currency": "usd",
                "confirm": "true",
                "payment_method": card,
                "return_url": "http://127.0.0.1/",
            },
        )
        error = answer.json()["error"]
        return answer.status_code, error["code"], error.get("decline_code")

    return steps


def _secure(card: str) -> Steps:
    """What becomes of a payment that the customer is there for."""

    async def steps(shop: Shop) -> Any:
        intent = await shop.account.v1.payment_intents.create_async(
            {
                "amount": 1_000,
                "currency": "usd",
                "confirm": True,
                "payment_method": card,
                "return_url": "http://127.0.0.1/",
            }
        )
        return intent.status

    return steps


async def _first_payment_asks(shop: Shop) -> Any:
    other = await open_shop(shop.account, "pm_card_authenticationRequired")
    subscription = await other.subscribe(
        await other.price(1_000), payment_behavior="allow_incomplete",
        expand=["latest_invoice.payments.data.payment.payment_intent"],
    )  # fmt: skip
    invoice = subscription.to_dict()["latest_invoice"]
    intent = invoice["payments"]["data"][0]["payment"]["payment_intent"]
    return subscription.status, invoice["status"], intent["status"]


async def _cannot_attach(shop: Shop) -> Any:
    error = await refusal(
        shop.account.v1.payment_methods.attach_async(
            "pm_card_visa_chargeDeclined", {"customer": shop.customer}
        )
    )
    return error.http_status, code_of(error)


async def _fails_when_charged(shop: Shop) -> Any:
    kept = await shop.account.v1.payment_methods.attach_async(
        "pm_card_chargeCustomerFail", {"customer": shop.customer}
    )
    subscription = await shop.subscribe(
        await shop.price(1_000), default_payment_method=kept.id, payment_behavior="allow_incomplete"
    )
    return subscription.status


def _tax_id(value: str) -> Steps:
    """The verdict on a tax id."""

    async def steps(shop: Shop) -> Any:
        tax_ids = shop.account.v1.customers.tax_ids
        made = await tax_ids.create_async(shop.customer, {"type": "eu_vat", "value": value})
        kept = await tax_ids.retrieve_async(shop.customer, made.id)
        assert kept.verification
        return kept.verification.status

    return steps


async def _malformed_tax_id(shop: Shop) -> Any:
    error = await refusal(
        shop.account.v1.customers.tax_ids.create_async(
            shop.customer, {"type": "eu_vat", "value": "ATU1234"}
        )
    )
    return error.http_status, code_of(error)


async def _replayed(shop: Shop) -> Any:
    headers = {"idempotency-key": "k"}
    http = shop.account.http
    first = await http.post("/v1/customers", data={"name": "A"}, headers=headers)
    again = await http.post("/v1/customers", data={"name": "A"}, headers=headers)
    return first.json() == again.json(), again.headers["idempotent-replayed"]


async def _misused_key(shop: Shop) -> Any:
    customers = shop.account.v1.customers
    await customers.create_async({"name": "A"}, options={"idempotency_key": "k"})
    error = await refusal(customers.create_async({"name": "B"}, options={"idempotency_key": "k"}))
    return error.http_status, type(error) is stripe.IdempotencyError


async def _paged(shop: Shop) -> Any:
    for _ in range(11):
        await shop.account.v1.products.create_async({"name": "P"})
    products = shop.account.v1.products
    first = await products.list_async()
    rest = await products.list_async({"starting_after": first.data[-1].id})
    return len(first.data), first.has_more, len(rest.data), rest.has_more


def _limit(limit: int) -> Steps:
    """The status of a list with a limit."""

    async def steps(shop: Shop) -> Any:
        answer = await shop.account.http.get("/v1/customers", params={"limit": limit})
        return answer.status_code

    return steps


async def _expanded(shop: Shop) -> Any:
    await shop.subscribe(await shop.price(1_000))
    listed = await shop.account.v1.subscriptions.list_async(
        {"expand": ["data.latest_invoice.customer.invoice_settings.default_payment_method"]}
    )
    invoice = listed.data[0].to_dict()["latest_invoice"]
    return invoice["customer"]["invoice_settings"]["default_payment_method"]["card"]["last4"]


async def _too_deep(shop: Shop) -> Any:
    await shop.subscribe(await shop.price(1_000))
    path = "latest_invoice.customer.invoice_settings.default_payment_method.customer"
    error = await refusal(shop.account.v1.subscriptions.list_async({"expand": [f"data.{path}"]}))
    return error.http_status, "more than 4 levels" in str(error)


async def _merged(shop: Shop) -> Any:
    customers = shop.account.v1.customers
    seen = []
    for change in ({"a": "1", "b": "2"}, {"b": "3"}, {"a": ""}, ""):
        changed = await customers.update_async(shop.customer, {"metadata": change})
        seen.append(changed.to_dict()["metadata"])
    return seen


ROWS = [
    *(
        Scenario(f"The card {card} is declined with {decline}", _CARDS, _declined(card),
                 (402, code, decline), figures=True)
        for card, code, decline in (
            ("pm_card_visa_chargeDeclined", "card_declined", "generic_decline"),
            ("pm_card_visa_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
            ("pm_card_visa_chargeDeclinedLostCard", "card_declined", "lost_card"),
            ("pm_card_visa_chargeDeclinedStolenCard", "card_declined", "stolen_card"),
            ("pm_card_chargeDeclinedExpiredCard", "expired_card", "expired_card"),
            ("pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc", "incorrect_cvc"),
            ("pm_card_chargeDeclinedProcessingError", "processing_error", "processing_error"),
        )
    ),
    Scenario("A card that is declined cannot be attached", _CARDS,
             _cannot_attach, (402, "generic_decline")),
    Scenario("The card for failing customers is attached and then fails", _CARDS,
             _fails_when_charged, "incomplete"),
    Scenario("A card that always asks leaves the payment to the customer", _SECURE,
             _secure("pm_card_authenticationRequired"), "requires_action"),
    Scenario("A card with optional 3-D Secure is charged without", _SECURE,
             _secure("pm_card_threeDSecureOptional"), "succeeded"),
    Scenario("A first payment that asks leaves the subscription incomplete", _SECURE,
             _first_payment_asks, ("incomplete", "open", "requires_action")),
    Scenario("The tax id of nine zeros is verified", _TAX_IDS, _tax_id("000000000"), "verified",
             figures=True),
    Scenario("The tax id of nine ones is unverified", _TAX_IDS, _tax_id("111111111"),
             "unverified", figures=True),
    Scenario("The tax id of nine twos stays pending", _TAX_IDS, _tax_id("222222222"), "pending",
             figures=True),
    Scenario("A malformed tax id is refused", _TAX_IDS,
             _malformed_tax_id, (400, "tax_id_invalid")),
    Scenario("The same key replays the same answer", _KEYS, _replayed, (True, "true")),
    Scenario("The same key with other parameters is an error", _KEYS, _misused_key, (400, True)),
    Scenario("A list shows ten objects and says whether there are more", _PAGES,
             _paged, (10, True, 2, False), figures=True),
    Scenario("A list shows at most a hundred objects", _PAGES, _limit(100), 200, figures=True),
    Scenario("A limit of more than a hundred is refused", _PAGES, _limit(101), 400, figures=True),
    Scenario("A list is expanded four levels deep", _EXPAND, _expanded, "4242", figures=True),
    Scenario("Five levels are refused", _EXPAND, _too_deep, (400, True), figures=True),
    Scenario("Metadata is merged, a key is unset by nothing, and all of it too", _METADATA,
             _merged, [{"a": "1", "b": "2"}, {"a": "1", "b": "3"}, {"b": "3"}, {}]),
]  # fmt: skip
