"""Every path that Stripe's SDK calls expandable can be expanded, and nothing stored changes."""

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator
from typing import Any

import pytest

from tests.stripe_sandbox.annotations import class_of, problems
from tests.stripe_sandbox.program import Account
from tests.stripe_sandbox.shop import DAY, START, open_shop

_LISTS = (
    "/v1/charges", "/v1/checkout/sessions", "/v1/coupons", "/v1/credit_notes", "/v1/customers",
    "/v1/invoice_payments", "/v1/invoiceitems", "/v1/invoices", "/v1/payment_intents",
    "/v1/prices", "/v1/products", "/v1/promotion_codes", "/v1/refunds", "/v1/setup_intents",
    "/v1/subscription_schedules", "/v1/subscriptions",
)  # fmt: skip


def expandable(cls: type) -> list[str]:
    """The paths below an object that the source of its class says may be expanded."""
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(cls))).body
    assert isinstance(tree, ast.ClassDef)
    return list(_fields(tree))


def _fields(cls: ast.ClassDef) -> Iterator[str]:
    inside = {node.name: node for node in cls.body if isinstance(node, ast.ClassDef)}
    for node in cls.body:
        if not isinstance(node, ast.AnnAssign) or not isinstance(node.target, ast.Name):
            continue
        name, words = node.target.id, ast.unparse(node.annotation)
        if "ExpandableField[" in words or "ListObject[" in words:
            yield name
        for nested in re.findall(r"\w+", words):
            if nested in inside:
                yield from (f"{name}.{path}" for path in _fields(inside[nested]))


@pytest.fixture(name="account_with_everything")
async def lived_in(account: Account) -> Account:
    """One of everything that can be expanded."""
    v1 = account.v1
    shop = await open_shop(account)
    coupon = await v1.coupons.create_async({"percent_off": 25, "duration": "forever"})
    await v1.promotion_codes.create_async(
        {"promotion": {"type": "coupon", "coupon": coupon.id}, "code": "spring"}
    )
    price = await shop.price(1_000)
    subscription = await shop.subscribe(price, discounts=[{"coupon": coupon.id}])
    await v1.subscription_schedules.create_async({"from_subscription": subscription.id})
    await v1.invoice_items.create_async(
        {"customer": shop.customer, "amount": 500, "currency": "usd"}
    )
    await shop.refuse_card("insufficient_funds")
    await shop.advance(START + 29 * DAY)
    asked: Any = {"customer": shop.customer, "confirm": True,
                  "payment_method": "pm_card_authenticationRequired"}  # fmt: skip
    await v1.setup_intents.create_async(asked)
    await v1.checkout.sessions.create_async(
        {"mode": "setup", "currency": "usd", "customer": shop.customer,
         "success_url": "http://shop.localhost/"}
    )  # fmt: skip
    paid = await v1.invoices.list_async({"customer": shop.customer, "status": "paid"})
    (charge,) = (await v1.charges.list_async({"customer": shop.customer})).data[-1:]
    await v1.refunds.create_async({"charge": charge.id, "amount": 100})
    await v1.credit_notes.create_async(
        {"invoice": paid.data[0].id, "amount": 100, "credit_amount": 100}
    )
    return account


async def test_every_expandable_path_of_every_object_is_expanded(
    account_with_everything: Account,
) -> None:
    http = account_with_everything.http
    wrong, tried = [], 0
    for path in _LISTS:
        all_of_them = {"status": "all"} if path == "/v1/subscriptions" else {}
        objects = (await http.get(path, params=all_of_them)).json()
        assert objects.get("data"), f"nothing was made for {path}: {objects}"
        for found in objects["data"]:
            for name in expandable(class_of(found["object"])):
                if not _reaches(found, name.split(".")):
                    continue
                tried += 1
                answer = await http.get(f"{path}/{found['id']}", params={"expand[]": name})
                if answer.status_code != 200:
                    wrong.append(f"{path} {name}: {answer.text}")
                else:
                    wrong += problems(answer.json())
            assert (await http.get(f"{path}/{found['id']}")).json() == found
    assert wrong == []
    assert tried > 80


def _reaches(node: Any, names: list[str]) -> bool:
    """Whether the hashes on the way to a field are there."""
    for name in names[:-1]:
        node = node.get(name) if isinstance(node, dict) else None
        if isinstance(node, list):
            return bool(node)
        if node is None:
            return False
    return True


@pytest.mark.parametrize(
    "path",
    [
        "data.latest_invoice.payments.data.payment.payment_intent",
        "data.latest_invoice.confirmation_secret",
        "data.customer.invoice_settings.default_payment_method",
        "data.schedule.customer",
        "data.items.data.price.product",
        "data.discounts.source.coupon",
    ],
)
async def test_what_lies_deep_is_expanded_and_can_still_be_changed(
    account_with_everything: Account, path: str
) -> None:
    account = account_with_everything
    answer = await account.http.get("/v1/subscriptions", params={"expand[]": path})
    assert answer.status_code == 200, answer.text
    subscription = answer.json()["data"][0]
    assert problems(subscription) == []
    changed = await account.http.post(
        f"/v1/subscriptions/{subscription['id']}",
        data={"metadata[a]": "b", "expand[0]": path.removeprefix("data.")},
    )
    assert changed.status_code == 200, changed.text
