"""Accounts: one for each secret key, isolated from all others, with the switches of its own."""

from hashlib import sha256
from typing import Any

from stripe_sandbox.requests.errors import unauthenticated
from stripe_sandbox.requests.routing import route
from stripe_sandbox.state.documents import Document
from stripe_sandbox.state.settings import DEFAULTS
from stripe_sandbox.state.store import Store
from stripe_sandbox.state.unit import Account, Unit


def account_id(key: str) -> str:
    """The same key is always the same account; the key itself is not kept."""
    return f"acct_{sha256(key.encode()).hexdigest()[:16]}"


def check_key(key: str | None) -> str:
    """The key of a request. Raises 401 for none and for what is not a test key."""
    if not key:
        raise unauthenticated(
            "You did not provide an API key. You need to provide your API key in the "
            "Authorization header, using Bearer auth (e.g. 'Authorization: Bearer "
            "YOUR_SECRET_KEY')."
        )
    if not key.startswith("sk_test_") or len(key) < 9:
        raise unauthenticated(f"Invalid API Key provided: {masked(key)}")
    return key


def masked(key: str) -> str:
    """Enough of a key to recognise it, not enough to use it."""
    return f"{key[:8]}…{key[-4:]}" if len(key) > 16 else f"{key[:8]}…"


def open_account(store: Store, key: str, now: float) -> Account:
    """The key's account, made when it is first seen; inside a transaction."""
    identifier = account_id(key)
    if store.account(identifier) is None:
        store.add_account(identifier, masked(key), int(now), DEFAULTS)
    return load_account(store, identifier)


def load_account(store: Store, identifier: str) -> Account:
    """A known account. Raises KeyError for another."""
    row = store.account(identifier)
    if row is None:
        raise KeyError(identifier)
    masked_key, created, settings = row
    return Account(identifier, masked_key, created, {**DEFAULTS, **settings})


def retrieve_account(unit: Unit, params: Document, *identifier: str) -> Document:
    """The account of the key that asks."""
    name = unit.account.settings["name"]
    answer: dict[str, Any] = {
        "id": unit.account.id,
        "object": "account",
        "business_profile": {
            "name": name,
            "support_email": unit.account.settings["email"],
            "url": None,
        },
        "business_type": "company",
        "capabilities": {"card_payments": "active", "transfers": "active"},
        "charges_enabled": True,
        "country": "US",
        "created": unit.account.created,
        "default_currency": "usd",
        "details_submitted": True,
        "email": unit.account.settings["email"],
        "metadata": {},
        "payouts_enabled": True,
        "settings": {
            "branding": {
                "icon": None,
                "logo": None,
                "primary_color": None,
                "secondary_color": None,
            },
            "card_payments": {"statement_descriptor_prefix": None},
            "dashboard": {"display_name": name, "timezone": "Etc/UTC"},
            "payments": {"statement_descriptor": "SANDBOX"},
        },
        "type": "standard",
    }
    return answer


ROUTES = [
    route("GET", "/v1/account", retrieve_account),
    route("GET", "/v1/accounts/{}", retrieve_account),
]
