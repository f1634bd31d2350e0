"""Errors, lists, expansion, metadata and the hosted pages, as Stripe answers them."""

from typing import Any

import httpx
import pytest
import stripe

from tests.stripe_sandbox.program import Account, Program
from tests.stripe_sandbox.shop import open_shop


@pytest.mark.parametrize(
    ("method", "path", "data", "status", "error"),
    [
        ("POST", "/v1/customers", {"nmae": "A"}, 400,
         {"type": "invalid_request_error", "code": "parameter_unknown", "param": "nmae"}),
        ("POST", "/v1/customers", {"address[zip]": "1"}, 400,
         {"code": "parameter_unknown", "param": "address[zip]"}),
        ("POST", "/v1/products", {}, 400, {"code": "parameter_missing", "param": "name"}),
        ("POST", "/v1/customers", {"balance": "x"}, 400,
         {"code": "parameter_invalid_integer", "param": "balance"}),
        ("GET", "/v1/customers/cus_none", None, 404,
         {"code": "resource_missing", "param": "id", "message": "No such customer: 'cus_none'"}),
        ("GET", "/v1/nothing", None, 404, {"type": "invalid_request_error"}),
        ("POST", "/v1/subscriptions", {"customer": "cus_none", "items[0][price]": "p"}, 400,
         {"code": "resource_missing", "param": "customer"}),
        ("GET", "/v1/customers?limit=101", None, 400, {"param": "limit"}),
        ("GET", "/v1/account?expand[0]=foo.bar", None, 400, {"param": "expand"}),
        ("POST", "/v1/payment_methods", {"type": "card", "card[number]": "1"}, 400,
         {"code": "incorrect_number"}),
    ],
)  # fmt: skip
async def test_refusals_have_stripes_shape(
    account: Account, method: str, path: str, data: Any, status: int, error: dict[str, str]
) -> None:
    answer = await account.http.request(method, path, data=data)
    found = answer.json()["error"]
    assert answer.status_code == status
    assert found == {**found, **error}
    assert answer.headers["request-id"].startswith("req_")
    assert found["message"]


@pytest.mark.parametrize("key", [None, "sk_live_abcdefghijklmnop", "nonsense-of-some-length"])
async def test_only_test_keys_open_an_account(sandbox: Program, key: str | None) -> None:
    headers = {"authorization": f"Bearer {key}"} if key else {}
    async with httpx.AsyncClient(base_url=sandbox.url, headers=headers) as client:
        answer = await client.get("/v1/account")
    assert answer.status_code == 401
    assert key is None or key not in answer.text


async def test_a_revoked_key_is_refused(account: Account) -> None:
    await account.set(revoked=True)
    with pytest.raises(stripe.AuthenticationError):
        await account.v1.customers.list_async()


async def test_a_card_that_is_declined_cannot_be_attached(account: Account) -> None:
    customer = await account.v1.customers.create_async()
    with pytest.raises(stripe.CardError) as refused:
        await account.v1.payment_methods.attach_async(
            "pm_card_visa_chargeDeclined", {"customer": customer.id}
        )
    assert refused.value.code == "card_declined"
    kept = await account.v1.payment_methods.attach_async(
        "pm_card_mastercard", {"customer": customer.id}
    )
    assert kept.card
    assert (kept.card.brand, kept.card.last4) == ("mastercard", "4444")


async def test_lists_are_paged_in_both_directions(account: Account) -> None:
    for number in range(7):
        await account.v1.customers.create_async({"name": str(number)})
    customers = account.v1.customers
    first = await customers.list_async({"limit": 3})
    assert [each.name for each in first.data] == ["6", "5", "4"]
    assert first.has_more
    second = await customers.list_async({"limit": 3, "starting_after": first.data[-1].id})
    assert [each.name for each in second.data] == ["3", "2", "1"]
    back = await customers.list_async({"limit": 2, "ending_before": second.data[0].id})
    assert ([each.name for each in back.data], back.has_more) == (["5", "4"], True)
    all_seven = await customers.list_async({"limit": 7})
    assert (len(all_seven.data), all_seven.has_more) == (7, False)
    everyone = [each.name async for each in (await customers.list_async()).auto_paging_iter()]
    assert everyone == ["6", "5", "4", "3", "2", "1", "0"]


