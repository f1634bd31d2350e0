"""The demo's mailbox: what is handed over is kept, newest first, and never grows without end."""

import smtplib
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest

from guichet.demo.catching import listens, mail_catcher
from guichet.demo.home import Home
from guichet.demo.mailbox import MOST_MAILS, Mailbox
from guichet.embedded.programs import free_port


def _mail(subject: str, html: str = "") -> bytes:
    mail = EmailMessage()
    mail["From"] = "Marmite & Cie <mail@guichet.example>"
    mail["To"] = "Grace Hopper <grace@example.com>"
    mail["Subject"] = subject
    mail.set_content("Votre paiement de 34,90 € a été refusé.")
    if html:
        mail.add_alternative(html, subtype="html")
    return mail.as_bytes()


@pytest.fixture
def mailbox(tmp_path: Path) -> Mailbox:
    """An empty mailbox."""
    return Mailbox(tmp_path)


def test_a_mail_is_read_as_it_was_written(mailbox: Mailbox) -> None:
    mail = mailbox.find(mailbox.store(_mail("Paiement refusé", "<p>Bonjour é</p>")))
    assert mail is not None
    assert (mail.merchant, mail.sender) == ("Marmite & Cie", "mail@guichet.example")
    assert (mail.person, mail.subject) == ("grace@example.com", "Paiement refusé")
    assert mail.html.strip() == "<p>Bonjour é</p>"
    assert mail.text.strip() == "Votre paiement de 34,90 € a été refusé."
    assert ("To", "Grace Hopper <grace@example.com>") in mail.headers


def test_the_newest_mail_comes_first(mailbox: Mailbox) -> None:
    for subject in ("first", "second", "third"):
        mailbox.store(_mail(subject))
    assert [mail.subject for mail in mailbox.mails()] == ["third", "second", "first"]


def test_the_oldest_mails_make_room(mailbox: Mailbox) -> None:
    for number in range(MOST_MAILS + 3):
        mailbox.store(_mail(f"number {number}"))
    subjects = [mail.subject for mail in mailbox.mails()]
    assert len(subjects) == MOST_MAILS
    assert (subjects[0], subjects[-1]) == (f"number {MOST_MAILS + 2}", "number 3")


@pytest.mark.parametrize("identifier", ["", "../master-key", "x", f"{1:020d}-00000000"])
def test_only_a_mail_is_found(mailbox: Mailbox, tmp_path: Path, identifier: str) -> None:
    (tmp_path.parent / "master-key.eml").write_text("secret")
    (tmp_path / "x.eml").write_text("no mail of ours")
    assert mailbox.find(identifier) is None


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe\x00",
        b"Content-Type: text/plain; charset=nobody-knows\r\n\r\nx",
        b"From: <\r\nFrom: =?utf-8?q?==,),>\r\n\r\nbody",
        b"To: a\x00undisclosed-recipients:;a<))=?utf-8?q?\r\n\r\nbody",
    ],
    ids=["nothing", "noise", "charset", "a sender", "recipients"],
)
def test_what_is_no_mail_does_not_hide_the_others(mailbox: Mailbox, content: bytes) -> None:
    mailbox.store(_mail("a mail"))
    mailbox.store(content)
    assert [mail.subject for mail in mailbox.mails()] == ["", "a mail"]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """A home that this test holds."""
    home = Home(tmp_path / "home")
    home.hold()
    yield home
    home.release()


def test_what_the_server_has_taken_is_kept(home: Home) -> None:
    port = free_port()
    catcher = mail_catcher(home, port)
    catcher.start()
    try:
        catcher.wait_until(lambda: listens(port), 20)
        with smtplib.SMTP("127.0.0.1", port, timeout=10) as server:
            server.sendmail("a@example.com", ["b@example.com"], _mail("kept"))
            kept = [mail.subject for mail in Mailbox(home.mail).mails()]
    finally:
        catcher.stop()
    assert kept == ["kept"]
    assert not listens(port)
