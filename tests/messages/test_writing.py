"""What a customer gets: their language, links that open what they say, nothing that is outdated."""

import re
from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from guichet.audit import Actor
from guichet.auth.mail_links import read_link_token
from guichet.db import Database
from guichet.messages.kinds import KINDS, Kind
from guichet.messages.sending import Sender
from guichet.settings import Settings
from guichet.tenancy import Registry
from tenants.branding import Branding
from tenants.configuration import Configuration
from tests.drawn_pictures import PNG
from tests.mail_catcher import Mail, MailCatcher
from tests.messages.customers import ADA, add_customer, message, queue
from tests.messages.sending import mailing, open_sender

_SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1" width="1" height="1"></svg>'
_ORIGIN = "http://lumen.localhost:8000"


@pytest.fixture
def settings(settings_without_sandbox: Settings, catcher: MailCatcher) -> Settings:
    return mailing(settings_without_sandbox, catcher.url)


@pytest.fixture
def registry(settings: Settings, db: Database) -> Registry:
    return Registry(settings, db, Actor("system", "test"))


@pytest.fixture
async def sender(settings: Settings, db: Database, tenant: UUID) -> AsyncIterator[Sender]:
    async with open_sender(settings, db) as sender:
        yield sender


async def _sent(sender: Sender, tenant: UUID, catcher: MailCatcher) -> Mail:
    await sender.send_messages(tenant)
    (mail,) = catcher.messages
    return mail


def _links(mail: Mail) -> list[str]:
    found: list[str] = re.findall(r'href="([^"]+)"', mail.html)
    return found


@pytest.mark.parametrize(
    ("chosen", "known", "subject"),
    [
        ("fr", ("en-GB",), "Votre paiement"),
        ("en", ("fr",), "Your payment"),
        (None, ("fr-CA", "en"), "Votre paiement"),
        (None, ("de",), "Votre paiement"),
        (None, (), "Votre paiement"),
        ("xx", ("en",), "Your payment"),
    ],
)
async def test_the_language_is_the_customers_then_the_merchants(
    registry: Registry,
    settings: Settings,
    db: Database,
    tenant: UUID,
    catcher: MailCatcher,
    chosen: str | None,
    known: tuple[str, ...],
    subject: str,
) -> None:
    await registry.publish("lumen", Configuration(locale="fr"))
    await add_customer(db, tenant, languages=known)
    if chosen:
        async with db.unit(tenant) as unit:
            await unit.execute(
                "insert into preferences (tenant_id, customer_id, locale) values ($1, $2, $3)",
                tenant,
                ADA,
                chosen,
            )
    await queue(db, tenant)
    async with open_sender(settings, db) as sender:
        assert (await _sent(sender, tenant, catcher)).subject == subject


@pytest.mark.parametrize("kind", ["payment_failed", "action_needed", "given_up"])
async def test_the_button_fixes_the_payment_without_sign_in(
    settings: Settings, db: Database, tenant: UUID, sender: Sender, catcher: MailCatcher, kind: Kind
) -> None:
    await add_customer(db, tenant)
    id_ = await queue(db, tenant, kind, invoice_id="in_1")
    mail = await _sent(sender, tenant, catcher)
    (link,) = (it for it in _links(mail) if "/fix/" in it)
    assert link in mail.text
    token = link.removeprefix(f"{_ORIGIN}/fix/")
    assert read_link_token(settings.master_keys, tenant, token, "fix") == id_


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("card_expiring", "/payment-methods"),
        ("recovered", "/invoices"),
        ("receipt", "/invoices"),
        ("renewal_coming", "/subscriptions/sub_1%2F..%2Fx"),
        ("trial_ending", "/subscriptions/sub_1%2F..%2Fx"),
        ("plan_changed", "/subscriptions/sub_1%2F..%2Fx"),
        ("cancelled", "/subscriptions/sub_1%2F..%2Fx"),
    ],
)
async def test_other_buttons_lead_to_the_portal(
    db: Database, tenant: UUID, sender: Sender, catcher: MailCatcher, kind: Kind, path: str
) -> None:
    await add_customer(db, tenant)
    await queue(db, tenant, kind, subscription_id="sub_1/../x")
    mail = await _sent(sender, tenant, catcher)
    assert f"{_ORIGIN}{path}" in _links(mail)
    assert f"{_ORIGIN}/preferences" in _links(mail)


@pytest.mark.parametrize("kind", KINDS)
async def test_an_optional_mail_is_ended_by_one_click(
    settings: Settings, db: Database, tenant: UUID, sender: Sender, catcher: MailCatcher, kind: Kind
) -> None:
    await add_customer(db, tenant)
    id_ = await queue(db, tenant, kind)
    mail = await _sent(sender, tenant, catcher)
    header = mail.message["List-Unsubscribe"]
    assert (header is None) == KINDS[kind].required
    if header is not None:
        token = header.removeprefix(f"<{_ORIGIN}/unsubscribe/").removesuffix(">")
        assert read_link_token(settings.master_keys, tenant, token, "unsubscribe") == id_
        assert mail.message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert header[1:-1] in _links(mail)


@pytest.mark.parametrize(("status", "state"), [("open", "sent"), ("paid", "suppressed")])
async def test_nobody_is_asked_to_pay_what_is_paid(
    db: Database, tenant: UUID, sender: Sender, catcher: MailCatcher, status: str, state: str
) -> None:
    await add_customer(db, tenant)
    async with db.unit(tenant) as unit:
        await unit.execute(
            """
            insert into invoices (
              tenant_id, id, customer_id, status, currency, total, amount_due, amount_paid,
              amount_remaining, attempt_count, created_at, copy_no
            )
            values ($1, 'in_1', $2, $3, 'eur', 100, 100, 0, 100, 1, now(), 1)
            """,
            tenant,
            ADA,
            status,
        )
    id_ = await queue(db, tenant, "payment_failed", invoice_id="in_1")
    await sender.send_messages(tenant)
    held = await message(db, tenant, id_)
    assert (held.state, held.reason) == (state, None if state == "sent" else "outdated")


@pytest.mark.parametrize(
    ("body", "media_type", "shown"), [(PNG, "image/png", True), (_SVG, "image/svg+xml", False)]
)
async def test_a_logo_is_shown_where_mail_programs_draw_it(
    registry: Registry,
    settings: Settings,
    db: Database,
    tenant: UUID,
    catcher: MailCatcher,
    body: bytes,
    media_type: str,
    shown: bool,
) -> None:
    logo = await registry.add_picture("lumen", body, media_type)
    await registry.publish("lumen", Configuration(branding=Branding(logo=logo)))
    await add_customer(db, tenant)
    await queue(db, tenant)
    async with open_sender(settings, db) as sender:
        mail = await _sent(sender, tenant, catcher)
    assert (f'src="{_ORIGIN}/assets/pictures/{logo}"' in mail.html) == shown
    assert ">Lumen</span>" in mail.html or shown


async def test_two_tries_of_one_mail_are_the_same_mail(
    settings: Settings, db: Database, tenant: UUID, sender: Sender, catcher: MailCatcher
) -> None:
    await add_customer(db, tenant)
    id_ = await queue(db, tenant)
    held = await message(db, tenant, id_)
    mail = await _sent(sender, tenant, catcher)
    assert mail.message_id == f"<{id_}@localhost>"
    assert mail.message["Date"].datetime == held.queued_at.replace(microsecond=0)
