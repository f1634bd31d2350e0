"""What the pages are drawn with in tests: every template in each of its situations."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from guichet.billing.catalog import Interval, Price
from guichet.billing.invoices import Invoice
from guichet.billing.payment_methods import PaymentMethod
from guichet.billing.subscriptions import Item, PendingChange, Subscription
from guichet.money import Money
from guichet.theming.pages import Pages
from guichet.theming.shell import Language, Shell
from tenants.branding import Branding, Colours, Link

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
LONG_NAME = "Professional collaboration suite with priority support and extended archive"
CSRF = "3f9d0c1b7a5e4e0d9b1c2a3f"


class PlanOption(msgspec.Struct, frozen=True):
    """One card of the plan chooser."""

    price: Price
    description: str = ""
    highlight: bool = False
    is_current: bool = False
    when: str | None = "now"
    quantity_min: int = 1
    quantity_max: int = 1
    quantity: int = 1


class Line(msgspec.Struct, frozen=True):
    """One line of what a change costs."""

    description: str
    amount: Money
    period_start_at: datetime | None
    period_end_at: datetime | None
    proration: bool


class Preview(msgspec.Struct, frozen=True):
    """What a change costs now and next."""

    lines: tuple[Line, ...]
    due_now: Money
    next_amount: Money
    next_at: datetime


class ProviderButton(msgspec.Struct, frozen=True):
    """One way to sign in."""

    label: str
    url: str


class Person(msgspec.Struct, frozen=True):
    """Somebody who can sign in at the demo."""

    email: str
    about: str


class Place(msgspec.Struct, frozen=True):
    """An address of the demo that is no portal."""

    label: str
    url: str
    about: str


class Portal(msgspec.Struct, frozen=True):
    """One portal of the demo."""

    name: str
    url: str
    description: str


def price(
    name: str,
    amount: int,
    currency: str = "eur",
    interval: Interval = "month",
    interval_count: int = 1,
) -> Price:
    """A price of a product with that name."""
    return Price(
        id=f"price_{name[:8].lower().replace(' ', '_')}{amount}",
        product_id=f"prod_{name[:8].lower().replace(' ', '_')}",
        product=name,
        amount=Money(amount, currency),
        currency=currency,
        interval=interval,
        interval_count=interval_count,
        active=True,
    )


TEAM = price("Team", 2900)
BASIC = price("Basic", 900)
STUDIO = price("Studio", 5900)
YEARLY = price("Team, yearly", 29000, interval="year")


def subscription(number: int = 1, plan: Price | None = TEAM, **changes: Any) -> Subscription:
    """An active subscription that renews in three weeks, with any field changed."""
    quantity = changes.pop("quantity", 1)
    usual = Subscription(
        id=f"sub_{number:014d}",
        customer_id="cus_ada",
        status="active",
        currency=plan.currency if plan else "eur",
        cancel_at_period_end=False,
        cancel_at=None,
        canceled_at=None,
        ended_at=None,
        trial_end_at=None,
        current_period_start_at=NOW - timedelta(days=9),
        current_period_end_at=NOW + timedelta(days=21),
        created_at=NOW - timedelta(days=374),
        schedule_id=None,
        default_payment_method_id=None,
        pending=None,
        unfinished_change=False,
        items=(Item(f"si_{number}", quantity, plan),),
    )
    return msgspec.structs.replace(usual, **changes)


def invoice(order: int, amount: int = 2900, currency: str = "eur", **changes: Any) -> Invoice:
    """A paid invoice, older the higher its order."""
    usual = Invoice(
        id=f"in_{order:014d}",
        customer_id="cus_ada",
        subscription_id="sub_00000000000001",
        number=f"LUM-2026-{1200 - order:04d}",
        status="paid",
        total=Money(amount, currency),
        remaining=Money(0, currency),
        attempt_count=1,
        next_payment_attempt_at=None,
        created_at=NOW - timedelta(days=9 + 30 * order),
    )
    return msgspec.structs.replace(usual, **changes)


CARD = PaymentMethod("pm_1", "card", "visa", "4242", 8, 2029)
INVOICES = tuple(invoice(order) for order in range(10))

LUMEN = Branding(theme="plain", light=Colours(accent="#4f46e5"))
MARMITE = Branding(theme="hearth")
VOLTA = Branding(theme="current")
MERCHANTS = {
    "plain": ("Lumen", LUMEN),
    "hearth": ("Marmite", MARMITE),
    "current": ("Volta", VOLTA),
}


def shell(name: str = "Lumen", locale: str = "en", **changes: Any) -> Shell:
    """The frame of a signed-in customer's page."""
    usual = Shell(
        tenant_name=name,
        locale=locale,
        links=(
            Link("Terms", "https://example.com/terms"),
            Link("Privacy", "https://example.com/privacy"),
        ),
        support_email="support@example.com",
        csrf=CSRF,
        signed_in=True,
        customer_label="ada@example.com",
        languages=(
            Language("en", "English", "/?lang=en", locale == "en"),
            Language("fr", "Français", "/?lang=fr", locale == "fr"),
        ),
        request_id="01JD8Z6Q4T",
    )
    return msgspec.structs.replace(usual, **changes)


