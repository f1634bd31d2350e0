"""Mails to staff: in their language, handed over once, and not at all when they are late."""

import re
from collections.abc import AsyncIterator, Iterator
from uuid import uuid4

import msgspec
import pytest

from guichet.auth.staff.mail import queue_staff_message
from guichet.db import Database
from guichet.messages.staff.claiming import forget_old
from guichet.messages.staff.sending import StaffSender
from guichet.settings import Settings
from guichet.tenancy import Directory
from guichet.theming.pages import Pages
from guichet.theming.themes import themes_directory
from tenants.staff import Staff, add_staff
from tests.console.staff_mails import fates, let_pass, queue_invitation, queue_link
from tests.mail_catcher import MailCatcher, Stage
from tests.messages.sending import SHORT, mailing


@pytest.fixture
def catcher() -> Iterator[MailCatcher]:
    """The deployment's mail server."""
    with MailCatcher() as catcher:
        yield catcher


@pytest.fixture
async def sender(
    settings_without_sandbox: Settings, db: Database, catcher: MailCatcher
) -> AsyncIterator[StaffSender]:
    settings = mailing(settings_without_sandbox, catcher.url)
    async with Directory(settings, db) as directory:
        yield StaffSender(settings, db, directory, Pages(themes_directory()), patience=SHORT)


@pytest.fixture
async def camille(db: Database) -> Staff:
    async with db.system() as connection:
        return await add_staff(connection, "camille@atelier.example", "Camille")


async def test_a_link_is_mailed_once_as_text_and_as_html(
    db: Database, sender: StaffSender, catcher: MailCatcher, camille: Staff
) -> None:
    await queue_link(db, camille)
    await sender.send()
    await sender.send()
    (mail,) = catcher.messages
    assert mail.recipients == ("camille@atelier.example",)
    assert (mail.subject, mail.sender) == ("Your link to sign in", "mail@guichet.example")
    assert str(mail.message["From"]) == "Guichet <mail@guichet.example>"
    links = re.findall(r"http://console\.localhost:8000/sign-in/link/[\w-]{64}", mail.text)
    assert len(links) == 1
    assert f'href="{links[0]}"' in mail.html
    assert "Hello Camille," in mail.text
    assert await fates(db) == [("sent", None, False)]


async def test_no_token_is_kept_in_the_database(
    db: Database, sender: StaffSender, catcher: MailCatcher, camille: Staff
) -> None:
    await queue_link(db, camille)
    await sender.send()
    found = re.search(r"link/([\w-]{64})", catcher.messages[0].text)
    assert found
    async with db.system() as connection:
        for kept in (
            await connection.fetchval("select staff_messages::text from staff_messages"),
            await connection.fetchval("select staff_links::text from staff_links"),
        ):
            assert found[1] not in kept


async def test_a_french_reader_gets_a_french_mail(
    db: Database, sender: StaffSender, catcher: MailCatcher, camille: Staff
) -> None:
    await queue_link(db, camille, "fr")
    await sender.send()
    assert "Bonjour Camille," in catcher.messages[0].text


async def test_an_invitation_says_who_invites_to_what_and_as_what(
    db: Database, sender: StaffSender, catcher: MailCatcher
) -> None:
    await queue_invitation(db)
    await sender.send()
    (mail,) = catcher.messages
    assert mail.subject == "camille@atelier.example invites you to Atelier"
    assert "Your role: Member" in mail.text
    assert re.search(r"http://console\.localhost:8000/invitations/[\w-]{64}\s", mail.text)


async def test_a_workspaces_name_breaks_no_header_and_no_page(
    db: Database, sender: StaffSender, catcher: MailCatcher
) -> None:
    await queue_invitation(db, "Eve\r\nBcc: all@example.com <script>{{ 7*7 }}")
    await sender.send()
    (mail,) = catcher.messages
    assert mail.message["Bcc"] is None
    assert mail.recipients == ("noor@example.com",)
    assert "<script>" not in mail.html
    assert "{{ 7*7 }}" in mail.subject


async def test_a_link_that_is_over_is_not_sent(
    db: Database, sender: StaffSender, catcher: MailCatcher, camille: Staff
) -> None:
    await queue_link(db, camille)
    await let_pass(db, "16 minutes")
    await sender.send()
    assert catcher.messages == []
    assert await fates(db) == [("failed", "outdated", False)]


async def test_an_invitation_that_was_revoked_is_not_sent(
    db: Database, sender: StaffSender, catcher: MailCatcher
) -> None:
    await queue_invitation(db)
    async with db.system() as connection:
        await connection.execute("update agency_invitations set revoked_at = now()")
    await sender.send()
    assert catcher.messages == []
    assert await fates(db) == [("failed", "outdated", False)]


