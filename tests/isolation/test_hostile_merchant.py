"""A merchant, or one of its customers, whose every text attacks whoever reads it."""

import re
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from email import message_from_bytes, policy
from html.parser import HTMLParser
from typing import NamedTuple
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import msgspec
import pytest

from guichet.auth.mail_links import Purpose, make_link_token
from guichet.auth.sessions import open_session
from guichet.billing.importing import import_tenant
from guichet.db import Unit
from guichet.mail_servers import MailServer
from guichet.messages.claiming import claim
from guichet.messages.kinds import KINDS, Kind
from guichet.messages.looks import MailBrands
from guichet.messages.queueing import queue_message
from guichet.messages.routing import SMTP_URL, Route, Router
from guichet.messages.writing import Writer
from guichet.payments.choose import SECRET_KEY
from tenants.agencies import add_agency
from tenants.assets import store_asset
from tenants.branding import Branding, Colours, Link
from tenants.catalog import Plan
from tenants.checks import InvalidConfiguration, read_document
from tenants.configuration import Configuration, publish
from tenants.identity_providers import IdentityProvider
from tenants.mails import Mails
from tenants.tenant import add_tenant
from tenants.unusable_pictures import UnusablePicture
from tests.isolation.asking import client_of
from tests.isolation.twins import Twins
from tests.shops import open_shop
from tests.tenancy.waiting import until

#: Closes whatever it may stand in: an attribute, a tag, a script, a style, a template.
ATTACK = (
    "\"'></title></style></script><script>alert(1)</script><img src=x onerror=alert(1)>"
    "{{ 7*7 }}{% include 'layout.html' %}%(x)s</a><base href=//evil.example>"
)
#: Past the checks: ends the address, and begins another command and header where it can.
SENDER = "x@evil.example>\tSIZE=1, Bcc: <all@evil.example"
LINKS = (
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    " javascript:alert(1)",
    "java\tscript:alert(1)",
    "java\nscript:alert(1)",
    "\x01javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:x",
    "//evil.example",
    "/sign-out",
    "https:evil.example",
    "blob:https://evil.example/x",
    "file:///etc/passwd",
    "",
)
HONEST = Link("Terms", "https://honest.example/terms")


PATHS = (
    "/",
    "/subscriptions/{subscription}",
    "/subscriptions/{subscription}/change",
    "/subscriptions/{subscription}/change/review?price={price}",
    "/subscriptions/{subscription}/cancel",
    "/invoices",
    "/invoices/{invoice}/pay",
    "/payment-methods",
    "/preferences",
    "/fix/{fix}",
    "/unsubscribe/{unsubscribe}",
    "/unsubscribe/no-such-link",
    "/no-such-page",
    "/sign-in",
    "/sign-in/x",
    "/sign-in/x/callback",
)


class Hostile(NamedTuple):
    """The hostile merchant, and a customer's session and subscription there."""

    twins: Twins
    tenant_id: UUID
    session: str
    subscription_id: str
    price_id: str
    invoice_id: str
    #: By kind, a mail to the customer that has every fact.
    mails: dict[Kind, UUID]

    async def publish(self, theme: str) -> None:
        """Publish the attack past the checks that a merchant's document has to pass."""
        deployment = self.twins.deployment
        async with deployment.db.unit(self.tenant_id) as unit:
            document = configuration(self.price_id, theme)
            version = await publish(unit.connection, self.tenant_id, document, ATTACK)
        await until(lambda: self._version() == version)

    def link(self, purpose: Purpose, kind: Kind) -> str:
        keys = self.twins.deployment.settings.master_keys
        return make_link_token(keys, self.tenant_id, self.mails[kind], purpose)

    def _version(self) -> int:
        entry = self.twins.deployment.directory.by_id(self.tenant_id)
        return entry.published_version if entry else 0

    def client(self, session: str = "") -> httpx.AsyncClient:
        return client_of(self.twins.edge, "http://hostile.localhost:8000", session)


def configuration(price_id: str, theme: str) -> Configuration:
    return Configuration(
        locale=ATTACK,
        branding=Branding(
            theme=theme,
            light=Colours(accent="red;}body{background:url(//evil.example)}", text=ATTACK),
            dark=Colours(background="#000000;--x:url(//evil.example)", surface=ATTACK),
            scheme=ATTACK,
            font=ATTACK,
            radius=10**9,
            logo=f"../../{ATTACK}",
            headline={"en": ATTACK, "fr": ATTACK},
            links=(HONEST, *(Link(ATTACK, url) for url in LINKS)),
            css="@import '//evil.example'; </style><script>alert(1)</script>",
        ),
        plans=(Plan(price_id, {"en": ATTACK, "fr": ATTACK}),),
        identity_providers=(IdentityProvider("x", ATTACK, "http://127.0.0.1:1", ATTACK),),
        support_email=f"{ATTACK}@evil.example",
        mails=Mails(sender_name=ATTACK[:120], sender_address=SENDER),
    )


