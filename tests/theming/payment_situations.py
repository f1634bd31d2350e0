"""The pages around paying, in each of their situations."""

from datetime import timedelta
from typing import Any

from guichet.billing.failed_payments import Declined, FailedPayment, Failure
from guichet.billing.payment_methods import MethodBook, PaymentMethod
from guichet.money import Money
from guichet.portal.payer import choices
from tests.theming.samples import CARD, CSRF, NOW, home, invoice, subscription

MASTERCARD = PaymentMethod("pm_2", "card", "mastercard", "4444", 10, 2026)
DEBIT = PaymentMethod("pm_3", "sepa_debit", None, "3000", None, None)
AMEX = PaymentMethod("pm_4", "card", "amex", "0005", 2, 2031)
PINS: dict[str, tuple[str, ...]] = {}


def book(*ordered: PaymentMethod, others: tuple[PaymentMethod, ...] = ()) -> MethodBook:
    """A customer's payment methods."""
    return MethodBook(
        ordered=ordered, others=others, has_live_subscription=True, pinned=PINS, now=NOW
    )


def failed(order: int = 0, **changes: Any) -> FailedPayment:
    """A payment that failed and is tried again."""
    usual: dict[str, Any] = {
        "invoice_id": f"in_{order:014d}",
        "subscription_id": "sub_00000000000001",
        "number": "LUM-2026-1200",
        "amount": Money(2900, "eur"),
        "state": "waiting",
        "next_attempt_at": NOW + timedelta(days=3),
        "asks_for": None,
        "access": "grace",
        "access_changes_at": NOW + timedelta(days=6),
        "failure": Failure(
            at=NOW - timedelta(days=1),
            failure_code="card_declined",
            decline_code="insufficient_funds",
            brand="visa",
            last4="4242",
        ),
    }
    return FailedPayment(**usual | changes)


def _homes() -> dict[str, dict[str, Any]]:
    overdue = subscription(1, status="past_due")
    owed = invoice(0, status="open", remaining=Money(2900, "eur"))
    asking: dict[str, Any] = {"state": "asking", "next_attempt_at": None}
    situations = {
        "overdue": failed(),
        "asked-for-a-card": failed(**asking, asks_for="new_card", access="restricted"),
        "asked-for-the-bank": failed(**asking, asks_for="authenticate", access_changes_at=None),
        "given-up": failed(
            state="given_up", next_attempt_at=None, access="blocked", access_changes_at=None
        ),
        "being-tried": failed(state="attempting", failure=None, subscription_id=None),
    }
    return {
        f"home-{name}": home(subscriptions=(overdue,), invoices=(owed,), failed_payments=(it,))
        for name, it in situations.items()
    }


def _paying() -> dict[str, dict[str, Any]]:
    debt = invoice(0, status="open", remaining=Money(2900, "eur"))
    declines = {
        "pm_1": Declined("pm_1", NOW, is_dead=False),
        "pm_4": Declined("pm_4", NOW, is_dead=True, is_final=True),
    }
    paying: dict[str, Any] = {
        "invoice": debt,
        "subscription": subscription(1, status="past_due"),
        "amount": debt.remaining,
        "failed": failed(),
        "choices": choices(book(CARD, MASTERCARD, AMEX, DEBIT), declines),
        "now": NOW,
        "fields": {"csrf": CSRF, "token": "5a0c5c9e-3c1d-4d0f-8a55-8d3a7d9e3c11"},
        "pay_path": "/invoices/in_1/pay",
        "card_path": "/invoices/in_1/pay/card",
        "message": None,
        "tone": "negative",
    }
    return {
        "pay": paying,
        "pay-refused": paying | {"choices": choices(book(CARD, AMEX), declines, {"pm_1"})},
        "pay-declined": paying | {"message": "Please choose what to pay with."},
        "pay-nothing": paying | {"choices": (), "failed": None, "subscription": None},
    }


def _results() -> dict[str, dict[str, Any]]:
    result: dict[str, Any] = {
        "invoice": invoice(0, status="open", remaining=Money(2900, "eur")),
        "subscription": subscription(1),
        "bank_url": None,
        "pay_path": "/invoices/in_1/pay",
        "here": "/invoices/in_1/paid?payment=1",
    }
    return {
        f"payment_result-{outcome}": result
        | {
            "outcome": outcome,
            "bank_url": "https://bank.example/" if outcome == "waiting" else None,
        }
        for outcome in ("paid", "processing", "waiting", "unknown", "void")
    }


def payment_pages() -> dict[str, dict[str, Any]]:
    """The context of every page around paying."""
    pages: dict[str, dict[str, Any]] = {
        "leaving": {"url": "https://checkout.stripe.com/c/pay/1", "host": "checkout.stripe.com"},
        "payment_methods": {
            "book": book(CARD, MASTERCARD, DEBIT, others=(AMEX,)),
            "message": None,
        },
        "payment_methods-empty": {"book": book(), "message": None},
        "payment_methods-message": {
            "book": book(CARD),
            "message": "Your payment methods are being changed already. "
            "Please look again in a moment.",
        },
        "remove_method": {"method": CARD, "is_default": True, "message": None},
        "remove_method-last": {
            "method": CARD,
            "is_default": True,
            "message": "Your subscription is paid with this, and there is nothing else. "
            "Add another one first.",
        },
        "preferences": {
            "kinds": {
                "card_expiring": True,
                "recovered": True,
                "renewal_coming": False,
                "trial_ending": True,
                "receipt": False,
            },
            "saved": False,
        },
        "unsubscribe": {"kind": "receipt", "done": False},
        "unsubscribe-done": {"kind": "receipt", "done": True},
        "link_over": {},
        "subscription-overdue": {
            "subscription": subscription(1, status="past_due"),
            "failed_payments": (failed(),),
            "may_change": True,
            "may_cancel": True,
        },
    }
    pages["preferences-saved"] = pages["preferences"] | {"saved": True}
    return _homes() | _paying() | _results() | pages
