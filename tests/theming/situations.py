"""Every page in each of its situations, as the context that its template is drawn with."""

from datetime import timedelta
from typing import Any

from guichet.billing.changes import PlanOption
from guichet.billing.payment_methods import PaymentMethod
from guichet.billing.subscriptions import Pause, PendingChange, PendingUpdate
from guichet.money import Money
from guichet.payments.answers import Preview, PreviewLine
from guichet.portal.cancel_form import cancel_form
from guichet.portal.sign_in import ProviderButton
from tenants.cancelling import CancelRules, OwnReason
from tests.theming.mail_samples import mail_pages
from tests.theming.payment_situations import payment_pages
from tests.theming.samples import (
    BASIC,
    CSRF,
    INVOICES,
    LONG_NAME,
    NOW,
    STUDIO,
    TEAM,
    YEARLY,
    Person,
    Place,
    Portal,
    home,
    invoice,
    price,
    subscription,
)


def _homes_with_plans() -> dict[str, dict[str, Any]]:
    pending = PendingChange(NOW + timedelta(days=21), 1, BASIC)
    return {
        "home-merchants-plan": home(
            subscriptions=(
                subscription(1, schedule_id="sub_sched_1", pending=pending),
                subscription(
                    2, pause=Pause(NOW + timedelta(days=60)), pending_update=PendingUpdate(NOW)
                ),
                subscription(3, pause=Pause(None)),
            )
        ),
    }


def _homes() -> dict[str, dict[str, Any]]:
    pending = PendingChange(NOW + timedelta(days=21), 1, BASIC)
    yen = price("プレミアム会員", 1980, "jpy")
    return {
        "home": home(
            subscriptions=(
                subscription(),
                subscription(
                    2,
                    price("Archive", 4900),
                    quantity=5,
                    pending=pending,
                    schedule_id="sub_sched_2",
                    schedule_is_ours=True,
                ),
            )
        ),
        "home-unpaid": home(subscriptions=(subscription(1, status="unpaid"),), invoices=()),
        "home-ending": home(
            subscriptions=(subscription(1, cancel_at_period_end=True),),
            payment_method=PaymentMethod("pm_1", "card", "mastercard", "4444", 12, 2026),
        ),
        "home-logo": home(),
        "home-trial": home(
            subscriptions=(
                subscription(1, status="trialing", trial_end_at=NOW + timedelta(days=5)),
            ),
            payment_method=None,
            invoices=(),
        ),
        "home-unfinished": home(subscriptions=(subscription(1, unfinished_change=True),)),
        "home-empty": home(subscriptions=(), payment_method=None, invoices=()),
        "home-many": home(
            subscriptions=(
                subscription(1, price(LONG_NAME, 124900, "eur", "month", 3), quantity=12),
                subscription(2, yen, quantity=3),
                subscription(3, None),
                subscription(4, status="paused"),
                subscription(5, status="incomplete"),
                subscription(6, cancel_at=NOW + timedelta(days=8)),
                subscription(7, status="canceled", ended_at=NOW - timedelta(days=40)),
            ),
            payment_method=PaymentMethod("pm_2", "sepa_debit", None, "3000", None, None),
            invoices=(
                invoice(0, 1980, "jpy"),
                invoice(1, 1249000000, "eur"),
                invoice(2, -1200, "eur"),
                invoice(3, 900, number=None, status="void"),
                invoice(4, 900, status="uncollectible"),
            ),
        ),
    }


def _changes() -> dict[str, dict[str, Any]]:
    current = subscription()
    later = NOW + timedelta(days=21)
    options = (
        PlanOption(
            BASIC, "For one person. Everything you need.", False, False, "period_end", 1, 1, 1
        ),
        PlanOption(TEAM, "For up to ten people who work together.", False, True, None, 1, 1, 1),
        PlanOption(
            STUDIO, "For studios with many projects and support.", True, False, "now", 1, 50, 3
        ),
        PlanOption(YEARLY, "Two months free.", False, False, "now", 1, 1, 1),
    )
    preview = Preview(
        lines=(
            PreviewLine("Unused time", Money(-2030, "eur"), NOW, later, proration=True),
            PreviewLine("Remaining time", Money(4130, "eur"), NOW, later, proration=True),
        ),
        due_now=Money(2100, "eur"),
        next_amount=Money(5900, "eur"),
        next_at=later,
    )
    fields = {"csrf": CSRF, "price": STUDIO.id, "quantity": "1", "as_of": "1795428000"}
    review = {
        "subscription": current,
        "current": current.items[0],
        "price": STUDIO,
        "quantity": 1,
        "when": "now",
        "preview": preview,
        "effective_at": NOW,
        "fields": fields,
        "message": None,
    }
    return {
        "change": {"subscription": current, "options": options, "message": None},
        "change-message": {
            "subscription": current,
            "options": options[:2],
            "message": "Some of what was entered cannot be used.",
        },
        "change-empty": {"subscription": current, "options": (), "message": None},
        "change_review": review,
        "change_review-later": review
        | {"price": BASIC, "when": "period_end", "preview": None, "effective_at": later},
        "change_review-message": review
        | {
            "price": YEARLY,
            "message": "This has changed in the meantime. "
            "Please look again and repeat your choice.",
        },
    }


