"""Webhook endpoints: where an account's events are delivered."""

from urllib.parse import urlsplit

from stripe_sandbox.requests.errors import invalid
from stripe_sandbox.requests.forms import anything, boolean, list_of, metadata, text
from stripe_sandbox.requests.lists import page
from stripe_sandbox.requests.routing import listing, route
from stripe_sandbox.state.documents import (
    API_VERSION,
    Document,
    apply,
    merged_metadata,
    new_id,
    new_token,
    public,
)
from stripe_sandbox.state.unit import Unit

_FIELDS = {
    "description": text,
    "enabled_events": list_of(text),
    "metadata": metadata,
    "url": text,
}


def create_endpoint(unit: Unit, params: Document) -> Document:
    """The answer alone carries the signing secret."""
    _check_url(params["url"])
    secret = f"whsec_{new_token(32)}"
    endpoint: Document = {
        "id": new_id("we"),
        "object": "webhook_endpoint",
        "api_version": params.get("api_version") or API_VERSION,
        "application": None,
        "created": unit.now(),
        "description": params.get("description"),
        "enabled_events": params["enabled_events"],
        "livemode": False,
        "metadata": merged_metadata({}, params.get("metadata")),
        "status": "enabled",
        "url": params["url"],
        "_secret": secret,
    }
    unit.add(endpoint)
    unit.forget_listeners()
    return {**public(endpoint), "secret": secret}


def _check_url(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise invalid("Invalid URL: An explicit scheme (such as https) must be provided.", "url")


def retrieve_endpoint(unit: Unit, params: Document, identifier: str) -> Document:
    """One endpoint."""
    return public(unit.need("webhook_endpoint", identifier))


def update_endpoint(unit: Unit, params: Document, identifier: str) -> Document:
    """Change where, whether and what is delivered."""
    endpoint = unit.need("webhook_endpoint", identifier)
    if "url" in params:
        _check_url(params["url"])
    apply(endpoint, params, ("description", "enabled_events", "url"))
    if "metadata" in params:
        endpoint["metadata"] = merged_metadata(endpoint["metadata"], params["metadata"])
    if "disabled" in params:
        endpoint["status"] = "disabled" if params["disabled"] else "enabled"
    unit.update(endpoint)
    unit.forget_listeners()
    return public(endpoint)


def secrets_of(endpoint: Document, now: int) -> list[str]:
    """The secrets that sign deliveries: a rolled one goes on for a while beside the new one."""
    old = endpoint.get("_old_secret")
    still = old is not None and endpoint["_old_until"] > now
    return [endpoint["_secret"], old] if still and old else [endpoint["_secret"]]


def roll_secret(unit: Unit, identifier: str, hours: float) -> Document:
    """A new signing secret; the old one signs for some more hours, as in Stripe's Dashboard."""
    endpoint = unit.need("webhook_endpoint", identifier)
    endpoint["_old_secret"] = endpoint["_secret"]
    endpoint["_old_until"] = unit.now() + round(hours * 3_600)
    endpoint["_secret"] = f"whsec_{new_token(32)}"
    unit.update(endpoint)
    unit.forget_listeners()
    return {**public(endpoint), "secret": endpoint["_secret"]}


def delete_endpoint(unit: Unit, params: Document, identifier: str) -> Document:
    """Nothing more is delivered there, not even what waits."""
    stub = unit.remove(unit.need("webhook_endpoint", identifier))
    unit.forget_listeners()
    return stub


def list_endpoints(unit: Unit, params: Document) -> Document:
    """Newest first."""
    return page(unit, "webhook_endpoint", "/v1/webhook_endpoints", params)


ROUTES = [
    route(
        "POST",
        "/v1/webhook_endpoints",
        create_endpoint,
        {**_FIELDS, "api_version": text, "connect": anything},
        ("url", "enabled_events"),
    ),
    route("GET", "/v1/webhook_endpoints/{}", retrieve_endpoint),
    route("POST", "/v1/webhook_endpoints/{}", update_endpoint, {**_FIELDS, "disabled": boolean}),
    route("DELETE", "/v1/webhook_endpoints/{}", delete_endpoint),
    listing("/v1/webhook_endpoints", list_endpoints),
]
