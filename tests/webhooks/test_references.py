"""Which object an event has us fetch: its own, or the one that it is a part of."""

from typing import Any

import msgspec
import pytest

from guichet.billing.mirror import Reference
from guichet.webhooks.references import reference_of


def _about(subject: dict[str, Any]) -> bytes:
    return msgspec.json.encode({"data": {"object": subject}})


@pytest.mark.parametrize(
    ("subject", "reference"),
    [
        ({"object": "charge", "id": "ch_1", "invoice": None}, ("attempt", "ch_1")),
        ({"object": "credit_note", "id": "cn_1", "invoice": "in_1"}, ("invoice", "in_1")),
        ({"object": "customer", "id": "cus_1"}, ("customer", "cus_1")),
        (
            {"object": "discount", "id": "di_1", "customer": "cus_1", "subscription": "sub_1"},
            ("subscription", "sub_1"),
        ),
        (
            {"object": "discount", "id": "di_1", "customer": "cus_1", "subscription": None},
            ("customer", "cus_1"),
        ),
        ({"object": "invoice", "id": "in_1"}, ("invoice", "in_1")),
        ({"object": "invoice_payment", "id": "inpay_1", "invoice": "in_1"}, ("invoice", "in_1")),
        ({"object": "payment_intent", "id": "pi_1", "invoice": "in_1"}, ("invoice", "in_1")),
        ({"object": "payment_method", "id": "pm_1"}, ("payment_method", "pm_1")),
        ({"object": "price", "id": "price_1"}, ("price", "price_1")),
        ({"object": "product", "id": "prod_1"}, ("product", "prod_1")),
        ({"object": "refund", "id": "re_1", "charge": "ch_1"}, ("attempt", "ch_1")),
        ({"object": "subscription", "id": "sub_1"}, ("subscription", "sub_1")),
        (
            {"object": "subscription_schedule", "id": "sub_sched_1", "subscription": "sub_1"},
            ("subscription", "sub_1"),
        ),
        (
            {
                "object": "subscription_schedule",
                "id": "sub_sched_1",
                "subscription": None,
                "released_subscription": "sub_2",
            },
            ("subscription", "sub_2"),
        ),
        ({"object": "test_helpers.test_clock", "id": "clock_1"}, ("test_clock", "clock_1")),
        ({"object": "tax_id", "id": "txi_1", "customer": "cus_1"}, ("customer", "cus_1")),
    ],
    ids=lambda it: it["object"] if isinstance(it, dict) else "",
)
def test_an_event_has_what_it_touches_fetched(
    subject: dict[str, Any], reference: tuple[str, str]
) -> None:
    assert reference_of(_about(subject)) == Reference(*reference)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "subject",
    [
        {"object": "checkout.session", "id": "cs_1", "subscription": "sub_1"},
        {"object": "invoice", "id": None},
        {"object": "payment_intent", "id": "pi_1", "invoice": None},
        {"object": "refund", "id": "re_1", "charge": None},
        {"object": "charge", "id": {"nested": True}},
        {"object": ["charge"], "id": "ch_1"},
        {"object": "something.new", "id": "new_1"},
        {},
    ],
    ids=str,
)
def test_an_event_that_touches_nothing_has_nothing_fetched(subject: dict[str, Any]) -> None:
    assert reference_of(_about(subject)) is None


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"data": 1}', b"\xff"])
def test_a_body_that_is_no_event_has_nothing_fetched(body: bytes) -> None:
    assert reference_of(body) is None
