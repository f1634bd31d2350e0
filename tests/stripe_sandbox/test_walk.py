"""Every route answers, and every answer satisfies the SDK's annotations: none is left out."""

from tests.stripe_sandbox.annotations import problems
from tests.stripe_sandbox.program import Account
from tests.stripe_sandbox.walk import Answer, Walk


async def _customer(walk: Walk, **more: str) -> str:
    made = await walk.post(
        "customers",
        email="ada@example.com",
        payment_method="pm_card_visa",
        **{"invoice_settings[default_payment_method]": "pm_card_visa"},
        **more,
    )
    return str(made["id"])


async def _people(walk: Walk) -> None:
    customer = await _customer(walk, **{"shipping[name]": "Ada", "shipping[address][city]": "P"})
    path = f"customers/{customer}"
    await walk.post(path, phone="1")
    await walk.get("customers", **{"expand[]": "data.tax_ids"})
    await walk.get(path, **{"expand[]": "invoice_settings.default_payment_method"})
    for taxes in (f"{path}/tax_ids", "tax_ids"):
        tax_id = await walk.post(taxes, type="eu_vat", value="DE123456789")
        await walk.get(taxes)
        await walk.get(f"{taxes}/{tax_id['id']}")
        await walk.delete(f"{taxes}/{tax_id['id']}")
    balance = f"{path}/balance_transactions"
    moved = await walk.post(balance, amount=-5, currency="usd")
    await walk.get(balance)
    await walk.get(f"{balance}/{moved['id']}")
    await walk.post(f"{balance}/{moved['id']}", description="x")
    await _methods(walk, customer)
    await walk.delete(path)


async def _methods(walk: Walk, customer: str) -> None:
    made = await walk.post("payment_methods", type="card", **{"card[token]": "tok_visa"})
    method = f"payment_methods/{made['id']}"
    await walk.post(f"{method}/attach", customer=customer)
    await walk.post(method, **{"billing_details[name]": "Ada"})
    await walk.get(method)
    await walk.get("payment_methods", customer=customer)
    await walk.get(f"customers/{customer}/payment_methods")
    await walk.get(f"customers/{customer}/{method}")
    await walk.post(f"{method}/detach")


async def _catalog(walk: Walk) -> str:
    product = (await walk.post("products", name="Basic"))["id"]
    price = await walk.post(
        "prices", product=product, currency="usd", unit_amount=1_000,
        **{"recurring[interval]": "month"},
    )  # fmt: skip
    coupon = (await walk.post("coupons", percent_off=10, duration="once"))["id"]
    code = await walk.post("promotion_codes", **{"promotion[coupon]": coupon})
    idle = (await walk.post("products", name="Idle"))["id"]
    for noun, identifier, change in (
        ("products", product, {"description": "x"}),
        ("prices", price["id"], {"nickname": "x"}),
        ("coupons", coupon, {"name": "x"}),
        ("promotion_codes", code["id"], {"active": "false"}),
    ):
        await walk.get(noun)
        await walk.get(f"{noun}/{identifier}")
        await walk.post(f"{noun}/{identifier}", **change)
    await walk.delete(f"coupons/{coupon}")
    await walk.delete(f"products/{idle}")
    return str(price["id"])


async def _subscriptions(walk: Walk, price: str) -> None:
    customer = await _customer(walk)
    made = await walk.post("subscriptions", customer=customer, **{"items[0][price]": price})
    path = f"subscriptions/{made['id']}"
    item = made["items"]["data"][0]["id"]
    await walk.get("subscriptions")
    await walk.get("subscription_items", subscription=made["id"])
    await walk.get(path, **{"expand[]": "latest_invoice.payments"})
    await walk.post(path, **{"items[0][id]": item, "items[0][quantity]": "3"})
    await walk.post("invoices/create_preview", subscription=made["id"])
    for end in ("release", "cancel"):
        plan = await walk.post("subscription_schedules", from_subscription=made["id"])
        schedule = f"subscription_schedules/{plan['id']}"
        await walk.post(schedule, end_behavior="release")
        await walk.get(schedule)
        await walk.post(f"{schedule}/{end}")
    await walk.get("subscription_schedules")
    other = await walk.post("subscriptions", customer=customer, **{"items[0][price]": price})
    await walk.post(f"subscriptions/{other['id']}/pause", type="subscription")
    await walk.post(f"subscriptions/{other['id']}/resume")
    await walk.delete(f"subscriptions/{other['id']}")


