"""A mail of the draft that somebody of the staff sends to themselves."""

from collections.abc import Iterator

import httpx
import pytest

from guichet.messages.staff.sending import StaffSender
from guichet.settings import Settings
from tenants.branding import Branding, Link
from tenants.configuration import Configuration
from tenants.drafts import replace_draft
from tenants.mails import Mails
from tests.console.conftest import AsStaff
from tests.console.town import Town, post
from tests.mail_catcher import MailCatcher
from tests.messages.sending import SHORT, mailing

PAGE = "/merchants/lumen/mails"


@pytest.fixture
def catcher() -> Iterator[MailCatcher]:
    """The deployment's mail server."""
    with MailCatcher() as catcher:
        yield catcher


@pytest.fixture
async def sender(town: Town, settings: Settings, catcher: MailCatcher) -> StaffSender:
    deployment = town.deployment
    return StaffSender(
        mailing(settings, catcher.url),
        deployment.db,
        deployment.directory,
        deployment.pages,
        patience=SHORT,
    )


@pytest.fixture
async def admin(as_staff: AsStaff) -> httpx.AsyncClient:
    return await as_staff("admin")


async def _draft(town: Town, configuration: Configuration) -> None:
    async with town.deployment.db.unit(town.lumen.id) as unit:
        await replace_draft(unit.connection, unit.tenant_id, configuration, "a test")


async def test_the_draft_s_mail_comes_to_whoever_asked_marked_as_a_test(
    town: Town, admin: httpx.AsyncClient, sender: StaffSender, catcher: MailCatcher
) -> None:
    hostile = 'Lumen"><script>alert(1)</script>{{ 7 * 7 }}'
    links = (Link("Terms", "https://lumen.example/terms"),)
    mails = Mails(sender_name=hostile)
    await _draft(town, Configuration(mails=mails, branding=Branding(links=links)))
    fields = {"kind": "given_up", "locale": "fr", "email": "victim@example.com"}
    answer = await post(admin, f"{PAGE}/test", fields)
    assert answer.headers["location"] == f"{PAGE}?done=test"
    await sender.send()
    [caught] = catcher.messages
    assert caught.recipients == ("admin@example.com",)
    assert caught.subject.startswith("[Test] ")
    assert caught.message["to"] == "admin@example.com"
    html = caught.html
    assert 'lang="fr"' in html
    assert "<script" not in html
    assert "{{ 7 * 7 }}" in html
    assert 'href="http://lumen.localhost:8000/"' in html
    async with town.deployment.db.unit(town.lumen.id) as unit:
        told = await unit.fetchrow(
            """
            select actor, details::text as details
            from audit_log
            where tenant_id = $1
            and action = 'test_mail.sent'
            """,
            unit.tenant_id,
        )
    assert told is not None
    assert tuple(told) == ("admin@example.com", '{"kind": "given_up", "language": "fr"}')


async def test_nobody_floods_themselves(admin: httpx.AsyncClient) -> None:
    fields = {"kind": "receipt", "locale": "en"}
    answers = [(await post(admin, f"{PAGE}/test", fields)).status_code for _ in range(12)]
    assert answers[0] == 303
    assert answers[-1] == 429
    assert answers == sorted(answers)


@pytest.mark.parametrize("fields", [{"kind": "nothing"}, {"kind": "receipt", "locale": "../x"}])
async def test_a_mail_that_does_not_exist_is_not_sent(
    admin: httpx.AsyncClient, fields: dict[str, str]
) -> None:
    assert (await post(admin, f"{PAGE}/test", {"locale": "en"} | fields)).status_code == 404
