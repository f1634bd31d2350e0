"""Home, invoices, languages, pictures: what is shown, to whom, and what is not."""

import re

import pytest

from tests.portal.shop import Shop


@pytest.mark.parametrize(
    ("who", "words"),
    [
        ("ada", ["Starter", "$12.00", "Active", "4242"]),
        ("grace", ["Team", "Payment overdue"]),
        ("linus", ["Team", "Trial ends"]),
        ("zoe", ["Scale", "Ended"]),
    ],
)
async def test_home_shows_what_the_customer_has(shop: Shop, who: str, words: list[str]) -> None:
    async with shop.signed_in(who) as browser:
        page = await browser.get("/")
        assert page.status_code == 200
        for word in words:
            assert word in page.text, word


async def test_nobody_sees_home_without_signing_in(shop: Shop) -> None:
    async with shop.visitor() as visitor:
        page = await visitor.get("/")
        assert (page.status_code, page.headers["location"]) == (303, "/sign-in")
        deep = await visitor.get("/invoices")
        assert deep.headers["location"] == "/sign-in?next=/invoices"


async def test_invoices_are_paged_by_key_and_each_shown_once(shop: Shop) -> None:
    client = shop.stripe.v1
    async with shop.signed_in("ada") as ada:
        listed = await client.invoices.list_async({"customer": ada.customer_id, "limit": 100})
        expected = [invoice.number for invoice in listed.data]
        seen, path = [], "/invoices"
        while path:
            page = (await ada.get(path)).text
            seen += [number for number in expected if number and number in page]
            older = re.search(r'href="(/invoices\?after=[^"]+)"', page)
            path = older[1] if older else ""
        assert seen == expected


@pytest.mark.parametrize("key", ["x", "1-", "-in_1", "1" * 40 + "-in_1", "1-in_1'", "%00-in_1"])
async def test_a_malformed_key_is_no_page(shop: Shop, key: str) -> None:
    async with shop.signed_in("ada") as ada:
        assert (await ada.get(f"/invoices?after={key}")).status_code == 404


async def test_documents_lead_to_the_provider(shop: Shop) -> None:
    async with shop.signed_in("ada") as ada:
        invoices = await shop.stripe.v1.invoices.list_async({"customer": ada.customer_id})
        newest = invoices.data[0]
        pdf = await ada.get(f"/invoices/{newest.id}/pdf")
        assert (pdf.status_code, pdf.headers["location"]) == (303, newest.invoice_pdf)
        receipt = await ada.get(f"/invoices/{newest.id}/receipt")
        assert receipt.status_code == 303
        assert receipt.headers["location"].startswith(shop.deployment.settings.stripe_url)


async def test_another_customers_things_do_not_exist(shop: Shop) -> None:
    grace = await shop.subscription("grace")
    invoices = await shop.stripe.v1.invoices.list_async({"subscription": grace.id})
    async with shop.signed_in("ada") as ada:
        for path in (
            f"/subscriptions/{grace.id}",
            f"/subscriptions/{grace.id}/change",
            f"/subscriptions/{grace.id}/cancel",
            f"/subscriptions/{grace.id}/change/review?price={shop.prices['scale']}",
            f"/invoices/{invoices.data[0].id}/pdf",
            f"/invoices/{invoices.data[0].id}/receipt",
            f"/invoices/{invoices.data[0].id}/pay",
        ):
            assert (await ada.get(path)).status_code == 404, path


async def test_the_language_follows_the_customer_then_the_browser_then_the_tenant(
    shop: Shop,
) -> None:
    async with shop.signed_in("ada") as ada:
        assert '<html lang="en"' in (await ada.get("/")).text
        ada.client.headers["accept-language"] = "fr-CA, en;q=0.5"
        assert '<html lang="fr"' in (await ada.get("/")).text
        chosen = await ada.get("/language/en?next=/invoices")
        assert (chosen.status_code, chosen.headers["location"]) == (303, "/invoices")
        assert '<html lang="en"' in (await ada.get("/")).text
    async with shop.signed_in("ada") as elsewhere:
        elsewhere.client.headers["accept-language"] = "fr"
        assert '<html lang="en"' in (await elsewhere.get("/")).text


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "/\\evil.example"])
async def test_the_language_switch_leads_nowhere_else(shop: Shop, target: str) -> None:
    async with shop.visitor() as visitor:
        answer = await visitor.client.get("/language/fr", params={"next": target})
        assert answer.headers["location"] == "/"


async def test_assets_are_kept_for_ever_and_unknown_ones_do_not_exist(shop: Shop) -> None:
    async with shop.visitor() as visitor:
        page = (await visitor.get("/sign-in")).text
        sheets = re.findall(r'<link rel="stylesheet" href="([^"]+)"', page)
        assert len(sheets) >= 2
        for sheet in sheets:
            answer = await visitor.get(sheet)
            assert answer.status_code == 200
            assert answer.headers["content-type"] == "text/css; charset=utf-8"
            assert "immutable" in answer.headers["cache-control"]
        assert (await visitor.get("/assets/nothing/plain.css")).status_code == 404


async def test_the_routers_own_refusals_are_pages_of_the_tenant(shop: Shop) -> None:
    async with shop.visitor() as visitor:
        missing = await visitor.get("/no-such-page")
        assert missing.status_code == 404
        assert "Lumen" in missing.text
        wrong = await visitor.client.put("/invoices")
        assert wrong.status_code == 405
        assert "Lumen" in wrong.text
