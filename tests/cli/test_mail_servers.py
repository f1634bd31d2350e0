"""`guichet tenant smtp`, and the doctor on mails."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest

from guichet.cli.mail_checks import check_mail
from guichet.db import Database
from guichet.messages.routing import SMTP_URL
from guichet.settings import Settings
from tenants.vault import Vault
from tests.cli.commands import Guichet
from tests.databases import DatabaseUrls
from tests.mail_catcher import MailCatcher
from tests.merchants import add_merchant, registry_for
from tests.messages.customers import add_customer, queue
from tests.messages.sending import let_pass, mailing

_URL = "smtps://mailer:s3cret-marker@mail.lumen.example"


@pytest.fixture
async def lumen(database_urls: DatabaseUrls, db: Database) -> UUID:
    return (await add_merchant(registry_for(database_urls, db))).id


@pytest.fixture
def catcher() -> Iterator[MailCatcher]:
    with MailCatcher() as catcher:
        yield catcher


async def _held(db: Database, settings: Settings, tenant: UUID) -> str | None:
    async with db.unit(tenant) as unit:
        return await Vault(settings.master_keys).open(unit.connection, tenant, SMTP_URL)


async def test_a_server_is_sealed_and_never_shown(
    guichet: Guichet, db: Database, deployed: Settings, lumen: UUID
) -> None:
    result = await guichet("tenant", "smtp", "lumen", stdin=f"{_URL}\n")
    assert (result.exit_code, result.output) == (0, "lumen sends by its own mail server\n")
    assert await _held(db, deployed, lumen) == _URL
    shown = await guichet("tenant", "show", "lumen")
    assert SMTP_URL in shown.output
    assert "s3cret-marker" not in shown.output


async def test_a_server_is_taken_away(
    guichet: Guichet, db: Database, deployed: Settings, lumen: UUID
) -> None:
    await guichet("tenant", "smtp", "lumen", stdin=_URL)
    result = await guichet("tenant", "smtp", "lumen", "--remove")
    assert (result.exit_code, result.output) == (0, "lumen sends by the deployment's mail server\n")
    assert not await _held(db, deployed, lumen)


@pytest.mark.parametrize(
    "url", ["https://s3cret-marker", "smtp://a:s3cret-marker@mail.example", "s3cret-marker", ""]
)
async def test_a_server_that_cannot_be_used_is_refused(
    guichet: Guichet, db: Database, deployed: Settings, lumen: UUID, url: str
) -> None:
    result = await guichet("tenant", "smtp", "lumen", stdin=url)
    assert result.exit_code == 1
    assert "s3cret-marker" not in result.output + result.stderr
    assert await _held(db, deployed, lumen) is None


async def test_an_unknown_tenant_has_no_server(guichet: Guichet) -> None:
    result = await guichet("tenant", "smtp", "nobody", stdin=_URL)
    assert (result.exit_code, result.stdout) == (1, "")


async def test_a_deployment_without_a_server_is_well_until_mails_wait(
    deployed: Settings, db: Database, lumen: UUID
) -> None:
    assert [it.remedy for it in await check_mail(deployed)] == ["", ""]
    await add_customer(db, lumen)
    await queue(db, lumen)
    _, mails = await check_mail(deployed)
    assert mails.text == "1 wait, and the deployment has no mail server"
    assert "GUICHET_SMTP_URL" in mails.remedy


async def test_a_server_is_tried_out(deployed: Settings, catcher: MailCatcher, lumen: UUID) -> None:
    settings = mailing(deployed, catcher.url)
    server, mails = await check_mail(settings)
    assert server.text == "127.0.0.1 lets us in; mails come from mail@guichet.example"
    assert (server.remedy, mails.remedy) == ("", "")
    catcher.drop("ehlo")
    server, _ = await check_mail(settings)
    assert server.text == "127.0.0.1 cannot be used: server away"
    assert server.remedy


async def test_mails_that_nobody_sends_are_a_fault(
    deployed: Settings, db: Database, catcher: MailCatcher, lumen: UUID
) -> None:
    settings = mailing(deployed, catcher.url)
    await add_customer(db, lumen)
    await queue(db, lumen)
    assert (await check_mail(settings))[1].remedy == ""
    await let_pass(db, lumen, timedelta(minutes=6))
    _, mails = await check_mail(settings)
    assert mails.text == "1 wait, 6 min overdue"
    assert "guichet worker" in mails.remedy