@pytest.fixture(scope="module")
async def hostile(twins: Twins) -> Hostile:
    """A tenant, its account at the provider, and a customer with a subscription."""
    deployment = twins.deployment
    key = f"sk_test_{secrets.token_hex(12)}"
    async with open_shop(deployment.settings.stripe_url, key) as shop:
        await shop.sdk.products.update_async(shop.product, {"name": ATTACK})
        customer_id = await shop.add_customer("mallory@example.com")
        await shop.sdk.customers.update_async(customer_id, {"name": ATTACK})
        subscription = await shop.subscribe(customer_id)
        price_id = shop.larger
    async with deployment.db.system() as connection:
        agency = await add_agency(connection, "hostile-agency", ATTACK)
        tenant = await add_tenant(connection, agency, "hostile", ATTACK)
    async with deployment.db.unit(tenant.id) as unit:
        await deployment.vault.store(unit.connection, tenant.id, SECRET_KEY, key)
    provider = await deployment.providers.client(tenant.id)
    await import_tenant(deployment.db, provider, tenant.id)
    invoice_id = str(subscription.latest_invoice)
    async with deployment.db.unit(tenant.id) as unit:
        session = await open_session(unit, customer_id, ATTACK, ATTACK)
        mails = {kind: await _queue(unit, customer_id, kind, invoice_id) for kind in KINDS}
    return Hostile(twins, tenant.id, session, subscription.id, price_id, invoice_id, mails)


async def _queue(unit: Unit, customer_id: str, kind: Kind, invoice_id: str) -> UUID:
    """Queue a mail in which every text attacks."""
    texts = ("invoice_number", "plan", "previous_plan", "reason", "last4", "brand", "asks_for")
    facts: dict[str, object] = dict.fromkeys(texts, ATTACK) | {
        "invoice_id": invoice_id,
        "subscription_id": f"../..//evil.example/{ATTACK}",
        "amount": {"amount": -(10**15), "currency": "usd"},
        "exp_month": -1,
        "exp_year": 10**9,
    }
    message_id = await queue_message(unit, kind, customer_id, kind, facts, datetime.now(UTC))
    assert message_id is not None
    return UUID(message_id)


