"""Every kind of answer has the headers of the best mark there is, over HTTPS and over HTTP."""

import re
from collections.abc import AsyncIterator
from typing import NamedTuple
from urllib.parse import urlsplit

import httpx
import msgspec
import pytest

from guichet.app import create_app
from guichet.edge.entrance import Edge
from guichet.settings import Settings
from tenants.agencies import add_agency
from tenants.tenant import add_tenant, set_status
from tests.isolation.observatory import BASE, RULES, failed, policies
from tests.isolation.test_matrix import TABLE
from tests.isolation.twins import Twin, Twins, ids_of
from tests.tenancy.waiting import until

DOMAIN = "guichet.example"


class Secure(NamedTuple):
    """The same deployment as it is in production: behind TLS, on a domain of its own."""

    edge: Edge
    twins: Twins

    def client(self, label: str, session: str = "") -> httpx.AsyncClient:
        """A browser at a host of the domain; the empty label is the base host."""
        transport = httpx.ASGITransport(app=self.edge)  # type: ignore[arg-type]
        cookies = {"__Host-guichet-session": session} if session else {}
        host = f"{label}.{DOMAIN}" if label else DOMAIN
        return httpx.AsyncClient(transport=transport, base_url=f"https://{host}", cookies=cookies)


@pytest.fixture(scope="module")
async def secure(twins: Twins, shared_settings: Settings) -> AsyncIterator[Secure]:
    async with twins.deployment.db.system() as connection:
        agency = await add_agency(connection, "closed", "Closed")
        closed = await add_tenant(connection, agency, "closed", "Closed")
        await set_status(connection, closed.id, "suspended")
    settings = msgspec.structs.replace(shared_settings, base_domain=DOMAIN)
    edge = create_app(settings)
    async with edge.lifespan() as deployment:
        await until(lambda: deployment.directory.by_slug("closed"))
        yield Secure(edge, twins)


class Kind(NamedTuple):
    """One kind of answer: the host's label, the request, and the status it has."""

    label: str
    method: str
    path: str
    status: int
    who: str = "ada"


LEFT, RIGHT, BASE_HOST = "quartzine", "basaltine", ""

