"""What the provider knows of payments: every charge, and who asked for it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

import httpx

from tests.loopback import NO_AUTHORITIES
from tests.shops import Shop
from tests.years.people import TYPED_BRAND

#: Our keys say for which attempt of which invoice they are.
OUR_KEYS = "guichet-dunning:"


class Charge(NamedTuple):
    """One charge, by its customer's time."""

    id: str
    invoice_id: str
    at: datetime
    method: str
    fingerprint: str
    network: str
    succeeded: bool
    code: str | None
    #: What the network said, by its own codes.
    network_code: str | None
    network_advice: str | None
    #: The idempotency key of the request that made it; None for what time brought about.
    key: str | None

    @property
    def is_ours(self) -> bool:
        return self.key is not None and self.key.startswith(OUR_KEYS)

    @property
    def is_customers(self) -> bool:
        """Whether a customer made it: at a hosted page, or through our portal."""
        return self.network == TYPED_BRAND or (self.key is not None and not self.is_ours)


class Invoice(NamedTuple):
    """An invoice as it is in the end."""

    id: str
    customer_id: str
    status: str
    is_automatic: bool
    next_payment_attempt: int | None


class Provided(NamedTuple):
    """One account in the end; charges in the order in which they were made."""

    charges: list[Charge]
    invoices: dict[str, Invoice]


async def provided(shop: Shop) -> Provided:
    """Read an account as its control page and its lists tell it."""
    raw = await _control(shop, "charges")
    keys = _keys(await _control(shop, "events"))
    invoices: dict[str, Invoice] = {}
    of_intent: dict[str, str] = {}
    listed = await shop.sdk.invoices.list_async({"limit": 100, "expand": ["data.payments"]})
    async for it in listed.auto_paging_iter():
        held = it.to_dict()
        invoices[held["id"]] = _invoice(held)
        for payment in held["payments"]["data"]:
            of_intent[payment["payment"].get("payment_intent", "")] = held["id"]
    charges = [_charge(it, of_intent, keys) for it in raw]
    # The control page tells the newest first.
    charges.reverse()
    return Provided(sorted(charges, key=lambda it: it.at), invoices)


def _invoice(held: Mapping[str, Any]) -> Invoice:
    return Invoice(
        held["id"],
        held["customer"],
        held["status"],
        held["collection_method"] == "charge_automatically",
        held["next_payment_attempt"],
    )


def _charge(
    held: Mapping[str, Any], of_intent: Mapping[str, str], keys: Mapping[str, str | None]
) -> Charge:
    card = held["payment_method_details"]["card"]
    return Charge(
        held["id"],
        of_intent.get(held["payment_intent"], ""),
        datetime.fromtimestamp(held["created"], UTC),
        held["payment_method"],
        card["fingerprint"],
        card["network"],
        held["status"] == "succeeded",
        None if held["status"] == "succeeded" else held["outcome"]["reason"],
        held["outcome"]["network_decline_code"],
        held["outcome"]["network_advice_code"],
        keys[held["id"]],
    )


def _keys(events: list[dict[str, Any]]) -> dict[str, str | None]:
    """With which key each charge was asked for."""
    return {
        event["data"]["object"]["id"]: event["request"]["idempotency_key"]
        for event in events
        if event["type"] in ("charge.succeeded", "charge.failed", "charge.pending")
    }


async def _control(shop: Shop, what: str) -> list[dict[str, Any]]:
    async with httpx.AsyncClient(trust_env=False, verify=NO_AUTHORITIES, timeout=120) as client:
        answer = await client.get(
            f"{shop.url}/_control/{what}", headers={"authorization": f"Bearer {shop.key}"}
        )
    found: list[dict[str, Any]] = answer.raise_for_status().json()
    return found
