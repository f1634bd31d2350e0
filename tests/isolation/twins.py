"""Two merchants alike in everything, except that every text of each carries its own mark."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import NamedTuple
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import httpx
import msgspec

from guichet.app import create_app
from guichet.auth.client_secrets import keep_client_secret
from guichet.auth.mail_links import Purpose, make_link_token
from guichet.auth.sessions import open_session
from guichet.billing.books import check_books
from guichet.billing.news import follow_news
from guichet.billing.reconciling import reconcile
from guichet.demo.merchants import LUMEN, Merchant, logo
from guichet.deployment import Deployment
from guichet.edge.entrance import Edge
from guichet.messages.kinds import Kind
from guichet.messages.queueing import queue_message
from guichet.metrics.figures import count_figures
from guichet.settings import Settings
from tenants.assets import store_asset
from tenants.branding import Link
from tenants.configuration import Configuration, load_published, publish
from tenants.hosts import add_host
from tenants.identity_providers import IdentityProvider
from tests.auth.hostile_provider import HostileProvider
from tests.isolation.staff_traces import work_in_the_console
from tests.portal.shop import Customer, Shop, add_shop, left_for
from tests.tenancy.waiting import until

MARKS = ("quartzine", "basaltine")
PEOPLE = ("ada", "grace", "linus", "zoe")

#: Whose email is the same at both twins: one person may be the customer of two merchants.
AT_BOTH = "linus"


class Twin(NamedTuple):
    """One of the two, with the ids of what belongs to it."""

    mark: str
    shop: Shop
    #: The provider's ids by the people's first names.
    customers: dict[str, str]
    #: A finished change of Ada's.
    request_id: UUID
    logo: str
    provider: IdentityProvider

    @property
    def origin(self) -> str:
        return self.shop.origin

    @property
    def tenant_id(self) -> UUID:
        return self.shop.tenant_id

    async def session(self, who: str) -> str:
        """The token of a new session of one of the people."""
        async with self.shop.deployment.db.unit(self.tenant_id) as unit:
            return await open_session(unit, self.customers[who], "test", "a test")

    @asynccontextmanager
    async def browser(self, who: str = "", language: str = "en") -> AsyncIterator[Customer]:
        """A browser at this twin's portal, signed in as `who` or as nobody."""
        async with self.shop.visitor() as browser:
            browser.client.headers["accept-language"] = language
            if who:
                browser.client.cookies.set("guichet-session", await self.session(who))
                browser.customer_id = self.customers[who]
            yield browser


class Twins(NamedTuple):
    """A deployment with the two, and nobody else."""

    edge: Edge
    deployment: Deployment
    left: Twin
    right: Twin


def identity_provider(mark: str) -> HostileProvider:
    """A provider of one twin's own, which knows its customer Grace."""
    provider = HostileProvider(f"{mark}-portal", f"secret-of-{mark}")
    provider.user = {"sub": f"{mark}-1", "email": f"grace@{mark}.example", "email_verified": True}
    return provider


@asynccontextmanager
async def open_twins(settings: Settings, issuers: dict[str, str]) -> AsyncIterator[Twins]:
    """Open a deployment on an empty database, and give both twins a year and a visitor."""
    edge = create_app(settings)
    async with edge.lifespan() as deployment:
        left = await _add_twin(edge, deployment, MARKS[0], "hearth", issuers)
        right = await _add_twin(edge, deployment, MARKS[1], "current", issuers)
        yield Twins(edge, deployment, left, right)


def _merchant(mark: str, theme: str) -> Merchant:
    """Lumen, with the mark in its every text."""
    name = mark.title()
    branding = msgspec.structs.replace(
        LUMEN.branding,
        theme=theme,
        headline={"en": f"Yours at {name}", "fr": f"À vous chez {name}"},
        links=(Link(f"Terms of {name}", f"https://{mark}.example/terms"),),
    )
    offers = [
        it._replace(product=f"{name} {it.product}", english=f"{name}: {it.english}")
        for it in LUMEN.offers
    ]
    return LUMEN._replace(
        slug=mark,
        name=name,
        offers=tuple(offers),
        branding=branding,
        support_email=f"help@{mark}.example",
    )


