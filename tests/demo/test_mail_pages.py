"""`/_demo/mail`: found on the base host of a demo alone, and a mail can do no harm there."""

import re
from collections.abc import AsyncIterator
from email import policy
from email.message import EmailMessage
from pathlib import Path

import httpx
import msgspec
import pytest

from guichet.app import create_app
from guichet.demo.home import Home
from guichet.demo.mailbox import Mailbox
from guichet.demo.web import create_demo_app
from guichet.edge.entrance import Edge
from guichet.settings import Settings

HOSTILE = "<script>alert(1)</script>"


def _mail(merchant: str, person: str, subject: str, html: str = "") -> bytes:
    mail = EmailMessage()
    mail["From"] = f'"{merchant}" <mail@guichet.example>'
    mail["To"] = person
    mail["Subject"] = subject
    mail.set_content(f"In words: {subject}")
    if html:
        mail.add_alternative(html, subtype="html")
    return mail.as_bytes()


@pytest.fixture
def mailbox(tmp_path: Path) -> Mailbox:
    """The mailbox of the demo in the test's directory."""
    home = Home(tmp_path)
    home.hold()
    home.release()
    return Mailbox(home.mail)


def _browser(edge: Edge, host: str, language: str = "en") -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=edge)  # type: ignore[arg-type]
    headers = {"accept-language": language}
    return httpx.AsyncClient(transport=transport, base_url=f"http://{host}", headers=headers)


@pytest.fixture
async def edge(settings: Settings, tmp_path: Path) -> AsyncIterator[Edge]:
    """The demo's web program."""
    demo = create_demo_app(
        msgspec.structs.replace(settings, demo=True), {"GUICHET_HOME": str(tmp_path)}
    )
    async with demo.lifespan():
        yield demo


@pytest.fixture
async def browser(edge: Edge) -> AsyncIterator[httpx.AsyncClient]:
    """A browser at the base host."""
    async with _browser(edge, edge.settings.base_host) as client:
        yield client


def _subjects(page: httpx.Response) -> list[str]:
    assert page.status_code == 200
    return re.findall(r'<a href="/_demo/mail/[^"]+">([^<]+)</a>', page.text)


async def test_an_empty_mailbox_says_how_to_fill_it(browser: httpx.AsyncClient) -> None:
    page = await browser.get("/_demo/mail")
    assert page.status_code == 200
    assert "No mail yet" in page.text
    assert "/_control" in page.text


async def test_mails_are_found_by_merchant_and_person(
    browser: httpx.AsyncClient, mailbox: Mailbox
) -> None:
    mailbox.store(_mail("Lumen", "grace@example.com", "one"))
    mailbox.store(_mail("Volta & Co", "grace@example.com", "two"))
    mailbox.store(_mail("Volta & Co", "ada@example.com", "three"))
    assert _subjects(await browser.get("/_demo/mail")) == ["three", "two", "one"]
    of_volta = await browser.get("/_demo/mail", params={"merchant": "Volta & Co"})
    assert _subjects(of_volta) == ["three", "two"]
    assert "<option selected>Volta &amp; Co</option>" in of_volta.text
    both = {"merchant": "Volta & Co", "person": "grace@example.com"}
    assert _subjects(await browser.get("/_demo/mail", params=both)) == ["two"]
    nothing = await browser.get("/_demo/mail", params={"person": "nobody@example.com"})
    assert "No mail fits this choice" in nothing.text


async def test_the_list_tells_how_a_mail_begins_without_its_letterhead(
    browser: httpx.AsyncClient, mailbox: Mailbox
) -> None:
    mail = EmailMessage()
    mail["Subject"] = "Refused"
    mail.set_content("Lumen\n\nRefused\n\nYour bank\nsaid no.\n\nTeam: $29.00\n")
    mailbox.store(mail.as_bytes(policy=policy.SMTP))
    page = await browser.get("/_demo/mail")
    assert '<p class="preview">Your bank said no.</p>' in page.text


async def test_a_mail_is_shown_in_a_frame_that_can_do_nothing_but_open_links(
    browser: httpx.AsyncClient, mailbox: Mailbox
) -> None:
    html = f"<!doctype html><html><head><title>x</title></head><body>{HOSTILE}</body></html>"
    identifier = mailbox.store(_mail(HOSTILE, "grace@example.com", HOSTILE, html))
    page = await browser.get(f"/_demo/mail/{identifier}")
    assert HOSTILE not in page.text
    assert f'src="/_demo/mail/{identifier}/body"' in page.text
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in page.text
    assert page.headers.get_list("content-security-policy")[0].endswith("; frame-src 'self'")
    body = await browser.get(f"/_demo/mail/{identifier}/body")
    assert body.text.startswith('<!doctype html><html><head><base target="_blank"><title>')
    (policy,) = body.headers.get_list("content-security-policy")
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert policy.endswith("sandbox allow-popups allow-popups-to-escape-sandbox")
    assert body.headers.get_list("x-frame-options") == ["SAMEORIGIN"]


async def test_a_mail_in_words_alone_has_no_frame(
    browser: httpx.AsyncClient, mailbox: Mailbox
) -> None:
    identifier = mailbox.store(_mail("Lumen", "grace@example.com", "plain"))
    page = await browser.get(f"/_demo/mail/{identifier}")
    assert "<iframe" not in page.text
    assert "In words: plain" in page.text
    assert (await browser.get(f"/_demo/mail/{identifier}/body")).status_code == 404


@pytest.mark.parametrize("path", ["/x", "/x/body", "/", "/%2e%2e/master-key", "s"])
async def test_what_is_no_mail_is_not_found(browser: httpx.AsyncClient, path: str) -> None:
    assert (await browser.get(f"/_demo/mail{path}")).status_code == 404


async def test_the_pages_speak_the_reader_s_language(edge: Edge, mailbox: Mailbox) -> None:
    identifier = mailbox.store(_mail("Marmite", "grace@example.com", "Bonjour"))
    async with _browser(edge, edge.settings.base_host, "fr") as reader:
        assert "Tous les marchands" in (await reader.get("/_demo/mail")).text
        assert "En-têtes" in (await reader.get(f"/_demo/mail/{identifier}")).text
        assert "/_demo/mail" in (await reader.get("/")).text


async def test_a_deployment_that_is_no_demo_has_no_such_page(settings: Settings) -> None:
    production = create_app(settings)
    async with (
        production.lifespan(),
        _browser(production, settings.base_host) as client,
    ):
        assert (await client.get("/_demo/mail")).status_code == 404
        assert (await client.get("/")).status_code == 404
