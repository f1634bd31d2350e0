"""Workers that stall, stop, race or are lost: each mail is handed over by one of them, once."""

import asyncio
from datetime import timedelta
from uuid import UUID

from guichet.db import Database
from guichet.messages.claiming import BATCH
from guichet.messages.sending import Sender
from guichet.settings import Settings
from tests.mail_catcher import MailCatcher
from tests.messages.customers import add_customer, messages, queue, state_of
from tests.messages.sending import let_pass, mailing, open_sender


async def test_a_worker_that_was_lost_after_the_body_began_leaves_a_failed_mail(
    db: Database, tenant: UUID, sender: Sender, catcher: MailCatcher, mail: UUID
) -> None:
    catcher.slow("body", 30, times=1, keeps=True)
    sending = asyncio.create_task(sender.send_messages(tenant))
    while not catcher.reached("body"):
        await asyncio.sleep(0.01)
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)
    assert await state_of(db, tenant, mail) == ("sending", None)
    await sender.send_messages(tenant)
    assert await state_of(db, tenant, mail) == ("sending", None)
    await let_pass(db, tenant, timedelta(seconds=91))
    await sender.send_messages(tenant)
    assert await state_of(db, tenant, mail) == ("failed", "outcome_unknown")
    assert len(catcher.messages) == 1


async def test_whoever_lost_its_claim_gives_no_body(
    settings_without_sandbox: Settings,
    db: Database,
    tenant: UUID,
    sender: Sender,
    catcher: MailCatcher,
    mail: UUID,
) -> None:
    """A worker stalls before the body until its lease is over and another one has sent the mail."""
    catcher.slow("data", 0.8, times=1)
    stalled = asyncio.create_task(sender.send_messages(tenant))
    while not catcher.reached("data"):
        await asyncio.sleep(0.01)
    await let_pass(db, tenant, timedelta(minutes=3))
    async with open_sender(mailing(settings_without_sandbox, catcher.url), db) as other:
        await other.send_messages(tenant)
    await stalled
    assert len(catcher.messages) == 1
    assert await state_of(db, tenant, mail) == ("sent", None)


async def test_two_workers_send_each_mail_once(
    settings_without_sandbox: Settings, db: Database, tenant: UUID, catcher: MailCatcher
) -> None:
    await add_customer(db, tenant)
    count = 3 * BATCH
    for number in range(count):
        await queue(db, tenant, key=f"receipt:in_{number}")
    settings = mailing(settings_without_sandbox, catcher.url)
    async with open_sender(settings, db) as one, open_sender(settings, db) as two:
        await asyncio.gather(one.send_messages(tenant), two.send_messages(tenant))
    assert len({it.message_id for it in catcher.messages}) == len(catcher.messages) == count
    assert {it.state for it in await messages(db, tenant)} == {"sent"}


async def test_a_stop_leaves_the_rest_to_others(
    settings_without_sandbox: Settings,
    db: Database,
    tenant: UUID,
    sender: Sender,
    catcher: MailCatcher,
) -> None:
    await add_customer(db, tenant)
    for number in range(3):
        await queue(db, tenant, key=f"receipt:in_{number}")
    catcher.slow("rcpt", 0.3, times=1)
    sending = asyncio.create_task(sender.send_messages(tenant))
    while not catcher.reached("rcpt"):
        await asyncio.sleep(0.01)
    sender.close()
    await sending
    assert len(catcher.messages) == 1
    async with open_sender(mailing(settings_without_sandbox, catcher.url), db) as other:
        await other.send_messages(tenant)
    assert len(catcher.messages) == 3
    assert {it.tries for it in await messages(db, tenant)} == {1}