def framed(pages: Pages, theme: str, locale: str, page: str, scheme: str) -> Shell:
    """The shell of a merchant's page in a theme, with that merchant's branding."""
    name, branding = MERCHANTS[theme]
    brand = pages.branding_stylesheet(branding, theme)
    return shell(
        name,
        locale,
        theme=theme,
        scheme=scheme,
        stylesheets=(*pages.stylesheet_urls(theme), brand.path),
        script=pages.script_url,
        logo="/assets/pictures/logo" if page == "home-logo" else "",
        logo_dark="/assets/pictures/logo-dark" if page == "home-logo" else "",
        path="/invoices" if page.startswith("invoices") else "/",
        signed_in=template_of(page).removesuffix(".html") not in DOORS,
    )


def brand_css(pages: Pages, path: str) -> bytes:
    """The branding stylesheet that is served at the path."""
    sheets = (pages.branding_stylesheet(branding, t) for t, (_, branding) in MERCHANTS.items())
    return next(sheet.body for sheet in sheets if sheet.path == path)


def home(**changes: Any) -> dict[str, Any]:
    """The home page of a customer with one subscription and ten invoices."""
    return {
        "subscriptions": (subscription(),),
        "payment_method": CARD,
        "invoices": INVOICES,
        "may_change": True,
        "may_cancel": True,
    } | changes


def _homes() -> dict[str, dict[str, Any]]:
    overdue = subscription(1, status="past_due")
    owed = invoice(
        0,
        status="open",
        remaining=Money(2900, "eur"),
        next_payment_attempt_at=NOW + timedelta(days=3),
    )
    pending = PendingChange(NOW + timedelta(days=21), 1, BASIC)
    yen = price("プレミアム会員", 1980, "jpy")
    return {
        "home": home(
            subscriptions=(
                subscription(),
                subscription(2, price("Archive", 4900), quantity=5, pending=pending),
            )
        ),
        "home-overdue": home(subscriptions=(overdue,), invoices=(owed, *INVOICES[1:])),
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
        PlanOption(BASIC, "For one person. Everything you need to begin.", when="period_end"),
        PlanOption(TEAM, "For up to ten people who work together.", is_current=True, when=None),
        PlanOption(
            STUDIO,
            "For studios with many projects, with priority support.",
            highlight=True,
            quantity_max=50,
            quantity=3,
        ),
        PlanOption(YEARLY, "Two months free.", when="now"),
    )
    preview = Preview(
        lines=(
            Line("Unused time", Money(-2030, "eur"), NOW, later, proration=True),
            Line("Remaining time", Money(4130, "eur"), NOW, later, proration=True),
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
        for outcome in ("done", "cancelling", "kept", "undone", "unknown")
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
        "error": {"status": 404, "message": "There is no such page."},
        "error-failure": {
            "status": 500,
            "message": "Something went wrong on our side. Please try again in a moment.",
        },
    }


def portal_pages() -> dict[str, dict[str, Any]]:
    """The context of every portal page by `template` or `template-situation`."""
    pages: dict[str, dict[str, Any]] = {
        "invoices": {"invoices": INVOICES, "older": "/invoices?before=in_9", "newest": "/invoices"},
        "invoices-empty": {"invoices": (), "older": None, "newest": None},
        "subscription": {"subscription": subscription(), "may_change": True, "may_cancel": True},
        "cancel": {"subscription": subscription(), "fields": {"csrf": CSRF}, "message": None},
        "cancel-message": {
            "subscription": subscription(cancel_at_period_end=True),
            "fields": {},
            "message": "This subscription is already set to end. Nothing was changed.",
        },
    }
    return _homes() | pages | _changes() | _results() | _doors()


#: A merchant's logo: 260 × 64.
LOGO = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 260 64" fill="#7a6ff0">'
    '<circle cx="32" cy="32" r="28"/><path d="M80 14h12v26h20v10H80zM128 14h52v36h-52z"/></svg>'
)

#: Pages that a visitor sees without being signed in.
DOORS = frozenset({"sign_in", "sign_in_failed", "no_account", "signed_out"})


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
        "plain_error": {
            "status": 404,
            "message": "There is no such page.",
        },
    }


def template_of(page: str) -> str:
    """The template that a page of these samples is drawn with."""
    return f"{page.partition('-')[0]}.html"
