"""A mail's link in the wrong hands or at the wrong time: other sessions, pages, orders, logs."""

from guichet.billing.mirror import draw_copy_no, write_copy
from tests.payments.hosted import type_card
from tests.portal.debts import charges_of, good_card
from tests.portal.shop import Customer, Shop, form_of, left_for
from tests.portal.test_fix import link_to, mailed, write_mail
from tests.portal.test_paying import PAID, path_of


async def book_of(shop: Shop, who: str) -> set[str]:
    """The methods that somebody has at the provider."""
    listed = await shop.stripe.v1.payment_methods.list_async(
        {"customer": await shop.customer_id(who)}
    )
    return {method.id for method in listed.data}


async def attempts_of(shop: Shop) -> int:
    async with shop.deployment.db.unit(shop.tenant_id) as unit:
        count: int = await unit.fetchval(
            """
            select count(*)
            from dunning_attempts
            where tenant_id = $1
            """,
            shop.tenant_id,
        )
    return count


async def test_whoever_is_signed_in_pays_the_links_invoice_with_its_customers_means(
    shop: Shop,
) -> None:
    async with mailed(shop) as (_, link, invoice_id), shop.signed_in("ada") as ada:
        before, others = await book_of(shop, "ada"), await charges_of(shop, "ada")
        page = (await ada.get(link)).text
        for word in ("Ada Lovelace", "ada@example.com", "/sign-out", 'href="/invoices'):
            assert word not in page, word
        form = form_of(page, link)
        own = form_of((await ada.get("/payment-methods")).text, "/payment-methods")
        assert (await ada.post(link, form | own)).status_code == 403
        assert (await ada.post(link, form | {"method": min(before)})).status_code == 404
        assert await attempts_of(shop) == 0
        assert PAID in (await ada.follow(link, form | {"method": await good_card(shop)})).text
        assert (await shop.stripe.v1.invoices.retrieve_async(invoice_id)).status == "paid"
        # She is who she was, and has what she had.
        assert "Ada Lovelace" in (await ada.get("/")).text
        assert (await book_of(shop, "ada"), await charges_of(shop, "ada")) == (before, others)


async def test_a_card_that_another_customer_entered_is_none_of_the_links(shop: Shop) -> None:
    async with mailed(shop) as (holder, link, invoice_id), shop.signed_in("ada") as ada:
        own = form_of((await ada.get("/payment-methods")).text, "/payment-methods")
        adas = await type_card(left_for(await ada.post("/payment-methods", own)))
        session = adas.partition("session=")[2]
        before, held = await charges_of(shop), await book_of(shop, "grace")
        assert (await holder.get(f"{link}/card?session={session}")).status_code == 404
        # Nor is one that was entered by the link a card of whoever is signed in.
        checkout = left_for(
            await holder.post(f"{link}/card", form_of((await holder.get(link)).text, link))
        )
        graces = await type_card(checkout)
        session = graces.partition("session=")[2]
        assert (await ada.get(f"/payment-methods/added?session={session}")).status_code == 404
        assert await charges_of(shop) == before
        assert len(await book_of(shop, "grace") - held) == 1
        assert (await shop.stripe.v1.invoices.retrieve_async(invoice_id)).status == "open"


async def test_a_link_of_a_paid_invoice_charges_nothing_and_takes_no_card(shop: Shop) -> None:
    async with mailed(shop) as (holder, link, invoice_id):
        form = form_of((await holder.get(link)).text, link) | {"method": await good_card(shop)}
        entered = await type_card(left_for(await holder.post(f"{link}/card", form)))
        assert PAID in (await holder.follow(link, form)).text
        before = (await charges_of(shop)).count("succeeded")
        again = form | {"token": "11111111-2222-4333-8444-555555555555"}
        assert (await holder.post(link, again)).headers["location"] == link
        assert "refresh" not in (await holder.post(f"{link}/card", form)).headers
        late = await holder.get(path_of(entered))
        assert late.headers["location"] == link
        assert (await charges_of(shop)).count("succeeded") == before
        assert (await shop.stripe.v1.invoices.retrieve_async(invoice_id)).status == "paid"


async def mirror_customer(shop: Shop, customer_id: str) -> None:
    """Bring a customer into the mirror, as the provider's event does."""
    provider = await shop.deployment.providers.client(shop.tenant_id)
    copy = await provider.fetch_customer(customer_id)
    assert copy is not None
    async with shop.deployment.db.unit(shop.tenant_id) as unit:
        await write_copy(unit, copy, await draw_copy_no(unit))


async def _is_over(shop: Shop, holder: Customer, link: str, form: dict[str, str]) -> None:
    """Every page of a link has ended, and nothing was tried."""
    for path in (link, f"{link}/card"):
        assert (await holder.post(path, form)).status_code == 410, path
    for path in ("", "/card?session=cs_test_none", f"/paid?payment={form['token']}"):
        assert (await holder.get(f"{link}{path}")).status_code == 410, path
    assert await attempts_of(shop) == 0


async def test_a_link_ends_with_its_customer(shop: Shop) -> None:
    async with mailed(shop) as (holder, link, _):
        form = form_of((await holder.get(link)).text, link) | {"method": await good_card(shop)}
        customer_id = await shop.customer_id("grace")
        await shop.stripe.v1.customers.delete_async(customer_id)
        await mirror_customer(shop, customer_id)
        await _is_over(shop, holder, link, form)


async def test_a_link_ends_when_its_customer_has_another_address(shop: Shop) -> None:
    async with mailed(shop) as (holder, link, _):
        form = form_of((await holder.get(link)).text, link) | {"method": await good_card(shop)}
        customer_id = await shop.customer_id("grace")
        for email, status in (("GRACE@example.com", 200), ("grace@new.example", 410)):
            await shop.stripe.v1.customers.update_async(customer_id, {"email": email})
            await mirror_customer(shop, customer_id)
            assert (await holder.get(link)).status_code == status, email
        await _is_over(shop, holder, link, form)


async def test_a_mail_about_nothing_to_pay_opens_nothing(shop: Shop) -> None:
    async with shop.visitor() as holder:
        link = await link_to(shop, await write_mail(shop, "in_that_never_was"))
        assert (await holder.get(link)).status_code == 404
