"""What each page of a preview is drawn with: the template's context, as the real page makes it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

from guichet.billing.changes import ChangeRefused, check_changeable, offer_of, offered_options
from guichet.billing.subscriptions import Subscription
from guichet.errors import NotFound
from guichet.messages.kinds import KINDS
from guichet.money import Money
from guichet.payments.answers import Preview, PreviewLine
from guichet.portal.cancel_form import cancel_form
from guichet.portal.payer import choices
from guichet.portal.samples import Sample, owing
from guichet.portal.sign_in import ProviderButton
from tenants.configuration import Configuration

Context = dict[str, Any]

_TOKEN = str(UUID(int=0))


class Drawn(NamedTuple):
    """A page of the portal: where it would be, whether it asks for a sign-in, how it is made."""

    path: str
    template: str
    make: Callable[[Configuration, Sample, str], Context]
    signed_in: bool = True
    status: int = 200


def _home(configuration: Configuration, sample: Sample, _locale: str) -> Context:
    return {
        "subscriptions": sample.subscriptions,
        "payment_method": next(iter(sample.methods.ordered), None),
        "invoices": sample.invoices,
        "failed_payments": sample.failed_payments,
        "today": sample.now,
        "may_change": offer_of(configuration).may_change,
        "may_cancel": configuration.cancel.enabled,
    }


def _change(configuration: Configuration, sample: Sample, locale: str) -> Context:
    subscription = _main(sample)
    offer, prices = offer_of(configuration), sample.assortment.prices
    try:
        check_changeable(subscription, offer.changes)
    except ChangeRefused as refusal:
        return {"subscription": subscription, "options": (), "message": refusal.message}
    options = offered_options(offer, subscription, prices, locale)
    return {"subscription": subscription, "options": options, "message": None}


def _review(_configuration: Configuration, sample: Sample, _locale: str) -> Context:
    """A change to the dearest plan, at once; the amounts are the sample's, not a provider's."""
    subscription = _main(sample)
    price = sample.assortment.listed[-1]
    whole = price.amount or Money(5900, price.currency)
    due = Money(whole.amount * 7 // 10, whole.currency)
    now, later = sample.now, sample.now + timedelta(days=21)
    unused = Money(-due.amount // 3, whole.currency)
    preview = Preview(
        lines=(
            PreviewLine("", unused, now, later, proration=True),
            PreviewLine("", due, now, later, proration=True),
        ),
        due_now=due + unused,
        next_amount=whole,
        next_at=later,
    )
    return {
        "subscription": subscription,
        "current": subscription.items[0],
        "price": price,
        "quantity": 1,
        "when": "now",
        "preview": preview,
        "effective_at": None,
        "fields": {},
        "message": None,
    }


def _cancel(configuration: Configuration, sample: Sample, locale: str) -> Context:
    return {
        "subscription": _main(sample),
        "form": cancel_form(configuration.cancel, locale, {}),
        "fields": {"token": _TOKEN},
        "message": None,
    }


def _invoices(_configuration: Configuration, sample: Sample, _locale: str) -> Context:
    return {"invoices": sample.invoices, "older": None, "newest": None}


def _payment_methods(_configuration: Configuration, sample: Sample, _locale: str) -> Context:
    return {"book": sample.methods, "message": None}


def _pay(_configuration: Configuration, sample: Sample, _locale: str) -> Context:
    debtor, invoice = owing(sample.assortment, sample.now)
    return {
        "invoice": invoice,
        "subscription": debtor.main,
        "amount": invoice.remaining,
        "failed": debtor.failed_payments[0],
        "choices": choices(debtor.methods, {}),
        "now": sample.now,
        "fields": {"token": _TOKEN},
        "pay_path": "/invoices/in_0/pay",
        "card_path": "/invoices/in_0/pay/card",
        "message": None,
        "tone": "negative",
    }


def _preferences(_configuration: Configuration, _sample: Sample, _locale: str) -> Context:
    optional = {kind: True for kind, rules in KINDS.items() if not rules.required}
    return {"kinds": optional, "saved": False}


def _sign_in(configuration: Configuration, _sample: Sample, _locale: str) -> Context:
    providers = configuration.identity_providers
    buttons = tuple(ProviderButton(it.label, f"/sign-in/{it.id}") for it in providers)
    return {"providers": buttons, "message": None}


def _error(_configuration: Configuration, _sample: Sample, _locale: str) -> Context:
    return {"title": NotFound.title, "message": NotFound().message}


def _main(sample: Sample) -> Subscription:
    """The subscription that a page is about; who has none could not open the page."""
    if not sample.subscriptions:
        raise NotFound
    return sample.main


DRAWN = {
    "home": Drawn("/", "home.html", _home),
    "change": Drawn("/subscriptions/sub_1/change", "change.html", _change),
    "change_review": Drawn("/subscriptions/sub_1/change/review", "change_review.html", _review),
    "cancel": Drawn("/subscriptions/sub_1/cancel", "cancel.html", _cancel),
    "invoices": Drawn("/invoices", "invoices.html", _invoices),
    "payment_methods": Drawn("/payment-methods", "payment_methods.html", _payment_methods),
    "pay": Drawn("/invoices/in_0/pay", "pay.html", _pay),
    "preferences": Drawn("/preferences", "preferences.html", _preferences),
    "sign_in": Drawn("/sign-in", "sign_in.html", _sign_in, signed_in=False),
    "error": Drawn("/nowhere", "error.html", _error, status=404),
}