async def test_customers_are_found_by_their_exact_email(account: Account) -> None:
    for email in ("a@example.com", "A@example.com", "b@example.com"):
        await account.v1.customers.create_async({"email": email})
    found = await account.v1.customers.list_async({"email": "a@example.com"})
    assert [each.email for each in found.data] == ["a@example.com"]


async def test_metadata_is_merged_key_by_key(account: Account) -> None:
    customers = account.v1.customers
    customer = await customers.create_async({"metadata": {"a": "1", "b": "2"}})
    changed = await customers.update_async(customer.id, {"metadata": {"b": "", "c": "3"}})
    assert changed.to_dict()["metadata"] == {"a": "1", "c": "3"}
    emptied = await customers.update_async(customer.id, {"metadata": ""})
    assert emptied.to_dict()["metadata"] == {}


async def test_an_update_tells_what_was_before(account: Account) -> None:
    customers = account.v1.customers
    customer = await customers.create_async({"name": "Ada", "address": {"city": "Paris"}})
    await customers.update_async(customer.id, {"name": "Grace"})
    await customers.update_async(customer.id, {"name": "Grace"})
    events = (await account.v1.events.list_async({"type": "customer.updated"})).data
    previous = [event.to_dict()["data"]["previous_attributes"] for event in events]
    assert previous == [{"name": "Ada"}]


async def test_a_deleted_customer_takes_the_subscriptions_along(account: Account) -> None:
    shop = await open_shop(account)
    subscription = await shop.subscribe(await shop.price(1_000))
    await account.v1.customers.delete_async(shop.customer)
    gone = await account.v1.customers.retrieve_async(shop.customer)
    assert gone.deleted
    found = await account.v1.subscriptions.retrieve_async(subscription.id)
    assert found.status == "canceled"


async def test_expanding_reaches_through_lists_and_leaves_what_is_stored(
    account: Account,
) -> None:
    shop = await open_shop(account)
    subscription = await shop.subscribe(await shop.price(1_000))
    expanded = await account.v1.subscriptions.retrieve_async(
        subscription.id,
        {"expand": ["latest_invoice.payments", "customer.invoice_settings.default_payment_method",
                    "items.data.price.product"]},
    )  # fmt: skip
    assert isinstance(expanded.latest_invoice, stripe.Invoice)
    assert expanded.latest_invoice.payments
    assert expanded.latest_invoice.payments.data[0].status == "paid"
    assert isinstance(expanded.customer, stripe.Customer)
    product = expanded.items.data[0].price.product
    assert isinstance(product, stripe.Product)
    assert product.name == "Basic"
    plain = await account.v1.subscriptions.retrieve_async(subscription.id)
    assert plain.customer == shop.customer


async def test_invoice_pdf_and_receipt_are_served_to_who_knows_the_address(
    account: Account,
) -> None:
    shop = await open_shop(account)
    await shop.subscribe(await shop.price(1_234))
    (invoice,) = await shop.invoices()
    (charge,) = await account.charges()
    async with httpx.AsyncClient() as visitor:
        page = await visitor.get(str(invoice.hosted_invoice_url))
        pdf = await visitor.get(str(invoice.invoice_pdf))
        receipt = await visitor.get(charge["receipt_url"])
        guessed = await visitor.get(str(invoice.hosted_invoice_url)[:-1] + "!")
    assert "$12.34" in page.text
    assert str(invoice.number) in page.text
    assert pdf.headers["content-type"] == "application/pdf"
    assert pdf.content.startswith(b"%PDF-1.4")
    assert pdf.content.rstrip().endswith(b"%%EOF")
    assert "•••• 4242" in receipt.text
    assert guessed.status_code == 404