KINDS = {
    "home": Kind(LEFT, "GET", "/", 200),
    "home of another theme": Kind(RIGHT, "GET", "/", 200),
    "a subscription": Kind(LEFT, "GET", "/subscriptions/{subscription_id}", 200),
    "plans": Kind(LEFT, "GET", "/subscriptions/{subscription_id}/change", 200),
    "review": Kind(
        LEFT, "GET", "/subscriptions/{subscription_id}/change/review?price={scale}", 200
    ),
    "cancel": Kind(RIGHT, "GET", "/subscriptions/{subscription_id}/cancel", 200),
    "outcome": Kind(LEFT, "GET", "/subscriptions/{subscription_id}/changes/{request_id}", 200),
    "invoices": Kind(RIGHT, "GET", "/invoices", 200),
    "a document": Kind(LEFT, "GET", "/invoices/{invoice_id}/pdf", 303),
    "sign in first": Kind(LEFT, "GET", "/invoices", 303, ""),
    "sign in": Kind(RIGHT, "GET", "/sign-in", 200, ""),
    "to the provider": Kind(LEFT, "GET", "/sign-in/{provider_id}", 303, ""),
    "a failed sign-in": Kind(LEFT, "GET", "/sign-in/{provider_id}/callback", 400, ""),
    "a language": Kind(LEFT, "GET", "/language/en", 303),
    "no page": Kind(LEFT, "GET", "/no-such-page", 404),
    "no such thing": Kind(RIGHT, "GET", "/subscriptions/sub_nobody", 404),
    "a parameter too long": Kind(LEFT, "GET", "/language/" + "x" * 20, 400),
    "a choice to repeat": Kind(LEFT, "GET", "/subscriptions/{subscription_id}/change/review", 422),
    "a forged form": Kind(LEFT, "POST", "/subscriptions/{subscription_id}/cancel", 403),
    "a method that does not exist": Kind(LEFT, "PUT", "/invoices", 405),
    "what can be done": Kind(LEFT, "OPTIONS", "/invoices", 204),
    "the head of a page": Kind(LEFT, "HEAD", "/", 200),
    "the brand's stylesheet": Kind(LEFT, "GET", "/assets/{folder}/{name}", 200, ""),
    "a picture": Kind(LEFT, "GET", "/assets/pictures/{picture_id}", 200, ""),
    "no picture": Kind(LEFT, "GET", "/assets/pictures/none", 404, ""),
    "a delivery": Kind(LEFT, "POST", "/webhooks/stripe", 400, ""),
    "no delivery": Kind(LEFT, "GET", "/webhooks/stripe", 405, ""),
    "live": Kind(LEFT, "GET", "/health/live", 200, ""),
    "ready": Kind(BASE_HOST, "GET", "/health/ready", 200, ""),
    "no health": Kind(BASE_HOST, "GET", "/health/x", 404, ""),
    "the base host": Kind(BASE_HOST, "GET", "/", 404, ""),
    "nobody's host": Kind("nobody", "GET", "/", 404, ""),
    "a closed portal": Kind("closed", "GET", "/", 503, ""),
    "a closed portal's deliveries": Kind("closed", "POST", "/webhooks/stripe", 403, ""),
    "a long address": Kind(LEFT, "GET", "/" + "x" * 5000, 414, ""),
    "a NUL": Kind(LEFT, "GET", "/%00", 404, ""),
}
ASSETS = ("the brand's stylesheet", "a picture")
#: A merchant's logo is in mails, which people read on other sites.
SHOWN_ELSEWHERE = ["cross-origin-resource-policy-implemented-with-same-origin"]


async def answer_of(secure: Secure, kind: Kind) -> httpx.Response:
    twin = secure.twins.right if kind.label == RIGHT else secure.twins.left
    ids = await ids_of(twin, "ada") | {"scale": twin.shop.prices["scale"]}
    session = await twin.session(kind.who) if kind.who else ""
    async with secure.client(kind.label, session) as client:
        answer = await client.request(kind.method, kind.path.format_map(ids))
    assert answer.status_code == kind.status, answer.text
    return answer


@pytest.mark.parametrize("name", KINDS)
async def test_every_kind_of_answer_gets_the_best_mark(secure: Secure, name: str) -> None:
    answer = await answer_of(secure, KINDS[name])
    assert failed(answer) == (SHOWN_ELSEWHERE if name == "a picture" else [])
    assert len(policies(answer)) == 1
    assert answer.headers.get_list("x-frame-options") == ["DENY"]
    assert answer.headers.get_list("cross-origin-opener-policy") == ["same-origin"]
    assert re.fullmatch("[0-9a-f]{16}", answer.headers["x-request-id"])


@pytest.mark.parametrize("key", TABLE)
async def test_every_route_gets_the_best_mark_in_every_theme(secure: Secure, key: str) -> None:
    """Asked by nobody, by a customer and by a form that is not ours."""
    method, path = key.split(" ")
    for label, twin in ((LEFT, secure.twins.left), (RIGHT, secure.twins.right)):
        ids = await ids_of(twin, "ada")
        for session in ("", await twin.session("ada")):
            async with secure.client(label, session) as client:
                answer = await client.request(method, path.format_map(ids))
            assert answer.status_code < 500
            assert failed(answer) == (SHOWN_ELSEWHERE if "/pictures/" in path else [])
            kept = "public, max-age=31536000, immutable" if "/assets/" in path else "no-store"
            assert answer.headers.get_list("cache-control") == [kept]


