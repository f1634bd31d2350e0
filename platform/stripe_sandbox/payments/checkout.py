"""Checkout Sessions: a hosted page on which a customer leaves a card for later."""

from stripe_sandbox.payments.intent_forms import THREE_D_SECURE, set_options, web_address
from stripe_sandbox.payments.setup_intents import cancel_setup, new_setup_intent
from stripe_sandbox.requests.errors import invalid
from stripe_sandbox.requests.forms import (
    anything,
    boolean,
    hash_of,
    integer,
    list_of,
    metadata,
    one_of,
    span,
    text,
    within,
)
from stripe_sandbox.requests.lists import page
from stripe_sandbox.requests.routing import listing, route
from stripe_sandbox.state.blanks import blank
from stripe_sandbox.state.documents import Document, merged_metadata, new_id, new_token, public
from stripe_sandbox.state.unit import Unit

# https://docs.stripe.com/api/checkout/sessions/create#create_checkout_session-expires_at
_LIFETIME = 24 * 3_600
_SHORTEST = 30 * 60
_PLACEHOLDER = "{CHECKOUT_SESSION_ID}"
# https://docs.stripe.com/api/checkout/sessions/create#create_checkout_session-locale
_LOCALES = (
    "auto", "bg", "cs", "da", "de", "el", "en", "en-GB", "es", "es-419", "et", "fi", "fil", "fr",
    "fr-CA", "hi-IN", "hr", "hu", "id", "it", "ja", "ko", "lt", "lv", "ms", "mt", "nb", "nl", "pl",
    "pt", "pt-BR", "ro", "ru", "sk", "sl", "sv", "th", "tr", "vi", "zh", "zh-HK", "zh-TW",
)  # fmt: skip


def create_session(unit: Unit, params: Document) -> Document:
    """A page that is open for a day. Only `mode=setup` is known here."""
    _check(params)
    customer = params.get("customer")
    if customer:
        unit.need("customer", customer, "customer")
    session = _new_session(unit, params)
    session["customer_details"] = _customer_details(unit, session)
    intent = new_setup_intent(unit, customer)
    asked = params.get("setup_intent_data") or {}
    intent["description"] = asked.get("description")
    intent["metadata"] = merged_metadata({}, asked.get("metadata"))
    set_options(intent, params)
    intent["_session"] = session["id"]
    unit.add(intent, "setup_intent.created")
    session["setup_intent"] = intent["id"]
    return public(unit.add(session))


def _check(params: Document) -> None:
    if params["mode"] != "setup":
        raise invalid(
            f"This sandbox does not know Checkout Sessions in `{params['mode']}` mode; it knows "
            "`setup` mode.",
            "mode",
        )
    if not params.get("success_url"):
        raise invalid("Missing required param: success_url.", "success_url", "parameter_missing")
    if params.get("line_items"):
        raise invalid("You can not pass `line_items` in `setup` mode.", "line_items")
    if not params.get("currency") and not params.get("allowed_payment_method_types"):
        raise invalid(
            "You must provide a `currency` or `allowed_payment_method_types` in `setup` mode.",
            "currency", "parameter_missing",
        )  # fmt: skip


def _new_session(unit: Unit, params: Document) -> Document:
    identifier, token = new_id("cs_test", 58), new_token(32)
    session: Document = {
        **blank("checkout.session"),
        "id": identifier,
        "cancel_url": params.get("cancel_url"),
        "client_reference_id": params.get("client_reference_id"),
        "currency": params.get("currency"),
        "customer": params.get("customer"),
        "customer_creation": None if params.get("customer") else "if_required",
        "customer_email": params.get("customer_email"),
        "locale": params.get("locale"),
        "metadata": merged_metadata({}, params.get("metadata")),
        "allowed_payment_method_types": params.get("allowed_payment_method_types"),
        "success_url": params["success_url"],
        "url": f"{unit.base_url}/c/{unit.account.id}/{identifier}/{token}",
        "_clock": _clock_of(unit, params.get("customer")),
        "_token": token,
    }
    set_options(session, params)
    session["created"] = unit.now(session)
    session["expires_at"] = _expiry(session["created"], params.get("expires_at"))
    return session


