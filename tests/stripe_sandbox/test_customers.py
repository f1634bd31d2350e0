"""Customers: their tax ids, their balance, and what their invoices say of them."""

import pytest
import stripe

from tests.stripe_sandbox.program import Account
from tests.stripe_sandbox.shop import DAY, START, open_shop


@pytest.mark.parametrize(
    ("kind", "value", "country"),
    [
        ("eu_vat", "ATU12345678", "AT"),
        ("eu_vat", "DE123456789", "DE"),
        ("eu_vat", "EL123456789", "GR"),
        ("eu_vat", "ESA1234567Z", "ES"),
        ("eu_vat", "FRAB123456789", "FR"),
        ("eu_vat", "IE1234567AB", "IE"),
        ("eu_vat", "NL123456789B12", "NL"),
        ("eu_vat", "XI123456789", "GB"),
        ("gb_vat", "GB123456789", "GB"),
        ("us_ein", "12-3456789", "US"),
        ("ch_vat", "CHE-123.456.789 MWST", "CH"),
        ("ca_gst_hst", "123456789RT0002", "CA"),
        ("br_cnpj", "01.234.456/5432-10", "BR"),
        ("in_gst", "12ABCDE3456FGZH", "IN"),
        ("au_abn", "12345678912", "AU"),
        ("za_vat", "4123456789", "ZA"),
    ],
)
async def test_a_tax_id_of_its_types_form_is_taken(
    account: Account, kind: str, value: str, country: str
) -> None:
    customer = await account.v1.customers.create_async()
    tax_id = await account.v1.customers.tax_ids.create_async(
        customer.id,
        {"type": kind, "value": value},
    )
    assert (tax_id.value, tax_id.country, tax_id.customer) == (value, country, customer.id)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("eu_vat", "DE12345678"),
        ("eu_vat", "ZZ123456789"),
        ("gb_vat", "123456789"),
        ("us_ein", "1-3456789"),
        ("ch_vat", "CHE-123.456.789"),
    ],
)
async def test_a_tax_id_of_another_form_is_refused(account: Account, kind: str, value: str) -> None:
    customer = await account.v1.customers.create_async()
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await account.v1.customers.tax_ids.create_async(
            customer.id,
            {"type": kind, "value": value},
        )
    assert (refused.value.code, refused.value.param) == ("tax_id_invalid", "value")
    assert refused.value.user_message == f"Invalid value for {kind}."
    assert (await account.v1.customers.tax_ids.list_async(customer.id)).data == []


async def test_a_type_that_stripe_does_not_have_is_refused(account: Account) -> None:
    customer = await account.v1.customers.create_async()
    answer = await account.http.post(
        f"/v1/customers/{customer.id}/tax_ids", data={"type": "zz_vat", "value": "1"}
    )
    error = answer.json()["error"]
    assert (answer.status_code, error["param"]) == (400, "type")
    assert error["message"].startswith("Invalid type: must be one of ad_nrt, ")


@pytest.mark.parametrize(
    ("value", "verdict"),
    [("000000000", "verified"), ("111111111", "unverified"), ("222222222", "pending")],
)
async def test_the_magic_tax_ids_have_their_verdicts(
    account: Account, value: str, verdict: str
) -> None:
    customer = await account.v1.customers.create_async()
    made = await account.v1.customers.tax_ids.create_async(
        customer.id, {"type": "eu_vat", "value": value}
    )
    assert made.verification
    assert made.verification.status == "pending"
    kept = await account.v1.customers.tax_ids.retrieve_async(customer.id, made.id)
    assert kept.verification
    assert kept.verification.status == verdict
    told = (await account.v1.events.list_async({"type": "customer.tax_id.updated"})).data
    assert len(told) == (0 if verdict == "pending" else 1)


async def test_tax_ids_come_with_the_customer_and_go_alone(account: Account) -> None:
    customers = account.v1.customers
    customer = await customers.create_async(
        {
            "tax_id_data": [
                {"type": "eu_vat", "value": "DE123456789"},
                {"type": "us_ein", "value": "12-3456789"},
            ]
        }
    )
    shown = await customers.retrieve_async(customer.id, {"expand": ["tax_ids"]})
    assert shown.tax_ids
    assert [each.value for each in shown.tax_ids.data] == ["12-3456789", "DE123456789"]
    (listed,) = (await customers.list_async({"expand": ["data.tax_ids"]})).data
    assert listed.tax_ids == shown.tax_ids
    gone = await customers.tax_ids.delete_async(customer.id, shown.tax_ids.data[0].id)
    assert gone.deleted
    left = (await customers.tax_ids.list_async(customer.id)).data
    assert [each.value for each in left] == ["DE123456789"]
    of_owner = await account.v1.tax_ids.list_async(
        {"owner": {"type": "customer", "customer": customer.id}}
    )
    assert [each.id for each in of_owner.data] == [left[0].id]
    types = [event.type for event in (await account.v1.events.list_async()).data]
    assert types.count("customer.tax_id.created") == 2
    assert types.count("customer.tax_id.deleted") == 1