async def _invoices(walk: Walk) -> str:
    customer = await _customer(walk)
    paid = await _draft(walk, customer)
    await walk.post(f"invoices/{paid}", footer="x")
    await walk.post(f"invoices/{paid}/finalize")
    await walk.post(f"invoices/{paid}/pay")
    await walk.get("invoices", **{"expand[]": "data.payments"})
    await walk.get(f"invoices/{paid}", **{"expand[0]": "payments", "expand[1]": "customer"})
    await walk.get(f"invoices/{paid}/lines")
    await walk.delete(f"invoices/{await _draft(walk, customer)}")
    sent = await _draft(walk, customer, collection_method="send_invoice", days_until_due="3")
    await walk.post(f"invoices/{sent}/send")
    await walk.post(f"invoices/{sent}/mark_uncollectible")
    await walk.post(f"invoices/{sent}/void")
    payment = (await walk.get("invoice_payments"))["data"][0]["id"]
    await walk.get(f"invoice_payments/{payment}")
    await _items(walk, customer)
    return paid


async def _draft(walk: Walk, customer: str, **more: str) -> str:
    await walk.post("invoiceitems", customer=customer, amount=900, currency="usd")
    made = await walk.post(
        "invoices", customer=customer, pending_invoice_items_behavior="include", **more
    )
    return str(made["id"])


async def _items(walk: Walk, customer: str) -> None:
    made = await walk.post("invoiceitems", customer=customer, amount=9, currency="usd")
    item = f"invoiceitems/{made['id']}"
    await walk.post(item, amount=10)
    await walk.get(item)
    await walk.get("invoiceitems")
    await walk.delete(item)


async def _corrections(walk: Walk, paid: str) -> None:
    asked = {"invoice": paid, "amount": "100", "credit_amount": "100"}
    await walk.get("credit_notes/preview", **asked)
    await walk.get("credit_notes/preview/lines", **asked)
    note = (await walk.post("credit_notes", **asked))["id"]
    await walk.post(f"credit_notes/{note}", memo="x")
    await walk.get(f"credit_notes/{note}", **{"expand[]": "customer_balance_transaction"})
    await walk.get(f"credit_notes/{note}/lines")
    await walk.get("credit_notes")
    customer = await _customer(walk)
    unpaid = await _draft(walk, customer)
    await walk.post(f"invoices/{unpaid}/finalize")
    before = await walk.post("credit_notes", invoice=unpaid, amount="100")
    await walk.post(f"credit_notes/{before['id']}/void")
    charge = (await walk.get("charges"))["data"][0]["id"]
    refund = (await walk.post("refunds", charge=charge, amount=10))["id"]
    await walk.get("refunds")
    await walk.get(f"refunds/{refund}", **{"expand[]": "charge"})
    await walk.post(f"refunds/{refund}", **{"metadata[a]": "b"})
    await walk.refused(f"refunds/{refund}/cancel")
    await walk.get(f"charges/{charge}", **{"expand[]": "refunds"})


async def _intents(walk: Walk) -> None:
    customer = await _customer(walk)
    for kind, asked in (
        ("payment_intents", {"amount": "900", "currency": "usd"}),
        ("setup_intents", {}),
    ):
        made = await walk.post(kind, customer=customer, **asked)
        path = f"{kind}/{made['id']}"
        await walk.post(path, description="x")
        await walk.get(path)
        await walk.get(kind)
        await walk.post(f"{path}/confirm", payment_method="pm_card_visa")
        other = await walk.post(kind, customer=customer, **asked)
        await walk.post(f"{kind}/{other['id']}/cancel")


async def _checkout(walk: Walk) -> None:
    made = await walk.post(
        "checkout/sessions", mode="setup", currency="usd", success_url="http://127.0.0.1/done"
    )
    await walk.get(f"checkout/sessions/{made['id']}")
    await walk.get("checkout/sessions")
    await walk.post(f"checkout/sessions/{made['id']}/expire")


async def _account(walk: Walk) -> None:
    mine = await walk.get("account")
    await walk.get(f"accounts/{mine['id']}")
    clock: Answer = await walk.post("test_helpers/test_clocks", frozen_time=1_800_000_000)
    path = f"test_helpers/test_clocks/{clock['id']}"
    await walk.post(f"{path}/advance", frozen_time=1_800_000_060)
    await walk.get("test_helpers/test_clocks")
    await walk.get(path)
    await walk.delete(path)
    endpoint = await walk.post(
        "webhook_endpoints", url="http://127.0.0.1:9/none", **{"enabled_events[]": "coupon.deleted"}
    )
    path = f"webhook_endpoints/{endpoint['id']}"
    await walk.post(path, disabled="true")
    await walk.get(path)
    await walk.get("webhook_endpoints")
    await walk.delete(path)
    event = (await walk.get("events", limit=100))["data"][0]["id"]
    await walk.get(f"events/{event}")


async def test_every_route_has_a_walked_answer(account: Account) -> None:
    walk = Walk(account)
    await _people(walk)
    price = await _catalog(walk)
    await _subscriptions(walk, price)
    await _corrections(walk, await _invoices(walk))
    await _intents(walk)
    await _checkout(walk)
    await _account(walk)
    assert walk.left() == set()
    told = (await account.http.get("/_control/events")).json()
    assert len({event["type"] for event in told}) > 50
    for event in told:
        assert problems(event["data"]["object"]) == [], event["type"]