async def _add_twin(
    edge: Edge, deployment: Deployment, mark: str, theme: str, issuers: dict[str, str]
) -> Twin:
    shop = await add_shop(edge, deployment, _merchant(mark, theme))
    customers = {who: await shop.customer_id(who) for who in PEOPLE}
    await _rename(shop, customers)
    provider = IdentityProvider(
        f"{mark}-id", f"{mark.title()} account", issuers[mark], f"{mark}-portal"
    )
    twin = Twin(mark, shop, customers, uuid4(), await _publish(shop, provider), provider)
    await _leave_traces(twin)
    return twin._replace(shop=await work_in_the_console(shop))


async def _rename(shop: Shop, customers: dict[str, str]) -> None:
    """Mark the customers at the provider, and bring its copies and its events here."""
    mark = shop.merchant.slug
    for who, customer_id in customers.items():
        email = f"{who}@example.com" if who == AT_BOTH else f"{who}@{mark}.example"
        await shop.stripe.v1.customers.update_async(
            customer_id, {"name": f"{who.title()} {mark.title()}", "email": email}
        )
    provider = await shop.deployment.providers.client(shop.tenant_id)
    for _ in range(2):
        await reconcile(shop.deployment.db, provider, shop.tenant_id, every=timedelta(0))


async def _publish(shop: Shop, provider: IdentityProvider) -> str:
    """Publish the logo and the way to sign in; answers the logo's id."""
    deployment, tenant_id, mark = shop.deployment, shop.tenant_id, shop.merchant.slug
    async with deployment.db.system() as connection:
        await add_host(connection, tenant_id, f"portal.{mark}.example")
    async with deployment.db.unit(tenant_id) as unit:
        connection = unit.connection
        picture = logo(shop.merchant, dark=False)
        picture_id = await store_asset(connection, tenant_id, picture, "image/svg+xml")
        owner = f"owner@{mark}.example"
        await keep_client_secret(unit, deployment.vault, provider, f"secret-of-{mark}", owner)
        published = (await load_published(connection, tenant_id)).configuration
        configuration = msgspec.structs.replace(
            published,
            branding=msgspec.structs.replace(published.branding, logo=picture_id),
            identity_providers=(provider,),
        )
        version = await publish(connection, tenant_id, configuration, owner)
    await until(lambda: _version(shop) == version)
    return picture_id


def _version(shop: Shop) -> int:
    entry = shop.deployment.directory.by_id(shop.tenant_id)
    return entry.published_version if entry else 0


async def _leave_traces(twin: Twin) -> None:
    """Have customers use everything once, so that no table of a tenant is empty.

    Ada has cancelled and kept her plan, Grace has signed in, Zoé has chosen French and gone to
    give a card, and somebody has begun to sign in. Of what has changed at the provider the books
    tell.
    """
    await _differ(twin)
    async with twin.browser("ada") as ada:
        path = f"/subscriptions/{(await ids_of(twin, 'ada'))['subscription_id']}"
        page = (await ada.get(f"{path}/cancel")).text
        csrf = csrf_of(page)
        # What the page said, so that nothing else is done.
        (terms,) = re.findall(r'name="terms" value="([^"]+)"', page)
        form = {"csrf": csrf, "token": str(twin.request_id), "terms": terms}
        assert (await ada.post(f"{path}/cancel", form)).status_code == 303
        assert (await ada.post(f"{path}/keep", {"csrf": csrf})).status_code == 303
    async with twin.browser("zoe") as zoe:
        assert (await zoe.get("/language/fr")).status_code == 303
        form = {"csrf": csrf_of((await zoe.get("/payment-methods")).text)}
        assert left_for(await zoe.post("/payment-methods", form))
    await _fail_to_pay(twin)
    await follow_news(twin.shop.deployment.db, twin.tenant_id, Configuration())
    await count_figures(twin.shop.deployment.db, twin.tenant_id)
    async with twin.browser() as grace, httpx.AsyncClient(trust_env=False) as elsewhere:
        for _ in range(2):
            started = await grace.get(f"/sign-in/{twin.provider.id}")
        consented = await elsewhere.get(started.headers["location"])
        back = urlsplit(consented.headers["location"])
        entered = await grace.get(f"{back.path}?{back.query}")
        assert (entered.status_code, entered.headers["location"]) == (303, "/"), entered.text