async def test_a_wrong_tax_id_makes_no_customer(account: Account) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await account.v1.customers.create_async(
            {"tax_id_data": [{"type": "gb_vat", "value": "nonsense"}]}
        )
    assert refused.value.param == "tax_id_data[0][value]"
    assert (await account.v1.customers.list_async()).data == []


async def test_an_accounts_own_tax_id_belongs_to_no_customer(account: Account) -> None:
    mine = await account.v1.tax_ids.create_async({"type": "eu_vat", "value": "DE123456789"})
    assert mine.owner
    assert (mine.owner.type, mine.customer) == ("self", None)
    assert [each.id for each in (await account.v1.tax_ids.list_async()).data] == [mine.id]
    await account.v1.tax_ids.delete_async(mine.id)
    assert (await account.v1.tax_ids.list_async()).data == []


async def test_a_finalized_invoice_keeps_what_was_true_of_its_customer(account: Account) -> None:
    shop = await open_shop(account)
    customers = account.v1.customers
    await customers.tax_ids.create_async(shop.customer, {"type": "us_ein", "value": "12-3456789"})
    await customers.update_async(
        shop.customer,
        {
            "address": {"line1": "1 Main Street", "city": "Paris", "country": "FR"},
            "phone": "+33 1 23 45 67 89",
            "shipping": {"name": "Ada", "address": {"city": "Lyon"}},
            "invoice_settings": {
                "custom_fields": [{"name": "PO", "value": "7"}],
                "footer": "Thank you",
            },
        },
    )
    await shop.subscribe(await shop.price(1_000))
    await customers.update_async(shop.customer, {"name": "Grace", "address": ""})
    (invoice,) = await shop.invoices()
    assert invoice.customer_address
    assert (invoice.customer_address.city, invoice.customer_name) == ("Paris", "Ada Lovelace")
    assert (invoice.customer_email, invoice.customer_phone) == (
        "ada@example.com", "+33 1 23 45 67 89",
    )  # fmt: skip
    assert invoice.customer_shipping
    assert invoice.customer_shipping.name == "Ada"
    assert [(each.type, each.value) for each in invoice.customer_tax_ids or []] == [
        ("us_ein", "12-3456789")
    ]
    assert invoice.footer == "Thank you"
    assert [(each.name, each.value) for each in invoice.custom_fields or []] == [("PO", "7")]


async def test_a_draft_follows_its_customer(account: Account) -> None:
    shop = await open_shop(account)
    await shop.subscribe(await shop.price(1_000))
    await shop.advance(START + 28 * DAY)
    assert (await shop.invoices())[0].status == "draft"
    await account.v1.customers.update_async(shop.customer, {"name": "Grace Hopper"})
    assert (await shop.invoices())[0].customer_name == "Grace Hopper"
    await account.v1.customers.tax_ids.create_async(
        shop.customer, {"type": "us_ein", "value": "12-3456789"}
    )
    await shop.advance(START + 29 * DAY)
    renewal = (await shop.invoices())[0]
    assert [each.value for each in renewal.customer_tax_ids or []] == ["12-3456789"]


async def test_every_movement_of_a_balance_is_a_transaction(account: Account) -> None:
    shop = await open_shop(account)
    transactions = account.v1.customers.balance_transactions
    given = await transactions.create_async(
        shop.customer, {"amount": -1_500, "currency": "usd", "description": "Sorry"}
    )
    assert (given.type, given.ending_balance) == ("adjustment", -1_500)
    await shop.subscribe(await shop.price(1_000))
    found = (await transactions.list_async(shop.customer)).data
    assert [(each.type, each.amount, each.ending_balance) for each in found] == [
        ("applied_to_invoice", 1_000, -500),
        ("adjustment", -1_500, -1_500),
    ]
    (invoice,) = await shop.invoices()
    assert (found[0].invoice, invoice.amount_due, invoice.status) == (invoice.id, 0, "paid")
    assert (invoice.starting_balance, invoice.ending_balance) == (-1_500, -500)
    await account.v1.customers.update_async(shop.customer, {"balance": 0})
    newest = (await transactions.list_async(shop.customer, {"limit": 1})).data[0]
    assert (newest.amount, newest.type) == (500, "adjustment")
    worded = await transactions.update_async(shop.customer, newest.id, {"metadata": {"a": "b"}})
    assert worded.to_dict()["metadata"] == {"a": "b"}