async def test_what_the_server_refuses_for_now_is_sent_later_once(
    db: Database, sender: StaffSender, catcher: MailCatcher, camille: Staff
) -> None:
    await queue_link(db, camille)
    catcher.answer("rcpt", "451 later", times=1)
    await sender.send()
    assert await fates(db) == [("queued", "refused_451", True)]
    await sender.send()
    assert catcher.messages == []
    await let_pass(db, "2 minutes")
    await sender.send()
    assert len(catcher.messages) == 1
    assert await fates(db) == [("sent", None, False)]


async def test_what_the_server_refuses_for_good_is_not_tried_again(
    db: Database, sender: StaffSender, catcher: MailCatcher, camille: Staff
) -> None:
    await queue_link(db, camille)
    catcher.answer("rcpt", "550 nobody")
    await sender.send()
    assert await fates(db) == [("failed", "refused_550", False)]


@pytest.mark.parametrize(
    ("stage", "fate"),
    [
        ("connect", ("queued", "server_away", True)),
        ("data", ("queued", "connection_lost", True)),
        ("body", ("failed", "outcome_unknown", False)),
    ],
)
async def test_a_lost_connection_never_sends_twice(
    db: Database,
    sender: StaffSender,
    catcher: MailCatcher,
    camille: Staff,
    stage: Stage,
    fate: tuple[str, str, bool],
) -> None:
    await queue_link(db, camille)
    catcher.drop(stage, times=1, keeps=stage == "body")
    await sender.send()
    assert await fates(db) == [fate]
    await let_pass(db, "2 minutes")
    await sender.send()
    assert len(catcher.messages) == 1


async def test_a_mail_that_a_dead_worker_had_in_hand_is_failed_and_not_sent(
    db: Database, sender: StaffSender, catcher: MailCatcher, camille: Staff
) -> None:
    await queue_link(db, camille)
    async with db.system() as connection:
        await connection.execute(
            "update staff_messages set state = 'sending', tries = 1, due_at = now()"
        )
    await sender.send()
    assert catcher.messages == []
    assert await fates(db) == [("failed", "outcome_unknown", False)]


async def test_what_waited_for_a_day_is_given_up(
    db: Database, sender: StaffSender, catcher: MailCatcher
) -> None:
    await queue_invitation(db)
    await let_pass(db, "25 hours")
    await sender.send()
    assert catcher.messages == []
    assert await fates(db) == [("failed", "waited_too_long", False)]


async def test_a_mail_that_cannot_be_written_holds_nobody_up(
    db: Database, sender: StaffSender, catcher: MailCatcher, camille: Staff
) -> None:
    await queue_invitation(db)
    async with db.system() as connection:
        await connection.execute("update staff_messages set recipient = 'nobody@'")
    await queue_link(db, camille)
    await sender.send()
    assert sorted(await fates(db), key=lambda it: it[0]) == [
        ("failed", "address_unusable", False),
        ("sent", None, False),
    ]


async def test_an_address_that_nobody_has_gets_no_mail_and_leaves_no_trace(
    db: Database, sender: StaffSender, catcher: MailCatcher
) -> None:
    async with db.system() as connection:
        await queue_staff_message(connection, "sign_in", "nobody@example.com", "en", {"next": "/"})
    await sender.send()
    assert catcher.messages == []
    assert await fates(db) == []


async def test_a_person_reads_mails_in_the_language_that_they_chose(
    db: Database, sender: StaffSender, catcher: MailCatcher, camille: Staff
) -> None:
    async with db.system() as connection:
        await connection.execute("update staff set locale = 'fr'")
    await queue_link(db, camille, "en")
    await sender.send()
    assert "Bonjour Camille," in catcher.messages[0].text


async def test_without_a_server_mails_wait(
    settings_without_sandbox: Settings, db: Database, camille: Staff
) -> None:
    settings = msgspec.structs.replace(settings_without_sandbox, smtp_url="")
    await queue_link(db, camille)
    async with Directory(settings, db) as directory:
        await StaffSender(settings, db, directory, Pages(themes_directory())).send()
    assert await fates(db) == [("queued", "no_server", True)]


async def test_accounts_of_mails_end_after_ninety_days(
    db: Database, sender: StaffSender, camille: Staff
) -> None:
    await queue_link(db, camille)
    await sender.send()
    await let_pass(db, "89 days")
    await forget_old(db)
    assert len(await fates(db)) == 1
    await let_pass(db, "2 days")
    await forget_old(db)
    assert await fates(db) == []


async def test_an_id_that_names_nothing_sends_nothing(
    db: Database, sender: StaffSender, catcher: MailCatcher
) -> None:
    async with db.system() as connection:
        facts = {"invitation": str(uuid4()), "workspace": "X", "role": "owner"}
        await queue_staff_message(connection, "tenant_invitation", "a@example.com", "en", facts)
    await sender.send()
    assert catcher.messages == []
