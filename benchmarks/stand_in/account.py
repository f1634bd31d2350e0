"""An account of the stand-in: so many customers, each with the same belongings, numbered."""

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import msgspec

from benchmarks.stand_in.recording import CUSTOMER_MARK, EXPANDED, INVOICE_MARK

INVOICES = 2
#: How many of each kind a customer has; of the others the account has one.
_EACH = {
    "customers": 1,
    "payment_methods": 1,
    "subscriptions": 1,
    "invoices": INVOICES,
    "charges": INVOICES,
}
PREFIXES = {
    "customers": "cus",
    "payment_methods": "pm",
    "subscriptions": "sub",
    "invoices": "in",
    "charges": "ch",
    "products": "prod",
    "prices": "price",
}
_LISTS = {prefix: name for name, prefix in PREFIXES.items()}


def key_of(customers: int) -> str:
    """The secret key of the account with so many customers."""
    return f"sk_test_{customers}"


def path_of(object_id: str) -> str:
    """Where an object is asked for, with all that the adapter wants of it."""
    name = _LISTS[object_id.partition("_")[0]]
    return f"/v1/{name}/{object_id}?{_expand(name, '')}"


def list_path_of(name: str) -> str:
    """Where a list is asked for, as the adapter does."""
    more = "status=all&" if name == "subscriptions" else ""
    return f"/v1/{name}?{more}{_expand(name, 'data.')}"


def _expand(name: str, within: str) -> str:
    return "&".join(f"expand[{n}]={within}{path}" for n, path in enumerate(EXPANDED[name]))


class Account:
    """Answers for the customers 0, 1 and so on; an object's number is in its id."""

    def __init__(self, recorded: Path) -> None:
        texts = msgspec.json.decode(recorded.read_bytes(), type=dict[str, str])
        self._texts = {name: text.encode() for name, text in texts.items()}

    def object(self, name: str, number: int) -> bytes:
        """One object of a list."""
        customer = number // _EACH.get(name, 1)
        # A customer's latest invoice is what a subscription names.
        invoice = number if _EACH.get(name) == INVOICES else customer * INVOICES
        text = self._texts[name].replace(CUSTOMER_MARK.encode(), b"%d" % customer)
        return text.replace(INVOICE_MARK.encode(), b"%d" % invoice)

    def answer(self, target: str, customers: int) -> bytes:
        """What a GET of this address is answered by an account with so many customers."""
        address = urlsplit(target)
        name, _, object_id = address.path.removeprefix("/v1/").partition("/")
        if object_id:
            return self.object(name, _number(object_id))
        query = parse_qs(address.query)
        if "customer" in query:
            numbers = range(_number(query["customer"][0]), _number(query["customer"][0]) + 1)
            return self._page(name, numbers, more=False)
        first = _number(query["starting_after"][0]) + 1 if "starting_after" in query else 0
        total = customers * _EACH[name] if name in _EACH else 1
        last = min(first + int(query["limit"][0]), total)
        return self._page(name, range(first, last), more=last < total)

    def _page(self, name: str, numbers: range, *, more: bool) -> bytes:
        objects = b",".join(self.object(name, number) for number in numbers)
        return b'{"object":"list","url":"/v1/%s","has_more":%s,"data":[%s]}' % (
            name.encode(),
            b"true" if more else b"false",
            objects,
        )


def _number(object_id: str) -> int:
    return int(object_id.partition("_")[2])