async def test_a_voided_invoice_gives_the_balance_back(account: Account) -> None:
    shop = await open_shop(account)
    await account.v1.customers.update_async(shop.customer, {"balance": -300})
    await shop.refuse_card("generic_decline")
    await shop.subscribe(await shop.price(1_000), payment_behavior="allow_incomplete")
    (invoice,) = await shop.invoices()
    assert (invoice.status, invoice.amount_due) == ("open", 700)
    await account.v1.invoices.void_invoice_async(invoice.id)
    customer = await account.v1.customers.retrieve_async(shop.customer)
    assert customer.balance == -300
    found = await account.v1.customers.balance_transactions.list_async(shop.customer)
    assert found.data[0].type == "unapplied_from_invoice"


async def test_an_initial_balance_is_a_transaction_too(account: Account) -> None:
    customer = await account.v1.customers.create_async({"balance": -250})
    found = await account.v1.customers.balance_transactions.list_async(customer.id)
    assert [(each.type, each.amount) for each in found.data] == [("initial", -250)]
    assert customer.balance == -250


async def test_an_invoice_number_begins_with_the_customers_prefix(account: Account) -> None:
    shop = await open_shop(account)
    await account.v1.customers.update_async(
        shop.customer, {"invoice_prefix": "ACME", "next_invoice_sequence": 42}
    )
    await shop.subscribe(await shop.price(1_000))
    assert [invoice.number for invoice in await shop.invoices()] == ["ACME-0042"]


async def test_a_deleted_customer_takes_nothing_more(account: Account) -> None:
    customer = await account.v1.customers.create_async()
    await account.v1.customers.delete_async(customer.id)
    for path in ("", "/tax_ids", "/balance_transactions"):
        data = {"type": "us_ein", "value": "123456789", "amount": "1", "currency": "usd"}
        wanted = {"": [], "/tax_ids": ["type", "value"]}.get(path, ["amount", "currency"])
        answer = await account.http.post(
            f"/v1/customers/{customer.id}{path}", data={name: data[name] for name in wanted}
        )
        assert answer.status_code == 404
        assert answer.json()["error"]["message"] == f"No such customer: '{customer.id}'"


async def test_an_address_is_answered_with_all_its_parts(account: Account) -> None:
    empty = dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"))
    made = await account.v1.customers.create_async(
        {"address": {"city": "Paris"}, "shipping": {"name": "Ada", "address": {"city": "Lyon"}}}
    )
    assert made.address
    assert made.address.to_dict() == {**empty, "city": "Paris"}
    assert made.shipping
    assert made.shipping.to_dict() == {
        "address": {**empty, "city": "Lyon"},
        "name": "Ada",
        "phone": None,
    }
    changed = await account.v1.customers.update_async(made.id, {"address": {"country": "FR"}})
    assert changed.address
    assert changed.address.to_dict() == {**empty, "country": "FR"}


async def test_the_first_invoice_tells_of_the_currency_that_it_gives_its_customer(
    account: Account,
) -> None:
    shop = await open_shop(account)
    await shop.subscribe(await shop.price(1_000))
    told = [event.to_dict()["data"] for event in await shop.events("customer.updated")]
    assert told[-1]["previous_attributes"]["currency"] is None
    assert told[-1]["object"]["currency"] == "usd"
    await shop.subscribe(await shop.price(2_000))
    assert len(await shop.events("customer.updated")) == len(told)


async def test_what_is_no_email_address_is_refused(account: Account) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await account.v1.customers.create_async({"email": "nonsense"})
    assert (refused.value.code, refused.value.param) == ("email_invalid", "email")


@pytest.mark.parametrize("path", ["/v1/customers", "/v1/customers/{}"])
async def test_a_cash_balance_is_refused(account: Account, path: str) -> None:
    customer = await account.v1.customers.create_async()
    data = {"cash_balance[settings][reconciliation_mode]": "manual"}
    answer = await account.http.post(path.format(customer.id), data=data)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "parameter_unknown")
    assert (await account.http.get(f"/v1/customers/{customer.id}/cash_balance")).status_code == 404
