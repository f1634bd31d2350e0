"""The mail server that other tests rely on: it keeps what it accepts and fails as it is told."""

from email.message import EmailMessage

import aiosmtplib
import pytest

from tests.mail_catcher import MailCatcher


async def _send(catcher: MailCatcher) -> None:
    message = EmailMessage()
    message["From"], message["To"] = "shop@example.com", "ada@example.com"
    message["Subject"], message["Message-ID"] = "Hello", "<1@example.com>"
    message.set_content("A line\n.and one with a dot\n")
    await aiosmtplib.send(message, hostname="127.0.0.1", port=catcher.port, timeout=2)


async def test_what_was_accepted_is_kept_with_its_envelope(catcher: MailCatcher) -> None:
    await _send(catcher)
    (mail,) = catcher.messages
    assert (mail.sender, mail.recipients) == ("shop@example.com", ("ada@example.com",))
    assert (mail.subject, mail.message_id) == ("Hello", "<1@example.com>")
    assert mail.text.splitlines() == ["A line", ".and one with a dot"]
    assert catcher.stages == ["connect", "ehlo", "mail", "rcpt", "data", "body"]


@pytest.mark.parametrize("stage", ["connect", "mail", "rcpt", "data", "body"])
async def test_a_refusal_is_answered_as_often_as_it_was_asked_for(
    catcher: MailCatcher, stage: str
) -> None:
    catcher.answer(stage, "451 later", times=1)  # type: ignore[arg-type]
    with pytest.raises(aiosmtplib.SMTPException) as raised:
        await _send(catcher)
    assert "451" in str(raised.value)
    assert catcher.messages == []
    await _send(catcher)
    assert len(catcher.messages) == 1


@pytest.mark.parametrize("stage", ["connect", "ehlo", "mail", "rcpt", "data", "body"])
async def test_a_connection_is_dropped_where_it_was_asked_for(
    catcher: MailCatcher, stage: str
) -> None:
    catcher.drop(stage, times=1)  # type: ignore[arg-type]
    with pytest.raises(ConnectionError):
        await _send(catcher)
    assert catcher.stages[-1] == stage
    assert catcher.messages == []


async def test_a_mail_may_be_kept_although_nobody_is_told(catcher: MailCatcher) -> None:
    catcher.drop("body", keeps=True)
    with pytest.raises(ConnectionError):
        await _send(catcher)
    assert len(catcher.messages) == 1


async def test_silence_lasts_as_long_as_it_was_asked_for(catcher: MailCatcher) -> None:
    catcher.slow("mail", 5)
    with pytest.raises(TimeoutError):
        await _send(catcher)
    catcher.behave()
    await _send(catcher)
    assert len(catcher.messages) == 1
