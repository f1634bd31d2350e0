"""What every page shows around its content: the merchant's name, links, languages, sign-out."""

from datetime import datetime

import msgspec

from tenants.branding import Link
from tenants.features import Features
from tenants.texts import NO_WORDS, Words


class Language(msgspec.Struct, frozen=True):
    """One language that a visitor may switch to."""

    #: As in the `lang` attribute: `en`, `fr`.
    code: str
    #: The language's name in itself: `English`, `Français`.
    label: str
    url: str
    current: bool


class SupportMark(msgspec.Struct, frozen=True):
    """What each page of a support view says above all."""

    staff_name: str
    until: datetime
    #: The token of the form that ends the view.
    csrf: str


class Shell(msgspec.Struct, frozen=True, kw_only=True):
    """The frame of a tenant's page. Every URL in it is ready to be put into the page."""

    tenant_name: str
    locale: str
    theme: str = "plain"
    #: light, dark, or auto (the visitor's own setting).
    scheme: str = "auto"
    stylesheets: tuple[str, ...] = ()
    script: str = ""
    logo: str = ""
    logo_dark: str = ""
    #: A picture for the browser's tab; empty takes the theme's.
    icon: str = ""
    headline: str = ""
    #: The merchant's own words in this page's language.
    texts: Words = NO_WORDS
    links: tuple[Link, ...] = ()
    support_email: str = ""
    csrf: str = ""
    #: The path of this page, which the navigation marks as the current one.
    path: str = "/"
    signed_in: bool = False
    #: The signed-in customer's name or email address.
    customer_label: str = ""
    languages: tuple[Language, ...] = ()
    #: What customers find in this portal.
    features: Features = Features()
    request_id: str = ""
    #: Set where one of the staff looks and not the customer.
    support: SupportMark | None = None
