"""What the pages are drawn with in tests: every template in each of its situations."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from guichet.billing.catalog import Interval, Price
from guichet.billing.invoices import Invoice
from guichet.billing.payment_methods import PaymentMethod
from guichet.billing.subscriptions import Item, Subscription
from guichet.demo import merchants
from guichet.money import Money
from guichet.theming.pages import Pages
from guichet.theming.shell import Language, Shell
from tenants.branding import Link

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
LONG_NAME = "Professional collaboration suite with priority support and extended archive"
CSRF = "3f9d0c1b7a5e4e0d9b1c2a3f"


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


#: Pages that a visitor sees without being signed in.
DOORS = frozenset(
    {"sign_in", "sign_in_failed", "no_account", "signed_out", "unsubscribe", "link_over", "leaving"}
)


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

#: The demo's merchants by the theme that each has chosen.
MERCHANTS = {merchant.branding.theme: merchant for merchant in merchants.ALL}


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
    merchant = MERCHANTS[theme]
    brand = pages.branding_stylesheet(merchant.branding, theme)
    has_logo = page == "home-logo"
    return shell(
        merchant.name,
        locale,
        theme=theme,
        scheme=scheme,
        stylesheets=(*pages.stylesheet_urls(theme), brand.path),
        script=pages.script("portal.js"),
        logo=f"/assets/pictures/{theme}-light" if has_logo else "",
        logo_dark=f"/assets/pictures/{theme}-dark" if has_logo else "",
        headline=merchant.branding.headline[locale] if has_logo else "",
        path="/invoices" if page.startswith("invoices") else "/",
        signed_in=template_of(page).removesuffix(".html") not in DOORS,
    )


def brand_css(pages: Pages, path: str) -> bytes:
    """The branding stylesheet that is served at the path."""
    brandings = {theme: merchant.branding for theme, merchant in MERCHANTS.items()}
    sheets = (pages.branding_stylesheet(branding, theme) for theme, branding in brandings.items())
    return next(sheet.body for sheet in sheets if sheet.path == path)


def picture(path: str) -> bytes:
    """The demo merchant's logo that is served at the path."""
    theme, _, scheme = path.rpartition("/")[2].partition("-")
    return merchants.logo(MERCHANTS[theme], scheme == "dark")


def home(**changes: Any) -> dict[str, Any]:
    """The home page of a customer with one subscription and ten invoices."""
    return {
        "subscriptions": (subscription(),),
        "payment_method": CARD,
        "invoices": INVOICES,
        "failed_payments": (),
        "today": NOW,
        "may_change": True,
        "may_cancel": True,
    } | changes


def template_of(page: str) -> str:
    """The template that a page of these samples is drawn with."""
    return f"{page.partition('-')[0]}.html"