async def _fail_to_pay(twin: Twin) -> None:
    """Have Grace try to pay what she owes, be declined, and want no more receipts."""
    async with twin.browser("grace") as grace:
        page = (await grace.get("/")).text
        debt = re.search(r'href="(/invoices/[^/]+/pay)"', page)
        assert debt is not None
        form = (await grace.get(debt[1])).text
        token = re.search(r'name="token" value="([^"]+)"', form)
        declined = await twin.shop.stripe.v1.customers.retrieve_async(twin.customers["grace"])
        assert token is not None
        assert declined.invoice_settings is not None
        paid = {
            "csrf": csrf_of(form),
            "token": token[1],
            "method": str(declined.invoice_settings.default_payment_method),
        }
        answer = await grace.post(debt[1], paid)
        assert answer.status_code == 303, answer.text
    unsubscribed = await link_of(twin, "grace", "unsubscribe", "in_none")
    async with twin.browser() as program:
        assert (await program.post(f"/unsubscribe/{unsubscribed}", {})).status_code == 200


async def _differ(twin: Twin) -> None:
    """Have the books tell of a name that was never delivered, and leave it so."""
    db, shop = twin.shop.deployment.db, twin.shop
    await shop.stripe.v1.customers.update_async(
        twin.customers["zoe"], {"name": f"Zoe {twin.mark.title()} the Second"}
    )
    provider = await shop.deployment.providers.client(twin.tenant_id)
    books = await check_books(db, provider, twin.tenant_id, repair=False, rate=1000, settle_s=0)
    assert books is not None
    assert books.remaining


def csrf_of(page: str) -> str:
    """The token of a page's forms."""
    found = re.search(r'name="csrf" value="([^"]+)"', page)
    assert found, "no form in this page"
    return unescape(found[1])


async def link_of(twin: Twin, who: str, purpose: Purpose, invoice_id: str) -> str:
    """The token in a mail to one of the people, who get one of each kind."""
    deployment, key = twin.shop.deployment, f"{purpose}:{who}"
    kind: Kind = "payment_failed" if purpose == "fix" else "receipt"
    facts: dict[str, object] = {"invoice_id": invoice_id, "plan": twin.mark}
    async with deployment.db.unit(twin.tenant_id) as unit:
        await queue_message(unit, kind, twin.customers[who], key, facts, datetime.now(UTC))
        message_id = await unit.fetchval(
            "select id from messages where tenant_id = $1 and key = $2", twin.tenant_id, key
        )
    return make_link_token(deployment.settings.master_keys, twin.tenant_id, message_id, purpose)


async def ids_of(twin: Twin, who: str) -> dict[str, str]:
    """What stands in a path for things of a customer's, and of the tenant's own."""
    async with twin.shop.deployment.db.unit(twin.tenant_id) as unit:
        row = await unit.fetchrow(
            """
            select
              invoice.subscription_id,
              invoice.id as invoice_id,
              customer.default_payment_method_id as method_id
            from invoices as invoice
            join customers as customer
              on customer.tenant_id = invoice.tenant_id
              and customer.id = invoice.customer_id
            where invoice.tenant_id = $1
            and invoice.customer_id = $2
            and invoice.status = 'paid'
            and invoice.total > 0
            order by invoice.created_at desc
            limit 1
            """,
            twin.tenant_id,
            twin.customers[who],
        )
    assert row is not None
    async with twin.browser() as visitor:
        page = (await visitor.get("/sign-in")).text
    sheet = re.search(r'href="/assets/([0-9a-f]+)/brand\.css[?"]', page)
    assert sheet is not None
    return dict(row) | {
        "method_id": row["method_id"],
        "fix_token": await link_of(twin, who, "fix", row["invoice_id"]),
        "mail_token": await link_of(twin, who, "unsubscribe", row["invoice_id"]),
        "request_id": str(twin.request_id),
        "picture_id": twin.logo,
        "provider_id": twin.provider.id,
        "folder": sheet[1],
        "name": "brand.css",
        "language": "fr",
    }
