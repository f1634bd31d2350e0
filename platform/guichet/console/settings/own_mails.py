"""A mail of the draft, sent to the very person who looks at it."""

import msgspec
from litestar import post
from litestar.di import NamedDependency
from litestar.response.base import ASGIResponse

from guichet import audit
from guichet.auth.failures import TooManySignIns
from guichet.auth.staff.mail import SEND_STAFF_MESSAGES, queue_staff_message
from guichet.billing.catalog import find_prices
from guichet.console.access import EDITORS
from guichet.console.visit import Visit
from guichet.db import Unit
from guichet.errors import GuichetError, NotFound
from guichet.messages.kinds import Kind
from guichet.messages.looks import MailBrand, is_drawn, make_brand, picture_path
from guichet.messages.samples import SamplePlan, sample_plan, write_sample
from guichet.messages.staff.writing import DraftMail
from guichet.theming.locale import LANGUAGES, gettext
from tenants.drafts import load_draft
from tenants.mails import MAIL_KINDS


def _(message: str) -> str:
    """Mark a sentence for the catalogues; it is translated where it is shown."""
    return message


_SUBJECT = _("[Test] %(subject)s")


class TooManyTests(GuichetError):
    """You have sent yourself several mails just now. Please wait a minute and try again."""

    title = "A little slower"
    status = 429
    code = "too_many_tests"


@post("/merchants/{merchant:str}/mails/test", opt=EDITORS)
async def send_to_oneself(visit: NamedDependency[Visit]) -> ASGIResponse:
    """Write the mail as the draft has it and queue it; nobody else's address can be given."""
    kind = next((it for it in MAIL_KINDS if it == visit.form.get("kind")), None)
    locale = visit.form.get("locale", "")
    if kind is None or locale not in LANGUAGES:
        raise NotFound
    try:
        await visit.sign_in.allow_test_mail(visit.place.id, visit.staff.email)
    except TooManySignIns as error:
        raise TooManyTests from error
    mail = await _write(visit, kind, locale)
    async with visit.deployment.db.system() as connection:
        facts: dict[str, str] = msgspec.to_builtins(mail)
        await queue_staff_message(connection, "test_mail", visit.staff.email, locale, facts)
        by = visit.staff.email
        details: dict[str, object] = {"kind": kind, "language": locale}
        unit = Unit(connection, visit.place.id)
        await audit.record(unit, "staff", by, "test_mail.sent", by, details, visit.request_id)
    await visit.deployment.outbox.knock(SEND_STAFF_MESSAGES)
    return visit.redirect(visit.path("/mails?done=test"))


HANDLERS = (send_to_oneself,)


async def _write(visit: Visit, kind: Kind, locale: str) -> DraftMail:
    pages = visit.deployment.pages
    brand, of = await _read(visit)
    portal = visit.deployment.directory.url(visit.tenant)
    letter = write_sample(pages, brand, locale, kind, of, portal)
    subject = gettext(locale)(_SUBJECT) % {"subject": letter.subject}
    return DraftMail(sender_name=brand.name, subject=subject, text=letter.text, html=letter.html)


async def _read(visit: Visit) -> tuple[MailBrand, SamplePlan]:
    async with visit.deployment.db.unit(visit.place.id) as unit:
        configuration = (await load_draft(unit.connection, unit.tenant_id)).configuration
        prices = await find_prices(unit, [plan.price_id for plan in configuration.plans])
        branding = configuration.branding
        logos = [await _logo(visit, unit, it) for it in (branding.logo, branding.logo_dark)]
    tenant = visit.tenant
    pages = visit.deployment.pages
    brand = make_brand(pages, tenant.name, tenant.slug, configuration, *logos)
    return brand, sample_plan(configuration, prices)


async def _logo(visit: Visit, unit: Unit, asset_id: str) -> str:
    drawn = await is_drawn(unit, asset_id)
    return visit.deployment.directory.url(visit.tenant, picture_path(asset_id)) if drawn else ""