class Page(HTMLParser):
    """A page as a browser takes it apart."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.words = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        self.words += data

    def addresses(self) -> Iterator[str]:
        for _, attributes in self.tags:
            for name in ("href", "src", "action", "formaction", "srcset", "poster", "data"):
                if name in attributes:
                    yield attributes[name]


def check(page: Page) -> None:
    """Nothing in it runs but our one script, and nothing is loaded or sent elsewhere."""
    for tag, attributes in page.tags:
        assert tag not in ("base", "iframe", "object", "embed", "style"), tag
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
        assert tag != "meta" or "http-equiv" not in attributes
        if tag in ("script", "link", "img", "form", "source"):
            address = attributes.get("src") or attributes.get("href") or attributes.get("action")
            assert re.match(r"/(?!/)", address or "/x"), attributes
    for address in page.addresses():
        assert urlsplit(address).scheme in ("", "https", "http", "mailto"), address
        assert address == HONEST.url or address.startswith(("/", "#", "mailto:")), address
        assert not address.startswith("//"), address
    assert "49" not in re.findall(r"\b49\b", page.words)


@pytest.mark.parametrize("theme", ["plain", "hearth", "current", "platform", "../platform"])
@pytest.mark.parametrize("language", ["en", "fr"])
async def test_no_text_of_a_merchant_or_customer_runs_or_loads_anything(
    hostile: Hostile, theme: str, language: str
) -> None:
    await hostile.publish(theme)
    for path in PATHS:
        session = "" if path.startswith("/sign-in") else hostile.session
        async with hostile.client(session) as client:
            client.headers["accept-language"] = language
            answer = await client.get(
                path.format(
                    subscription=hostile.subscription_id,
                    price=hostile.price_id,
                    invoice=hostile.invoice_id,
                    fix=hostile.link("fix", "payment_failed"),
                    unsubscribe=hostile.link("unsubscribe", "receipt"),
                )
            )
        assert answer.status_code in (200, 400, 404, 503), answer.text
        page = Page(answer.text)
        check(page)
        # The text is shown as it is: escaped once, neither swallowed nor taken for a template.
        assert ATTACK in page.words
        assert HONEST.url in list(page.addresses())


@pytest.mark.parametrize("theme", ["plain", "hearth", "current", "platform", "../platform"])
async def test_no_text_of_a_merchant_runs_or_leads_away_in_a_mail(
    hostile: Hostile, theme: str
) -> None:
    await hostile.publish(theme)
    deployment = hostile.twins.deployment
    entry = deployment.directory.by_id(hostile.tenant_id)
    assert entry is not None
    brand = await MailBrands(deployment.db, deployment.directory, deployment.pages).brand(entry)
    writer = Writer(deployment.settings, deployment.directory, deployment.pages)
    route = Route(MailServer(host="127.0.0.1", port=25, tls="none"), False, "mail@guichet.example")
    await release(hostile)
    claimed = await claim(deployment.db, hostile.tenant_id, ())
    for mail in claimed:
        written = writer.write(entry, brand, route, mail)
        read = message_from_bytes(written.content, policy=policy.default)
        assert written.recipient == read["to"] == "mallory@example.com"
        assert read["from"].addresses[0].addr_spec == "mail@guichet.example"
        assert not {"bcc", "cc", "sender", "reply-to"} & {name.lower() for name in read}
        html = read.get_body(("html",))
        assert html is not None
        page = Page(html.get_content())
        tags = {tag for tag, _ in page.tags}
        assert not tags & {"script", "base", "img", "iframe", "link", "form", "svg", "object"}
        assert not [name for _, given in page.tags for name in given if name.startswith("on")]
        ours = ("http://hostile.localhost:8000/", HONEST.url, "mailto:")
        assert [it for it in page.addresses() if not it.startswith(ours)] == []
        assert "url(" not in html.get_content()
        assert "@import" not in html.get_content()
        assert "49" not in re.findall(r"\b49\b", page.words)
    assert len(claimed) == len(KINDS)


async def release(hostile: Hostile) -> None:
    """Let anybody claim the mails, whoever did before."""
    async with hostile.twins.deployment.db.unit(hostile.tenant_id) as unit:
        await unit.execute(
            "update messages set due_at = now() where tenant_id = $1 and due_at is not null",
            hostile.tenant_id,
        )


async def test_a_merchants_server_is_told_no_address_that_is_none(hostile: Hostile) -> None:
    await hostile.publish("plain")
    deployment = hostile.twins.deployment
    entry = deployment.directory.by_id(hostile.tenant_id)
    assert entry is not None
    settings = msgspec.structs.replace(deployment.settings, mail_from="mail@guichet.example")
    async with deployment.db.unit(hostile.tenant_id) as unit:
        url = "smtps://mail.evil.example"
        await deployment.vault.store(unit.connection, hostile.tenant_id, SMTP_URL, url)
    document = (await deployment.directory.published(entry)).configuration
    route = await Router(settings, deployment.db, deployment.vault).find(entry, document)
    assert route is not None
    assert (route.server.host, route.sender) == ("mail.evil.example", "mail@guichet.example")


async def test_a_merchants_colours_and_css_stay_inside_their_stylesheet(hostile: Hostile) -> None:
    await hostile.publish("plain")
    async with hostile.client() as client:
        page = await client.get("/sign-in")
        sheets = re.findall(r'<link rel="stylesheet" href="([^"]+)"', page.text)
        brand = await client.get(sheets[-1])
    assert brand.status_code == 200
    assert "evil" not in brand.text
    assert "url(" not in brand.text
    assert "@import" not in brand.text
    assert "<" not in brand.text


@pytest.mark.parametrize("url", LINKS)
def test_a_link_that_runs_something_is_not_published(url: str) -> None:
    document = msgspec.json.encode(Configuration(branding=Branding(links=(Link("Terms", url),))))
    with pytest.raises(InvalidConfiguration, match=r"links\[0\]"):
        read_document(document)


@pytest.mark.parametrize(
    "svg",
    [
        "<script>alert(1)</script>",
        '<image href="https://evil.example/x.png"/>',
        '<rect onload="alert(1)"/>',
        "<foreignObject><body/></foreignObject>",
        '<a href="javascript:alert(1)"><rect/></a>',
        "<style>@import 'https://evil.example'</style>",
        '<rect fill="url(https://evil.example/#x)"/>',
        '<use href="data:image/svg+xml,x"/>',
    ],
)
async def test_a_picture_that_runs_or_loads_something_is_not_kept(twins: Twins, svg: str) -> None:
    body = f'<svg xmlns="http://www.w3.org/2000/svg">{svg}</svg>'.encode()
    with pytest.raises(UnusablePicture):
        async with twins.deployment.db.unit(twins.left.tenant_id) as unit:
            await store_asset(unit.connection, twins.left.tenant_id, body, "image/svg+xml")
