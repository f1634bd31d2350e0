"""Mails of a draft as customers would get them: `/<slug>/<token>/mail`, and `…/mail/body` within.

A mail is styled in its lines, as mail programs want it, so it is an answer of its own with a policy
of its own: no script, no form, no picture from elsewhere, and no link that leads anywhere.
"""

from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlencode

import msgspec
from litestar.response.base import ASGIResponse

from guichet.billing.catalog import Price
from guichet.db import Unit
from guichet.deployment import Deployment
from guichet.messages.looks import MailBrand, is_drawn, make_brand, picture_path
from guichet.messages.routing import Router
from guichet.messages.samples import sample_plan, without_links, write_sample
from guichet.messages.wording import Letter
from guichet.tenancy import TenantEntry
from guichet.theming.locale import LANGUAGES
from guichet.web.content_policy import content_security_policy
from guichet.web.previews import FORMS, SCHEMES, MailLook
from tenants.configuration import Configuration
from tenants.mails import MAIL_KINDS

#: The page around a mail is the deployment's own.
_THEME = "console"
_HTML = "text/html; charset=utf-8"


class MailPreview(NamedTuple):
    """A draft whose mails are looked at."""

    deployment: Deployment
    tenant: TenantEntry
    configuration: Configuration
    prices: dict[str, Price]
    #: Where on this host the preview is, such as `/lumen/<token>`.
    folder: str


def read_mail_look(given: Mapping[str, str], configuration: Configuration) -> MailLook:
    """What is asked for; whatever does not exist is the first of its kind."""
    kind = next((it for it in MAIL_KINDS if it == given.get("kind")), MAIL_KINDS[0])
    locale, form, scheme = (given.get(name, "") for name in ("locale", "form", "scheme"))
    return MailLook(
        kind=kind,
        locale=locale if locale in LANGUAGES else configuration.locale,
        form=form if form in FORMS else next(iter(FORMS)),
        scheme=scheme if scheme in SCHEMES else "",
    )


async def draw_mail(preview: MailPreview, look: MailLook) -> ASGIResponse:
    """Subject, sender and what a list of mails shows, around a frame with the mail itself."""
    deployment = preview.deployment
    brand, letter = await _write(preview, look)
    sender = await _sender(deployment, preview.tenant, preview.configuration)
    page = deployment.pages.render(
        _THEME,
        "mail_look.html",
        look.locale,
        letter=letter,
        sender=f"{brand.name} <{sender}>" if sender else brand.name,
        reply_to=brand.support_email,
        is_text=look.form == "text",
        is_off=look.kind in preview.configuration.mails.switched_off,
        stylesheets=[f"{preview.folder}{it}" for it in deployment.pages.stylesheet_urls(_THEME)],
        body_url=f"{preview.folder}/mail/body?{urlencode(msgspec.structs.asdict(look))}",
    )
    policy = content_security_policy(
        scripts="'none'", forms="'none'", frames="'self'", framed_by=_console(deployment)
    )
    return _answer(page, policy)


async def draw_mail_body(preview: MailPreview, look: MailLook) -> ASGIResponse:
    """The HTML of the mail, as it would be sent but for its links."""
    _, letter = await _write(preview, look)
    policy = (
        "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; form-action 'none'; "
        f"base-uri 'none'; frame-ancestors 'self' {_console(preview.deployment)}"
    )
    return _answer(letter.html.encode(), policy)


async def _write(preview: MailPreview, look: MailLook) -> tuple[MailBrand, Letter]:
    deployment, tenant = preview.deployment, preview.tenant
    seen = as_seen(preview.configuration, look.scheme)
    async with deployment.db.unit(tenant.id) as unit:
        logo = await _logo(unit, preview.folder, seen.branding.logo)
        logo_dark = await _logo(unit, preview.folder, seen.branding.logo_dark)
    if look.scheme == "dark" and logo_dark:
        logo = logo_dark
    pages = deployment.pages
    brand = make_brand(pages, tenant.name, tenant.slug, seen, logo, logo_dark)
    of = sample_plan(preview.configuration, preview.prices)
    if look.form == "text":
        # Addresses in a text are read, and lead nowhere.
        portal = deployment.directory.url(tenant)
        return brand, write_sample(pages, brand, look.locale, look.kind, of, portal)
    brand = without_links(brand)
    return brand, write_sample(pages, brand, look.locale, look.kind, of, "#")


async def _logo(unit: Unit, folder: str, asset_id: str) -> str:
    return f"{folder}{picture_path(asset_id)}" if await is_drawn(unit, asset_id) else ""


async def _sender(deployment: Deployment, tenant: TenantEntry, configuration: Configuration) -> str:
    """The address that mails would come from; empty where they would have to wait."""
    router = Router(deployment.settings, deployment.db, deployment.vault)
    route = await router.find(tenant, configuration)
    return route.sender if route else ""


def as_seen(configuration: Configuration, scheme: str) -> Configuration:
    """The configuration for somebody whose browser or mail program is light or dark."""
    branding = configuration.branding
    if not scheme or branding.scheme != "auto":
        return configuration
    seen = msgspec.structs.replace(branding, scheme=scheme)
    return msgspec.structs.replace(configuration, branding=seen)


def _console(deployment: Deployment) -> str:
    return deployment.directory.console_url("").rstrip("/")


def _answer(body: bytes, policy: str) -> ASGIResponse:
    headers = {"content-type": _HTML, "content-security-policy": policy}
    return ASGIResponse(body=body, headers=headers)