@pytest.mark.parametrize("name", KINDS)
async def test_only_what_is_named_by_its_content_is_kept(secure: Secure, name: str) -> None:
    """No proxy keeps a page, a redirect or an error, whatever host or language it was made for."""
    answer = await answer_of(secure, KINDS[name])
    kept = "public, max-age=31536000, immutable" if name in ASSETS else "no-store"
    assert answer.headers.get_list("cache-control") == [kept]
    if name in ASSETS:
        assert "set-cookie" not in answer.headers
    assert len(answer.headers.get_list("content-type")) <= 1
    assert answer.headers.get("content-type", "").count("charset") <= 1


async def test_a_signed_in_browser_and_its_assets_add_up_to_the_highest_score(
    secure: Secure,
) -> None:
    assert BASE + sum(rule.bonus for rule in RULES) == 135
    async with secure.client(LEFT) as browser:
        answers = await _sign_in(browser, secure.twins.left)
        page = await browser.get("/")
        assert page.status_code == 200
        for path in re.findall(r'(?:src|href)="(/assets/[^"]+)"', page.text):
            answers.append(await browser.get(path))
    assert len(answers) > 6
    given = [cookie for it in answers for cookie in it.headers.get_list("set-cookie")]
    names = {cookie.partition("=")[0] for cookie in given}
    assert names == {"__Host-guichet-browser", "__Host-guichet-session"}
    for answer in [*answers, page]:
        is_picture = "/assets/pictures/" in answer.url.path
        assert failed(answer) == (SHOWN_ELSEWHERE if is_picture else []), answer.url


async def _sign_in(browser: httpx.AsyncClient, twin: Twin) -> list[httpx.Response]:
    """Grace signs in; answers every answer of ours on the way."""
    choose = await browser.get("/sign-in")
    started = await browser.get(f"/sign-in/{twin.provider.id}")
    async with httpx.AsyncClient(trust_env=False) as elsewhere:
        consented = await elsewhere.get(started.headers["location"])
    back = urlsplit(consented.headers["location"])
    assert (back.scheme, back.netloc) == ("https", f"{LEFT}.{DOMAIN}")
    finished = await browser.get(f"{back.path}?{back.query}")
    assert finished.status_code == 303, finished.text
    return [choose, started, finished]


async def test_plain_http_on_localhost_promises_no_https(twins: Twins) -> None:
    """RFC 6797 section 7.2; and a cookie for HTTPS alone would never come back."""
    async with twins.left.browser("ada") as ada:
        answers = [await ada.get(path) for path in ("/", "/no-such-page", "/language/en")]
    for answer in answers:
        assert failed(answer) in (
            ["hsts-implemented-max-age-at-least-six-months"],
            [
                "cookies-secure-with-httponly-sessions-and-samesite",
                "hsts-implemented-max-age-at-least-six-months",
            ],
        )
        assert "strict-transport-security" not in answer.headers
        for cookie in answer.headers.get_list("set-cookie"):
            assert "secure" not in cookie.lower()
            assert {"httponly", "samesite=lax"} <= set(cookie.lower().split("; "))


async def test_a_session_over_https_is_not_taken_from_the_plain_cookie(secure: Secure) -> None:
    session = await secure.twins.left.session("ada")
    async with secure.client(LEFT) as browser:
        browser.cookies.set("guichet-session", session)
        assert (await browser.get("/")).status_code == 303


async def test_forms_over_https_come_from_https(secure: Secure) -> None:
    async with secure.client(LEFT, await secure.twins.left.session("ada")) as browser:
        page = await browser.get("/invoices")
        csrf = re.search(r'name="csrf" value="([^"]+)"', page.text)
        assert csrf is not None
        for origin, status in (
            (f"http://{LEFT}.{DOMAIN}", 403),
            (f"https://{RIGHT}.{DOMAIN}", 403),
            (f"https://{LEFT}.{DOMAIN}:444", 403),
            (f"https://{LEFT}.{DOMAIN}", 303),
        ):
            form = {"csrf": csrf[1]}
            answer = await browser.post("/sign-out", data=form, headers={"origin": origin})
            assert answer.status_code == status, origin
