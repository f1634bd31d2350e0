"""Deliveries as the payment provider sends them: distinct, signed, some 2 kB each."""

import hmac
import itertools
import secrets
import time

import msgspec

from benchmarks.client import post

PATH = "/webhooks/stripe"
_numbers = itertools.count()
# No two runs share an id, however often a database is kept.
_RUN = secrets.token_hex(4)


def deliveries(host: str, secret: str, count: int) -> list[bytes]:
    """Requests that were never sent before; their signatures hold for five minutes."""
    return [_delivery(host, secret) for _ in range(count)]


def _delivery(host: str, secret: str) -> bytes:
    now = int(time.time())
    body = msgspec.json.encode(_event(f"{_RUN}{next(_numbers):016d}", now))
    tag = hmac.digest(secret.encode(), f"{now}.".encode() + body, "sha256").hex()
    return post(host, PATH, {"Stripe-Signature": f"t={now},v1={tag}"}, body)


def _event(number: str, now: int) -> dict[str, object]:
    """An event about an invoice, of the shape and size that Stripe's have."""
    return {
        "id": f"evt_{number}",
        "object": "event",
        "api_version": "2026-10-28",
        "created": now,
        "type": "invoice.paid",
        "livemode": True,
        "pending_webhooks": 1,
        "request": {"id": f"req_{number}", "idempotency_key": None},
        "data": {"object": _invoice(number, now)},
    }


def _invoice(number: str, now: int) -> dict[str, object]:
    return {
        "id": f"in_{number}",
        "object": "invoice",
        "account_country": "DE",
        "account_name": "Lumen GmbH",
        "amount_due": 2400,
        "amount_paid": 2400,
        "amount_remaining": 0,
        "attempt_count": 1,
        "attempted": True,
        "auto_advance": False,
        "billing_reason": "subscription_cycle",
        "collection_method": "charge_automatically",
        "created": now,
        "currency": "eur",
        "customer": f"cus_{number}",
        "customer_email": f"customer-{number}@example.com",
        "customer_name": "Camille Laurent",
        "default_payment_method": None,
        "description": None,
        "discounts": [],
        "hosted_invoice_url": f"https://invoice.example.com/i/acct_1/{number}/live_{number}",
        "invoice_pdf": f"https://invoice.example.com/i/acct_1/{number}/live_{number}/pdf",
        "lines": {"object": "list", "data": [_line(number, now)], "has_more": False},
        "metadata": {"order": number, "channel": "self-service"},
        "number": f"LUM-{number}",
        "period_end": now,
        "period_start": now - 2_592_000,
        "status": "paid",
        "status_transitions": {
            "finalized_at": now,
            "marked_uncollectible_at": None,
            "paid_at": now,
            "voided_at": None,
        },
        "subtotal": 2017,
        "total": 2400,
        "total_taxes": [{"amount": 383, "tax_behavior": "exclusive", "type": "tax_rate_details"}],
    }


def _line(number: str, now: int) -> dict[str, object]:
    return {
        "id": f"il_{number}",
        "object": "line_item",
        "amount": 2400,
        "currency": "eur",
        "description": "1 × Studio (at €24.00 / month)",
        "discountable": True,
        "livemode": True,
        "period": {"start": now, "end": now + 2_592_000},
        "pricing": {
            "type": "price_details",
            "price_details": {"price": f"price_{number}", "product": f"prod_{number}"},
        },
        "quantity": 1,
        "parent": {
            "type": "subscription_item_details",
            "subscription_item_details": {
                "subscription": f"sub_{number}",
                "subscription_item": f"si_{number}",
                "proration": False,
            },
        },
    }
