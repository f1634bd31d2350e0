"""Requests to identity providers go where they are sent, over https, and end in time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from guichet.auth.discovery import Discovery
from guichet.auth.failures import (
    IdentityProviderMisconfigured,
    IdentityProviderUnreachable,
)
from guichet.auth.identity_http import IdentityHttp, check_url, open_identity_http, origin
from tenants.identity_providers import IdentityProvider
from tests.auth.hostile_provider import HostileProvider


@pytest.mark.parametrize(
    ("url", "in_demo", "in_production"),
    [
        ("https://id.example/token", True, True),
        ("https://id.example:8443/token?x=1", True, True),
        ("http://127.0.0.1:9400/token", True, False),
        ("http://[::1]:9400/token", True, False),
        ("http://localhost:9400", True, False),
        ("http://id.localhost:9400", True, False),
        ("http://id.example/token", False, False),
        ("http://169.254.169.254/latest", False, False),
        ("http://localhost.example/", False, False),
        ("http://127.0.0.1.example/", False, False),
        ("http://0.0.0.0/", False, False),
        ("https://user@id.example/", False, False),
        ("https://user:secret@id.example/", False, False),
        ("https://id.example/#fragment", False, False),
        ("https://id.example\\@evil.example/", False, False),
        ("https://", False, False),
        ("https:///path", False, False),
        ("https://id.example:port/", False, False),
        ("https://[::1", False, False),
        ("//id.example/", False, False),
        ("/token", False, False),
        ("", False, False),
        ("ftp://id.example/", False, False),
        ("file:///etc/passwd", False, False),
    ],
)
def test_an_address_is_https_or_this_machine_in_the_demo(
    url: str, in_demo: bool, in_production: bool
) -> None:
    for allow_loopback, taken in ((True, in_demo), (False, in_production)):
        if taken:
            check_url(url, allow_loopback)
        else:
            with pytest.raises(IdentityProviderMisconfigured):
                check_url(url, allow_loopback)


def test_an_origin_always_says_its_port() -> None:
    assert (
        origin("https://ID.example/a")
        == origin("https://id.example:443")
        == ("https://id.example:443")
    )
    assert origin("http://id.example") == "http://id.example:80"


async def test_in_production_a_provider_on_plain_http_is_not_asked(
    hostile: HostileProvider, work: IdentityProvider
) -> None:
    async with open_identity_http(allow_loopback=False) as http:
        with pytest.raises(IdentityProviderMisconfigured):
            await Discovery(http).metadata(work)
    assert hostile.requests == []


async def test_the_environment_cannot_send_our_secrets_through_a_proxy(
    hostile: HostileProvider, work: IdentityProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    async with open_identity_http(allow_loopback=True) as http:
        assert (await Discovery(http).metadata(work)).issuer == hostile.issuer


@asynccontextmanager
async def dripping() -> AsyncIterator[str]:
    """A server that answers one byte at a time, for as long as anybody listens."""

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n")
        try:
            while True:
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(0.01)
        except ConnectionError:
            writer.close()

    async with await asyncio.start_server(drip, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"


async def test_an_answer_that_never_ends_is_given_up() -> None:
    async with dripping() as url, httpx.AsyncClient(trust_env=False) as client:
        http = IdentityHttp(client, allow_loopback=True, seconds=0.2)
        with pytest.raises(IdentityProviderUnreachable) as failure:
            await http.get(url)
    assert failure.value.reason == "TimeoutError"


async def test_however_many_wait_the_provider_is_asked_once(
    hostile: HostileProvider, work: IdentityProvider
) -> None:
    async with open_identity_http(allow_loopback=True) as http:
        discovery = Discovery(http)
        waiting = [asyncio.create_task(discovery.metadata(work)) for _ in range(20)]
        await asyncio.sleep(0)
        # One who goes away does not take the answer from the others.
        waiting[0].cancel()
        answers = await asyncio.gather(*waiting, return_exceptions=True)
    assert isinstance(answers[0], asyncio.CancelledError)
    assert {getattr(answer, "issuer", None) for answer in answers[1:]} == {hostile.issuer}
    assert len(hostile.requests) == 1


async def test_a_failure_is_told_to_all_who_wait_and_is_not_remembered(
    hostile: HostileProvider, work: IdentityProvider
) -> None:
    hostile.answers["/.well-known/openid-configuration"] = (500, {}, b"")
    async with open_identity_http(allow_loopback=True) as http:
        discovery = Discovery(http)
        answers = await asyncio.gather(
            *(discovery.metadata(work) for _ in range(5)), return_exceptions=True
        )
        assert all(isinstance(answer, IdentityProviderUnreachable) for answer in answers)
        assert len(hostile.requests) == 1
        hostile.answers.clear()
        assert (await discovery.metadata(work)).issuer == hostile.issuer
