"""A connection to a mail server is as protected as its URL says, and leads nowhere private."""

import contextlib
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from guichet.mail_servers import parse_server
from guichet.messages.dialing import Line, ServerAway, is_public, open_line
from tests.mail_catcher import MailCatcher
from tests.messages.certificates import Certificate, make_certificate
from tests.messages.sending import SHORT

_LOGIN = ("mailer@lumen.example", "s3cret:/pass")
_QUOTED = "mailer%40lumen.example:s3cret%3A%2Fpass"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("tls"))


@contextlib.asynccontextmanager
async def _line(
    url: str, tls: ssl.SSLContext | None = None, public_only: bool = False
) -> AsyncIterator[Line]:
    opening = open_line(
        parse_server(url), "guichet.example", public_only=public_only, patience=SHORT, tls=tls
    )
    async with opening as line:
        yield line


async def _send(url: str, tls: ssl.SSLContext | None = None) -> None:
    async with _line(url, tls) as line:
        await line.offer("mail@guichet.example", "ada@example.com")
        await line.give(b"Subject: Hello\r\n\r\n.\r\nafter a dot\r\n")


@pytest.mark.parametrize("scheme", ["smtps", "smtp+starttls"])
async def test_a_login_goes_over_tls(certificate: Certificate, scheme: str) -> None:
    contexts = {"tls" if scheme == "smtps" else "start_tls": certificate.server}
    with MailCatcher(login=_LOGIN, **contexts) as catcher:  # type: ignore[arg-type]
        await _send(f"{scheme}://{_QUOTED}@127.0.0.1:{catcher.port}", certificate.client)
        (mail,) = catcher.messages
    assert mail.content.split(b"\r\n\r\n", 1)[1] == b".\r\nafter a dot\r\n"


async def test_a_login_that_is_refused_is_the_servers_matter_and_not_the_mails(
    certificate: Certificate,
) -> None:
    with (
        MailCatcher(login=_LOGIN, tls=certificate.server) as catcher,
        pytest.raises(ServerAway) as raised,
    ):
        await _send(f"smtps://other:wrong@127.0.0.1:{catcher.port}", certificate.client)
    assert raised.value.reason == "login_refused"


async def test_a_server_that_offers_no_tls_gets_neither_login_nor_mail(
    certificate: Certificate,
) -> None:
    with MailCatcher(login=_LOGIN) as catcher:
        with pytest.raises(ServerAway):
            await _send(f"smtp+starttls://{_QUOTED}@127.0.0.1:{catcher.port}", certificate.client)
        assert not catcher.reached("auth")
        assert not catcher.reached("mail")


@pytest.mark.parametrize("scheme", ["smtps", "smtp+starttls"])
async def test_a_certificate_that_nobody_vouches_for_is_refused(
    certificate: Certificate, scheme: str
) -> None:
    contexts = {"tls" if scheme == "smtps" else "start_tls": certificate.server}
    with MailCatcher(login=_LOGIN, **contexts) as catcher:  # type: ignore[arg-type]
        with pytest.raises(ServerAway):
            await _send(f"{scheme}://{_QUOTED}@127.0.0.1:{catcher.port}")
        assert not catcher.reached("auth")


async def test_a_certificate_of_another_name_is_refused(tmp_path: Path) -> None:
    other = make_certificate(tmp_path, "127.0.0.2")
    with MailCatcher(tls=other.server) as catcher, pytest.raises(ServerAway):
        await _send(f"smtps://127.0.0.1:{catcher.port}", other.client)


async def test_nobody_listens() -> None:
    with pytest.raises(ServerAway) as raised:
        await _send("smtp://127.0.0.1:1")
    assert raised.value.reason == "server_away"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_a_merchants_server_is_not_this_machine(host: str) -> None:
    with MailCatcher() as catcher:
        with pytest.raises(ServerAway) as raised:
            async with _line(f"smtp://{host}:{catcher.port}", public_only=True):
                pass
        assert catcher.connections == 0
    assert raised.value.reason == "address_not_public"


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1",
        "fe80::1%eth0",
        "fd00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::",
        "2002:a00:1::",
    ],
)
def test_an_address_inside_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1", "::ffff:93.184.216.34"])
def test_an_address_of_the_internet_is_public(address: str) -> None:
    assert is_public(address)
