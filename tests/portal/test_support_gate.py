"""A support view changes nothing: every route of the portal is asked, and the database compared."""

import re
from uuid import uuid4

import httpx
import pytest
from litestar.handlers import HTTPRouteHandler

from guichet.app import portal_app
from guichet.db import Database, Unit
from tests.portal.looking import hire
from tests.portal.shop import Shop

#: What a support view shows. Whoever adds a page writes here whether it only reads.
READS = {
    "/",
    "/subscriptions/{subscription_id:str}",
    "/subscriptions/{subscription_id:str}/change",
    "/subscriptions/{subscription_id:str}/change/review",
    "/subscriptions/{subscription_id:str}/changes/{request_id:uuid}",
    "/subscriptions/{subscription_id:str}/cancel",
    "/invoices",
    "/invoices/{invoice_id:str}/pdf",
    "/invoices/{invoice_id:str}/receipt",
    "/invoices/{invoice_id:str}/pay",
    "/payment-methods",
    "/payment-methods/{method_id:str}/remove",
    "/preferences",
}
#: What is the same whoever asks, and the two ends of the view.
ALWAYS = {
    ("GET", "/assets/{folder:str}/{name:str}"),
    ("GET", "/assets/pictures/{picture_id:str}"),
    ("POST", "/support-view"),
    ("POST", "/support-view/end"),
}
ROUTES = sorted(
    (method, route.path)
    for route in portal_app().routes
    for handler in getattr(route, "route_handlers", ())
    if isinstance(handler, HTTPRouteHandler)
    for method in handler.http_methods
    if method != "OPTIONS"
)


async def _contents(db: Database, shop: Shop) -> dict[str, str]:
    """A fingerprint of every table of the merchant's, to the last column."""
    async with db.unit(shop.tenant_id) as unit:
        rows = await unit.fetch(
            """
            select relation.oid::regclass::text as name
            from pg_class as relation
            join pg_attribute as held
              on held.attrelid = relation.oid
              and held.attname = 'tenant_id'
            where relation.relkind = 'r'
            and relation.relnamespace = 'public'::regnamespace
            and has_table_privilege(relation.oid, 'select')
            """
        )
        return {row["name"]: await _fingerprint(unit, row["name"]) for row in rows}


async def _fingerprint(unit: Unit, table: str) -> str:
    text = "coalesce(md5(string_agg(held::text, ',' order by held::text)), '')"
    fingerprint: str = await unit.fetchval(f"select {text} from {table} as held")
    return fingerprint


async def _ids(shop: Shop) -> dict[str, str]:
    held = await shop.subscription("ada")
    customer = await shop.stripe.v1.customers.retrieve_async(await shop.customer_id("ada"))
    assert customer.invoice_settings is not None
    return {
        "subscription_id": held.id,
        "invoice_id": str(held.latest_invoice),
        "method_id": str(customer.invoice_settings.default_payment_method),
        "request_id": str(uuid4()),
        "language": "fr",
        "provider_id": "demo",
        "fix_token": "A" * 64,
        "mail_token": "A" * 64,
        "folder": "0" * 20,
        "name": "brand.css",
        "picture_id": "0" * 64,
        "price": shop.prices["scale"],
    }


async def _ask(
    client: httpx.AsyncClient, method: str, path: str, ids: dict[str, str]
) -> httpx.Response:
    address = re.sub(r"\{([a-z_]+):[a-z]+\}", lambda name: ids[name[1]], path)
    if method == "GET":
        return await client.get(address, params={"price": ids["price"]})
    own = {"origin": str(client.base_url).rstrip("/")}
    # With everything that any of our forms has, and a token that the browser's page might hold.
    fields = {"csrf": "A" * 43, "token": str(uuid4()), "locale": "fr", "to": "default"}
    return await client.post(address, data=fields, headers=own)


async def test_every_route_that_is_not_for_reading_is_refused_and_nothing_changes(
    shop: Shop,
) -> None:
    db, ids, helper = shop.deployment.db, await _ids(shop), await hire(shop)
    async with helper.looking("ada") as browser:
        before = await _contents(db, shop)
        assert before["sessions"] == before["sign_in_attempts"] == ""
        assert before["audit_log"]
        for method, path in ROUTES:
            if (method, path) in ALWAYS:
                continue
            answer = await _ask(browser.client, method, path, ids)
            is_refused = "Nothing can be changed here" in answer.text
            assert is_refused == (method != "GET" or path not in READS), (method, path)
            assert (answer.status_code == 403) == is_refused, (method, path)
            assert "set-cookie" not in answer.headers, (method, path)
            if answer.status_code != 303:
                assert 'class="deployment-mark' in answer.text, (method, path)
        assert await _contents(db, shop) == before


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "POST"])
async def test_what_is_no_route_is_marked_too(shop: Shop, method: str) -> None:
    helper = await hire(shop)
    async with helper.looking("ada") as browser:
        for path in ("/no-such-page", "/invoices"):
            answer = await browser.client.request(method, path)
            assert answer.status_code in (404, 405)
            assert 'class="deployment-mark' in answer.text


async def test_a_head_asks_for_no_more_than_a_get(shop: Shop) -> None:
    helper = await hire(shop)
    async with helper.looking("ada") as browser:
        assert (await browser.client.head("/")).status_code == 200
        assert (await browser.client.head("/payment-methods/added?session=x")).status_code == 403


async def test_pages_show_what_the_customer_sees_and_no_form_of_theirs_can_be_used(
    shop: Shop,
) -> None:
    helper = await hire(shop)
    paths = ["/", "/invoices", "/payment-methods", "/preferences"]
    async with helper.looking("grace") as browser, shop.signed_in("grace") as grace:
        debt = re.search(r'href="(/invoices/[^/]+/pay)"', (await grace.get("/")).text)
        assert debt is not None
        for path in (*paths, debt[1]):
            seen, own = (await browser.get(path)).text, (await grace.get(path)).text
            body = seen.partition('<div class="portal-page')[2]
            for heading in re.findall(r"<h[12][^>]*>[^<]+</h[12]>", own):
                assert heading in body, path
            forms = re.findall(r'<form\b[^>]*method="post".*?</form>', body, re.DOTALL)
            assert forms, path
            for form in forms:
                for control in re.findall(r"<(?:button|input|select|textarea)\b[^>]*>", form):
                    assert " disabled" in control, control
            assert 'href="/language/' not in seen
        review = await browser.get(f"/subscriptions/{(await shop.subscription('grace')).id}")
        assert review.status_code == 200