def _clock_of(unit: Unit, customer: str | None) -> str | None:
    found = unit.find("customer", customer)
    return found["test_clock"] if found else None


def _expiry(created: int, wanted: int | None) -> int:
    if wanted is None:
        return created + _LIFETIME
    if not created + _SHORTEST <= wanted <= created + _LIFETIME:
        raise invalid(
            "The `expires_at` timestamp must be between 30 minutes and 24 hours after Checkout "
            "Session creation.",
            "expires_at",
        )
    return wanted


def _customer_details(unit: Unit, session: Document) -> Document | None:
    customer = unit.find("customer", session["customer"])
    if customer is None and session["customer_email"] is None:
        return None
    known: Document = customer or {"email": session["customer_email"]}
    named = ("address", "email", "name", "phone")
    return {
        **{name: known.get(name) for name in named},
        "business_name": None,
        "individual_name": None,
        "tax_exempt": known.get("tax_exempt", "none"),
        "tax_ids": None,
    }


def success_address(session: Document) -> str:
    """Where a customer goes who is done."""
    address: str = session["success_url"]
    return address.replace(_PLACEHOLDER, session["id"])


def follow_setup(unit: Unit, intent: Document) -> None:
    """A setup intent that succeeded completes its Checkout Session."""
    session = unit.find("checkout.session", intent["_session"])
    if session and session["status"] == "open" and intent["status"] == "succeeded":
        session.update(status="complete", url=None)
        unit.update(session)
        unit.emit("checkout.session.completed", session)


def expire(unit: Unit, session: Document) -> None:
    """The page is closed, and its setup intent with it."""
    session.update(status="expired", url=None)
    unit.update(session)
    intent = unit.find("setup_intent", session["setup_intent"])
    if intent and intent["status"] not in ("succeeded", "canceled"):
        cancel_setup(unit, intent, "abandoned")
    unit.emit("checkout.session.expired", session)


def expire_session(unit: Unit, params: Document, identifier: str) -> Document:
    """Close an open page."""
    session = unit.need("checkout.session", identifier)
    if session["status"] != "open":
        raise invalid(
            'Only Checkout Sessions with a status in ["open"] can be expired. This Checkout '
            f"Session has a status of {session['status']}.",
            "session",
        )
    expire(unit, session)
    return public(session)


def retrieve_session(unit: Unit, params: Document, identifier: str) -> Document:
    """One Checkout Session."""
    return public(unit.need("checkout.session", identifier))


def list_sessions(unit: Unit, params: Document) -> Document:
    """Newest first, by customer, status or time."""
    return page(
        unit,
        "checkout.session",
        "/v1/checkout/sessions",
        params,
        owner=params.get("customer"),
        only=lambda session: (
            params.get("status") in (None, session["status"])
            and within(session["created"], params.get("created"))
        ),
    )


ROUTES = [
    route(
        "POST",
        "/v1/checkout/sessions",
        create_session,
        {
            "allowed_payment_method_types": list_of(one_of("card")),
            "cancel_url": web_address,
            "client_reference_id": text,
            "currency": text,
            "customer": text,
            "customer_creation": one_of("always", "if_required"),
            "customer_email": text,
            "expires_at": integer,
            "line_items": anything,
            "locale": one_of(*_LOCALES),
            "metadata": metadata,
            "mode": one_of("payment", "setup", "subscription"),
            "payment_method_options": THREE_D_SECURE,
            "setup_intent_data": hash_of({"description": text, "metadata": metadata}),
            "submit_type": anything,
            "subscription_data": anything,
            "success_url": web_address,
            "tax_id_collection": hash_of({"enabled": boolean}),
            "ui_mode": one_of("hosted_page"),
        },
        ("mode",),
    ),
    listing(
        "/v1/checkout/sessions",
        list_sessions,
        {"created": span, "customer": text, "status": one_of("complete", "expired", "open")},
    ),
    route("GET", "/v1/checkout/sessions/{}", retrieve_session),
    route("POST", "/v1/checkout/sessions/{}/expire", expire_session),
]