def _results() -> dict[str, dict[str, Any]]:
    results: dict[str, dict[str, Any]] = {
        f"change_result-{outcome}": {
            "outcome": outcome,
            "message": None,
            "subscription": subscription(),
            "retry_url": None,
        }
        for outcome in ("done", "cancelling", "cancelled", "kept", "undone", "unknown")
    }
    pending = PendingChange(NOW + timedelta(days=21), 1, BASIC)
    results["change_result-scheduled"] = results["change_result-done"] | {
        "outcome": "scheduled",
        "subscription": subscription(pending=pending),
    }
    results["change_result-refused"] = results["change_result-done"] | {
        "outcome": "refused",
        "message": "This cannot be reached right now. "
        "Nothing was changed; please try again in a moment.",
        "retry_url": "/subscriptions/sub_00000000000001/change",
    }
    return results


def _doors() -> dict[str, dict[str, Any]]:
    return {
        "sign_in": {
            "providers": (
                ProviderButton("Lumen", "/sign-in/lumen"),
                ProviderButton("Acme Workforce", "/sign-in/acme"),
            ),
            "message": None,
        },
        "sign_in-message": {"providers": (), "message": "Please sign in to continue."},
        "sign_in_failed": {
            "message": "This cannot be reached right now. "
            "Nothing was changed; please try again in a moment.",
            "retry_url": "/sign-in",
        },
        "no_account": {"email": "ada.lovelace.the.analyst@engines.example.com"},
        "signed_out": {},
        "error": {
            "status": 404,
            "title": "Page not found",
            "message": "There is no such page.",
        },
        "error-failure": {
            "status": 500,
            "title": "The mistake is ours",
            "message": "Something went wrong on our side. Please try again in a moment.",
        },
    }


def portal_pages() -> dict[str, dict[str, Any]]:
    """The context of every portal page by `template` or `template-situation`."""
    pages: dict[str, dict[str, Any]] = {
        "invoices": {"invoices": INVOICES, "older": "/invoices?before=in_9", "newest": "/invoices"},
        "invoices-empty": {"invoices": (), "older": None, "newest": None},
        "subscription": {
            "subscription": subscription(),
            "failed_payments": (),
            "may_change": True,
            "may_cancel": True,
        },
        "cancel": {"subscription": subscription(), "fields": {"csrf": CSRF}, "message": None},
        "cancel-now": {
            "subscription": subscription(),
            "form": cancel_form(CancelRules(when="now", proration="create_prorations"), "en", {}),
            "fields": {"csrf": CSRF},
            "message": None,
        },
        "cancel-asking": {
            "subscription": subscription(),
            "form": cancel_form(
                CancelRules(
                    when="choice",
                    reasons="required",
                    comment="optional",
                    own_reasons=(OwnReason({"en": LONG_NAME, "fr": LONG_NAME}),),
                ),
                "en",
                {"reason": "unused", "comment": "Thank you, and good luck."},
            ),
            "fields": {"csrf": CSRF},
            "message": "Please choose why you cancel. Your subscription is not cancelled yet.",
        },
        "cancel-message": {
            "subscription": subscription(cancel_at_period_end=True),
            "fields": {},
            "message": "This subscription is already set to end. Nothing was changed.",
        },
    }
    homes = _homes() | _homes_with_plans()
    return homes | pages | _changes() | _results() | _doors() | payment_pages()


def platform_pages() -> dict[str, dict[str, Any]]:
    """The context of the pages at addresses that belong to no merchant."""
    people = (
        Person("ada@example.com", "Active, a year of invoices"),
        Person("grace@example.com", "Her last payment failed"),
        Person("linus@example.com", "In a trial"),
        Person("zoe@example.com", "Cancelled"),
    )
    portals = (
        Portal("Lumen", "http://lumen.localhost:8000", "Software for teams"),
        Portal("Marmite", "http://marmite.localhost:8000", "Meal boxes"),
        Portal("Volta", "http://volta.localhost:8000", "Energy"),
    )
    places = (
        Place("Console", "http://console.localhost:8000", "For merchants and agencies."),
        Place("Stripe sandbox", "http://127.0.0.1:9000/_control", "Accounts, clocks, events."),
    )
    return {
        "demo": {"portals": portals, "people": people, "places": places},
        **mail_pages(),
        "plain_error": {
            "status": 404,
            "title": "Nothing is here",
            "message": "There is no such page.",
        },
    }
