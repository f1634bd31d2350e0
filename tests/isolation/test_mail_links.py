"""The token of a mail's link stays between reader and us: no log, metric or other site has it."""

import re

import httpx
import pytest
from prometheus_client import generate_latest

from guichet.auth.csrf import csrf_token
from tests.isolation.server import Server
from tests.isolation.twins import Twin, Twins, link_of

_PAYMENT = "payment=11111111-2222-4333-8444-555555555555"


async def tokens_of(twin: Twin) -> list[str]:
    """Of both purposes, in a mail about what Grace owes."""
    async with twin.shop.deployment.db.unit(twin.tenant_id) as unit:
        invoice_id = await unit.fetchval(
            "select id from invoices where tenant_id = $1 and customer_id = $2 and status = 'open'",
            twin.tenant_id,
            twin.customers["grace"],
        )
    return [await link_of(twin, "grace", purpose, invoice_id) for purpose in ("fix", "unsubscribe")]


def spellings(token: str) -> list[str]:
    """Targets with a token, some of which the portal understands."""
    quoted = f"%{ord(token[0]):02X}{token[1:]}"
    places = ["/fix/{}", "/unsubscribe/{}", "/FIX/{}", "//fix/{}", "/fix/{}/", "/fix/{}//paid"]
    places += ["/fix/{}/card/x", "/fix//{}", "/x/{}", "/fix/{}?next=/fix/{}", "/{}", "/fix/{};x"]
    places += [f"/fix/{{}}/paid?{_PAYMENT}", "/fix/{}/card?session=x", "/fix/{}/" + "x" * 5000]
    return [place.replace("{}", each) for place in places for each in (token, quoted)]


async def test_no_way_of_writing_a_link_brings_its_token_into_a_log(
    twins: Twins, server: Server
) -> None:
    twin, before = twins.left, len(server.log.read_text())
    host = twin.origin.removeprefix("http://")
    for token in await tokens_of(twin):
        for asked in (host, f"portal.{twin.mark}.example", "nobody.example"):
            async with server.client(asked) as client:
                for target in spellings(token):
                    for method in ("GET", "POST", "PUT"):
                        await client.request(method, target)
        log = server.log.read_text()[before:]
        assert log.count('"request"') > 200
        # A part of it is worth nothing.
        assert token[:40] not in log
        assert token[-40:] not in log


@pytest.mark.parametrize("purpose", ["fix", "unsubscribe"])
async def test_no_page_of_a_link_tells_another_site_of_it(twins: Twins, purpose: str) -> None:
    twin = twins.left
    token = dict(zip(("fix", "unsubscribe"), await tokens_of(twin), strict=True))[purpose]
    link, form = f"/{purpose}/{token}", {"csrf": csrf_token(token, twin.tenant_id)}
    async with twin.browser() as holder:
        answers: list[httpx.Response] = [
            await holder.get(link),
            await holder.get(f"{link}x"),
            await holder.get(f"{link}/paid?{_PAYMENT}"),
            await holder.post(link, {}),
            await holder.post(link, form),
            await holder.post(f"{link}/card", form),
        ]
    assert answers[0].status_code == 200
    for answer in answers:
        # No `Referer` for other sites: not the merchant's own, not the provider.
        assert answer.headers["referrer-policy"] == "same-origin"
        assert answer.headers["cache-control"] == "no-store"
        away = re.findall(r'(?:href|src|action|content)="([^"]*//[^"]+)"', answer.text)
        assert not [address for address in away if token in address]
        assert token not in answer.headers.get("refresh", "")
    assert token[:40] not in generate_latest().decode()
