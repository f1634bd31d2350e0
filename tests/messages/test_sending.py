"""A queued mail is handed over once, whatever the server does; what failed is told by its row."""

from datetime import timedelta
from uuid import UUID

import pytest

from guichet.db import Database
from guichet.messages.claiming import BACK_OFF, BATCH
from guichet.messages.preferences import set_preference
from guichet.messages.sending import Sender
from guichet.settings import Settings
from tests.mail_catcher import MailCatcher, Stage
from tests.messages.customers import ADA, add_customer, message, queue, state_of
from tests.messages.sending import Clock, let_pass, open_sender

_BEFORE_BODY: list[Stage] = ["mail", "rcpt", "data"]


async def test_a_mail_is_handed_over_once(
    db: Database, tenant: UUID, sender: Sender, catcher: MailCatcher, mail: UUID
) -> None:
    await sender.send_messages(tenant)
    await sender.send_messages(tenant)
    (caught,) = catcher.messages
    assert caught.message_id == f"<{mail}@localhost>"
    assert caught.sender == "mail@guichet.example"
    assert caught.recipients == ("ada@example.com",)
    held = await message(db, tenant, mail)
    assert (held.state, held.reason, held.tries) == ("sent", None, 1)
    assert held.sent_at is not None


async def test_many_mails_go_over_one_connection(
    db: Database, tenant: UUID, sender: Sender, catcher: MailCatcher
) -> None:
    await add_customer(db, tenant)
    for number in range(BATCH):
        await queue(db, tenant, key=f"receipt:in_{number}")
    await sender.send_messages(tenant)
    assert len({it.message_id for it in catcher.messages}) == len(catcher.messages) == BATCH
    assert catcher.connections == 1


@pytest.mark.parametrize("stage", [*_BEFORE_BODY, "body"])
async def test_what_is_refused_for_now_is_tried_again_later(
    db: Database, tenant: UUID, sender: Sender, catcher: MailCatcher, mail: UUID, stage: Stage
) -> None:
    catcher.answer(stage, "451 later", times=1)
    await sender.send_messages(tenant)
    assert await state_of(db, tenant, mail) == ("queued", "refused_451")
    await sender.send_messages(tenant)
    assert catcher.messages == []
    await let_pass(db, tenant, BACK_OFF[0])
    await sender.send_messages(tenant)
    assert await state_of(db, tenant, mail) == ("sent", None)
    assert len(catcher.messages) == 1


@pytest.mark.parametrize("stage", [*_BEFORE_BODY, "body"])
async def test_what_is_refused_for_ever_fails(
    db: Database, tenant: UUID, sender: Sender, catcher: MailCatcher, mail: UUID, stage: Stage
) -> None:
    catcher.answer(stage, "550 no", times=1)
    await sender.send_messages(tenant)
    await let_pass(db, tenant, timedelta(days=1))
    await sender.send_messages(tenant)
    assert await state_of(db, tenant, mail) == ("failed", "refused_550")
    assert catcher.messages == []


async def test_a_refused_mail_holds_up_no_other(
    db: Database, tenant: UUID, sender: Sender, catcher: MailCatcher, mail: UUID
) -> None:
    await add_customer(db, tenant, "cus_bob", "bob@example.com")
    await queue(db, tenant, key="receipt:bob", customer="cus_bob")
    catcher.answer("rcpt", "450 mailbox busy", recipient="ada@")
    await sender.send_messages(tenant)
    assert [it.recipients for it in catcher.messages] == [("bob@example.com",)]
    assert catcher.connections == 1


@pytest.mark.parametrize("stage", _BEFORE_BODY)
async def test_a_connection_lost_before_the_body_is_no_delivery(
    db: Database, tenant: UUID, sender: Sender, catcher: MailCatcher, mail: UUID, stage: Stage
) -> None:
    catcher.drop(stage, times=1)
    await sender.send_messages(tenant)
    assert await state_of(db, tenant, mail) == ("queued", "connection_lost")
    await let_pass(db, tenant, BACK_OFF[0])
    await sender.send_messages(tenant)
    assert len(catcher.messages) == 1


@pytest.mark.parametrize("keeps", [True, False])
async def test_a_connection_lost_after_the_body_leaves_the_outcome_unknown(
    db: Database, tenant: UUID, sender: Sender, catcher: MailCatcher, mail: UUID, keeps: bool
) -> None:
    catcher.drop("body", times=1, keeps=keeps)
    for _ in range(3):
        await sender.send_messages(tenant)
        await let_pass(db, tenant, timedelta(days=1))
    assert await state_of(db, tenant, mail) == ("failed", "outcome_unknown")
    assert len(catcher.messages) == int(keeps)


@pytest.mark.parametrize("reply", ["354 go on", "nonsense", "99999 what"])
async def test_an_answer_that_cannot_be_understood_leaves_the_outcome_unknown(
    db: Database, tenant: UUID, sender: Sender, catcher: MailCatcher, mail: UUID, reply: str
) -> None:
    catcher.answer("body", reply, times=1)
    await sender.send_messages(tenant)
    assert await state_of(db, tenant, mail) == ("failed", "outcome_unknown")


