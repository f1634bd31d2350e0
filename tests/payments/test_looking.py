"""Whether an invoice may be asked for: seen at a glance, or from the whole of it."""

from typing import Any

import msgspec
import pytest
import stripe

from guichet.payments.stripe.copying import intent_of, is_being_paid
from guichet.payments.stripe.line import Line
from guichet.payments.stripe.looking import may_be_paid
from guichet.payments.stripe.transport import Answer
from tests.payments.wires import Wire


async def _may_be_paid(invoice: dict[str, Any]) -> bool:
    async def answer() -> Answer:
        return msgspec.json.encode(invoice), 200, {}

    client = stripe.StripeClient("sk_test_1", http_client=Line(Wire(answer)))
    return await may_be_paid(client, invoice["id"], [])


_NOTHING: dict[str, Any] = {"object": "list", "data": [], "has_more": False}


@pytest.mark.parametrize(
    ("invoice", "certain"),
    [
        ({"status": "open", "payments": _NOTHING}, True),
        ({"status": "paid", "payments": _NOTHING}, False),
        ({"status": "open", "payments": {**_NOTHING, "has_more": True}}, False),
        ({"status": "open"}, False),
    ],
    ids=["nothing paid", "paid", "more payments than are seen", "payments not seen"],
)
async def test_a_glance_at_an_invoice_is_enough_where_it_leaves_no_doubt(
    invoice: dict[str, Any], certain: bool
) -> None:
    assert await _may_be_paid({"id": "in_1", **invoice}) == certain


@pytest.mark.parametrize(
    ("payment", "intent", "under_way"),
    [
        ("open", "requires_payment_method", False),
        ("open", "requires_action", False),
        ("open", "processing", True),
        ("open", "succeeded", True),
        ("paid", "succeeded", False),
        ("canceled", "canceled", False),
    ],
)
async def test_money_that_is_on_its_way_is_not_asked_for_again(
    payment: str, intent: str, under_way: bool
) -> None:
    values = {
        "id": "in_1",
        "object": "invoice",
        "status": "open",
        "payments": {
            "object": "list",
            "has_more": False,
            "data": [
                {
                    "id": "inpay_1",
                    "object": "invoice_payment",
                    "status": payment,
                    "is_default": True,
                    "payment": {
                        "type": "payment_intent",
                        "payment_intent": {
                            "id": "pi_1",
                            "object": "payment_intent",
                            "status": intent,
                        },
                    },
                }
            ],
        },
    }
    invoice = stripe.Invoice.construct_from(values, "sk_test_1")
    assert is_being_paid(invoice) == under_way
    assert await _may_be_paid(values) != under_way
    found = intent_of(invoice)
    assert found is not None
    assert found.id == "pi_1"
