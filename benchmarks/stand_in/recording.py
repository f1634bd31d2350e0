"""What the stand-in says: one customer's objects, recorded at the sandbox, numbered ever after.

So its answers have the fields and the length that the provider's have, and cost next to nothing.
"""

import re
import sys
from pathlib import Path

import httpx
import msgspec

from guichet.embedded.programs import Program, free_port
from guichet.payments.stripe.copying import CUSTOMER, INVOICE, PRICE, SUBSCRIPTION

_START_SECONDS = 30
#: Where the number of a customer, and of an invoice, goes.
CUSTOMER_MARK, INVOICE_MARK = "~c~", "~i~"
#: What one customer has one of, and what each invoice has one of.
_OF_CUSTOMER = ("cus", "pm", "sub", "si")
_OF_INVOICE = ("in", "il", "inpay", "ch", "pi")
_OF_ALL = ("prod", "price")
_ID = re.compile(rf"\b({'|'.join((*_OF_CUSTOMER, *_OF_INVOICE, *_OF_ALL))})_[A-Za-z0-9]{{8,}}\b")

#: What has to be asked for with an object, by the name of its list.
EXPANDED: dict[str, list[str]] = {
    "customers": CUSTOMER,
    "payment_methods": [],
    "products": [],
    "prices": PRICE,
    "subscriptions": SUBSCRIPTION,
    "invoices": INVOICE,
    "charges": [],
}


def record(directory: Path) -> Path:
    """Let a sandbox make a paid subscription and write down its objects, by list; the file."""
    port = free_port()
    program = Program(
        "sandbox",
        [sys.executable, "-m", "stripe_sandbox", "--port", str(port)],
        record=directory / "sandbox.pid",
        log=directory / "sandbox.log",
    )
    url = f"http://127.0.0.1:{port}"
    auth = ("sk_test_recording", "")
    try:
        program.start()
        with httpx.Client(base_url=url, auth=auth, trust_env=False, timeout=5) as client:
            program.wait_until(lambda: _answers(client), _START_SECONDS)
            objects = _objects(client)
    finally:
        program.stop()
    file = directory / "recorded.json"
    file.write_bytes(msgspec.json.encode(objects))
    return file


def _answers(client: httpx.Client) -> bool:
    try:
        return client.get("/v1/account").is_success
    except httpx.TransportError:
        return False


def _objects(client: httpx.Client) -> dict[str, str]:
    ids = _subscribe(client)
    found = {}
    for name, expanded in EXPANDED.items():
        expand = {f"expand[{place}]": path for place, path in enumerate(expanded)}
        answer = client.get(f"/v1/{name}/{ids[name]}", params=expand)
        found[name] = _ID.sub(_numbered, answer.raise_for_status().text)
    return found


def _subscribe(client: httpx.Client) -> dict[str, str]:
    """Make one of everything; its id, by the name of its list."""

    def make(path: str, **fields: str) -> str:
        answer = client.post(f"/v1/{path}", data=fields).raise_for_status()
        return str(answer.json()["id"])

    product = make("products", name="Studio")
    monthly = {"recurring[interval]": "month", "unit_amount": "2400", "currency": "eur"}
    price = make("prices", product=product, **monthly)
    customer = make("customers", email="camille@example.com", name="Camille Laurent")
    method = make("payment_methods/pm_card_visa/attach", customer=customer)
    default = {"invoice_settings[default_payment_method]": method}
    make(f"customers/{customer}", **default)
    subscription = make("subscriptions", customer=customer, **{"items[0][price]": price})
    latest = client.get(f"/v1/subscriptions/{subscription}").json()["latest_invoice"]
    (charge,) = client.get("/v1/charges").json()["data"]
    return {
        "customers": customer,
        "payment_methods": method,
        "products": product,
        "prices": price,
        "subscriptions": subscription,
        "invoices": latest,
        "charges": charge["id"],
    }


def _numbered(match: re.Match[str]) -> str:
    prefix = match[1]
    if prefix in _OF_ALL:
        return f"{prefix}_0"
    return f"{prefix}_{CUSTOMER_MARK if prefix in _OF_CUSTOMER else INVOICE_MARK}"