@pytest.mark.parametrize("stage", _BEFORE_BODY)
async def test_a_server_that_says_nothing_is_given_up_before_the_body(
    db: Database, tenant: UUID, sender: Sender, catcher: MailCatcher, mail: UUID, stage: Stage
) -> None:
    catcher.slow(stage, 30, times=1)
    await sender.send_messages(tenant)
    assert await state_of(db, tenant, mail) == ("queued", "connection_lost")
    assert catcher.messages == []


async def test_a_server_that_says_nothing_after_the_body_is_not_given_the_mail_again(
    db: Database, tenant: UUID, sender: Sender, catcher: MailCatcher, mail: UUID
) -> None:
    catcher.slow("body", 30, times=1, keeps=True)
    await sender.send_messages(tenant)
    await let_pass(db, tenant, timedelta(days=1))
    await sender.send_messages(tenant)
    assert await state_of(db, tenant, mail) == ("failed", "outcome_unknown")
    assert len(catcher.messages) == 1


@pytest.mark.parametrize("stage", ["connect", "ehlo"])
async def test_a_server_that_is_away_is_left_alone_for_a_while(
    db: Database,
    tenant: UUID,
    sender: Sender,
    catcher: MailCatcher,
    clock: Clock,
    mail: UUID,
    stage: Stage,
) -> None:
    catcher.drop(stage, times=1)
    await sender.send_messages(tenant)
    assert await state_of(db, tenant, mail) == ("queued", "server_away")
    await let_pass(db, tenant, BACK_OFF[0])
    await sender.send_messages(tenant)
    assert catcher.connections == 1
    clock.now += 31
    await sender.send_messages(tenant)
    assert await state_of(db, tenant, mail) == ("sent", None)


async def test_what_nobody_could_send_for_three_days_fails(
    db: Database, tenant: UUID, sender: Sender, catcher: MailCatcher, mail: UUID
) -> None:
    catcher.answer("rcpt", "450 mailbox busy")
    waited = timedelta()
    while (await message(db, tenant, mail)).state == "queued":
        await sender.send_messages(tenant)
        await let_pass(db, tenant, timedelta(hours=8))
        waited += timedelta(hours=8)
    assert await state_of(db, tenant, mail) == ("failed", "refused_450")
    assert timedelta(days=3) <= waited <= timedelta(days=3, hours=8)
    assert catcher.messages == []


async def test_without_a_server_mails_wait_and_then_fail(
    settings_without_sandbox: Settings, db: Database, tenant: UUID, mail: UUID
) -> None:
    async with open_sender(settings_without_sandbox, db) as sender:
        await sender.send_messages(tenant)
        assert await state_of(db, tenant, mail) == ("queued", "no_server")
        await let_pass(db, tenant, timedelta(days=3, minutes=1))
        await sender.send_messages(tenant)
        assert await state_of(db, tenant, mail) == ("failed", "no_server")


async def test_a_mail_without_a_server_is_sent_soon_after_there_is_one(
    settings_without_sandbox: Settings,
    db: Database,
    tenant: UUID,
    sender: Sender,
    catcher: MailCatcher,
    mail: UUID,
) -> None:
    for _ in range(4):
        async with open_sender(settings_without_sandbox, db) as poor:
            await poor.send_messages(tenant)
        await let_pass(db, tenant, timedelta(minutes=5))
    await sender.send_messages(tenant)
    assert len(catcher.messages) == 1


async def test_what_is_no_longer_wanted_is_not_sent(
    db: Database, tenant: UUID, sender: Sender, catcher: MailCatcher, mail: UUID
) -> None:
    async with db.unit(tenant) as unit:
        await set_preference(unit, ADA, "receipt", False, "portal")
    await sender.send_messages(tenant)
    assert await state_of(db, tenant, mail) == ("suppressed", "unsubscribed")
    assert catcher.connections == 0


@pytest.mark.parametrize("address", ["ada", "a b@example.com", "ada@example.com\r\nRCPT TO:<b@c>"])
async def test_an_address_that_cannot_be_written_to_fails(
    db: Database, tenant: UUID, sender: Sender, catcher: MailCatcher, address: str
) -> None:
    await add_customer(db, tenant, email=address)
    id_ = await queue(db, tenant)
    assert id_
    await sender.send_messages(tenant)
    assert await state_of(db, tenant, id_) == ("failed", "address_unusable")
    assert catcher.messages == []


async def test_facts_that_make_no_sense_hold_up_no_other_mail(
    db: Database, tenant: UUID, sender: Sender, catcher: MailCatcher, mail: UUID
) -> None:
    broken = await queue(db, tenant, key="broken", amount="much")
    assert broken
    await sender.send_messages(tenant)
    assert await state_of(db, tenant, broken) == ("failed", "unwritable")
    assert await state_of(db, tenant, mail) == ("sent", None)
