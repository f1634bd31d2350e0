"""A worker process is killed around a mail's body: nothing is sent twice, nothing lost unseen."""

import asyncio
import random
from collections import Counter
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from guichet.db import Database
from guichet.settings import Settings
from tests.mail_catcher import MailCatcher, Stage
from tests.messages.customers import add_customer, messages, queue
from tests.messages.sending import let_pass, mailing
from tests.workers.processes import running_worker, until

pytestmark = pytest.mark.slow


@pytest.fixture
def settings(settings_without_sandbox: Settings, catcher: MailCatcher) -> Settings:
    return mailing(settings_without_sandbox, catcher.url)


async def _settled(db: Database, tenant: UUID) -> bool:
    return all(it.state not in ("queued", "sending") for it in await messages(db, tenant))


async def _finish(db: Database, tenant: UUID, settings: Settings, log: Path) -> None:
    """Another worker takes over once the leases of the dead one are over."""
    await let_pass(db, tenant, timedelta(minutes=3))
    async with running_worker(settings, log):
        await until(lambda: _settled(db, tenant), 30)


@pytest.mark.parametrize("stage", ["mail", "data"])
async def test_a_worker_killed_before_the_body_leaves_the_mail_to_the_next(
    db: Database,
    tenant: UUID,
    settings: Settings,
    catcher: MailCatcher,
    tmp_path: Path,
    stage: Stage,
) -> None:
    await add_customer(db, tenant)
    await queue(db, tenant)
    catcher.slow(stage, 60, times=1)
    async with running_worker(settings, tmp_path / "one.log") as worker:
        await until(lambda: _is(catcher.reached(stage) > 0), 30)
        worker.kill()
    await _finish(db, tenant, settings, tmp_path / "two.log")
    assert [it.state for it in await messages(db, tenant)] == ["sent"]
    assert len(catcher.messages) == 1


async def test_a_worker_killed_after_the_body_leaves_a_mail_that_failed(
    db: Database, tenant: UUID, settings: Settings, catcher: MailCatcher, tmp_path: Path
) -> None:
    await add_customer(db, tenant)
    await queue(db, tenant)
    catcher.slow("body", 60, times=1, keeps=True)
    async with running_worker(settings, tmp_path / "one.log") as worker:
        await until(lambda: _is(catcher.reached("body") > 0), 30)
        worker.kill()
    await _finish(db, tenant, settings, tmp_path / "two.log")
    (held,) = await messages(db, tenant)
    assert (held.state, held.reason) == ("failed", "outcome_unknown")
    assert len(catcher.messages) == 1


async def test_workers_killed_at_any_moment_send_nothing_twice(
    db: Database, tenant: UUID, settings: Settings, catcher: MailCatcher, tmp_path: Path
) -> None:
    await add_customer(db, tenant)
    count, rounds = 120, 4
    for number in range(count):
        await queue(db, tenant, key=f"receipt:in_{number}")
    catcher.slow("rcpt", 0.004)
    catcher.slow("body", 0.004, keeps=True)
    chance = random.Random(7)
    for number in range(rounds):
        before = len(catcher.messages)
        async with running_worker(settings, tmp_path / f"{number}.log") as worker:
            await until(lambda: _is(len(catcher.messages) > before), 30)  # noqa: B023
            await asyncio.sleep(chance.uniform(0, 0.15))
            worker.kill()
        await let_pass(db, tenant, timedelta(minutes=3))
    assert not await _settled(db, tenant)
    await _finish(db, tenant, settings, tmp_path / "last.log")
    received = Counter(it.message_id for it in catcher.messages)
    assert max(received.values()) == 1
    held = await messages(db, tenant)
    assert len(held) == count
    assert {(it.state, it.reason) for it in held} <= {("sent", None), ("failed", "outcome_unknown")}
    assert sum(it.state == "failed" for it in held) <= rounds
    sent = {f"<{it.id}@localhost>" for it in held if it.state == "sent"}
    assert sent <= set(received)


async def _is(value: bool) -> bool:
    return value
