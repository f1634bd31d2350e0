"""The API: one request in, one transaction, one answer out, and never the same effect twice."""

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256

import msgspec

from stripe_sandbox.catalog import coupons, prices, products, promotion_codes
from stripe_sandbox.customers import balances, customers, tax_ids
from stripe_sandbox.invoices import credit_note_api, invoice_api, invoice_drafts, invoice_item_api
from stripe_sandbox.passing_time import clocks
from stripe_sandbox.payments import (
    checkout,
    intent_api,
    payment_api,
    payment_methods,
    refunds,
    setup_intent_api,
)
from stripe_sandbox.requests.errors import (
    ApiError,
    forbidden,
    invalid,
    unauthenticated,
    unknown_path,
)
from stripe_sandbox.requests.expansion import expanded
from stripe_sandbox.requests.forms import decoded
from stripe_sandbox.requests.routing import Route, Router
from stripe_sandbox.schedules import schedules
from stripe_sandbox.state import accounts
from stripe_sandbox.state.documents import API_VERSION, Document, new_id
from stripe_sandbox.state.store import Store
from stripe_sandbox.state.unit import Account, Unit
from stripe_sandbox.subscriptions import cancelling, changes, pausing, previews, subscriptions
from stripe_sandbox.webhooks import events, webhook_endpoints

ROUTER = Router(
    [
        *previews.ROUTES,
        *accounts.ROUTES,
        *balances.ROUTES,
        *cancelling.ROUTES,
        *changes.ROUTES,
        *checkout.ROUTES,
        *clocks.ROUTES,
        *coupons.ROUTES,
        *credit_note_api.ROUTES,
        *customers.ROUTES,
        *events.ROUTES,
        *intent_api.ROUTES,
        *invoice_api.ROUTES,
        *invoice_drafts.ROUTES,
        *invoice_item_api.ROUTES,
        *payment_api.ROUTES,
        *pausing.ROUTES,
        *payment_methods.ROUTES,
        *prices.ROUTES,
        *products.ROUTES,
        *promotion_codes.ROUTES,
        *refunds.ROUTES,
        *schedules.ROUTES,
        *setup_intent_api.ROUTES,
        *subscriptions.ROUTES,
        *tax_ids.ROUTES,
        *webhook_endpoints.ROUTES,
    ]
)
# Stripe may forget a key after a day (https://docs.stripe.com/api/idempotent_requests).
KEY_LIFETIME = 24 * 3_600
_LONGEST_KEY = 255


@dataclass(frozen=True)
class Request:
    """What the API needs of an HTTP request; header names are in lower case."""

    method: str
    path: str
    query: str
    body: str
    headers: Mapping[str, str]

    @property
    def key(self) -> str | None:
        """The secret key, from bearer or basic authentication."""
        scheme, _, credentials = self.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            try:
                return base64.b64decode(credentials).decode().partition(":")[0]
            except ValueError:
                return None
        return credentials.strip() if scheme.lower() == "bearer" else None

    @property
    def idempotency_key(self) -> str | None:
        """Only what changes something needs one."""
        return self.headers.get("idempotency-key") if self.method == "POST" else None


@dataclass
class Answer:
    """Status, JSON and Stripe's own headers."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


class Api:
    """Answers requests against a store. `clock` gives the wall time in seconds."""

    def __init__(self, store: Store, clock: Callable[[], float], base_url: str) -> None:
        self.store = store
        self.clock = clock
        self.base_url = base_url

    def account_of(self, request: Request) -> Account:
        """The account that a request's key opens. Raises 401."""
        key = accounts.check_key(request.key)
        known = self.store.account(accounts.account_id(key))
        if known is None:
            with self.store.transaction():
                return accounts.open_account(self.store, key, self.clock())
        account = accounts.load_account(self.store, accounts.account_id(key))
        if account.settings["revoked"]:
            raise unauthenticated(
                f"Expired API Key provided: {account.masked_key}", "api_key_expired"
            )
        other = request.headers.get("stripe-account")
        if other not in (None, account.id):
            raise forbidden(account.masked_key, str(other))
        return account

    def unit(self, account: Account, request_id: str | None = None) -> Unit:
        """A unit of work for an account, inside a transaction of the caller's."""
        return Unit(self.store, account, self.clock(), self.base_url, request=request_id)

    def answer(self, account: Account, request: Request) -> Answer:
        """Do what a request asks, or replay what it was answered before."""
        request_id = new_id("req", 14)
        headers = {"request-id": request_id, "stripe-version": API_VERSION}
        if request.idempotency_key:
            headers["idempotency-key"] = request.idempotency_key
        try:
            found = ROUTER.match(request.method, request.path)
            if found is None:
                raise unknown_path(request.method, request.path)
            params = self._params(found[0], request)
            fingerprint = _fingerprint(request, params)
            if replayed := self._replay(account, request, fingerprint):
                replayed.headers.update(headers)
                return replayed
            status, body = self._perform(account, request, request_id, found, params, fingerprint)
        except ApiError as error:
            status, body = error.status, _error_body(error, request_id)
            headers.update(error.headers)
        return Answer(status, body, headers)

    def _params(self, found: Route, request: Request) -> Document:
        raw = {**decoded(request.query), **decoded(request.body)}
        params: Document = found.reader(raw, "")
        return params

    def _replay(self, account: Account, request: Request, fingerprint: str) -> Answer | None:
        key = request.idempotency_key
        kept = self.store.answer(account.id, key) if key else None
        if key and len(key) > _LONGEST_KEY:
            raise invalid(f"Idempotency keys can have up to {_LONGEST_KEY} characters.")
        lifetime = account.settings["idempotency_key_seconds"]
        if kept is None or kept[4] <= self.clock() - lifetime:
            return None
        if kept[1] != request.path:
            raise _misused(
                "Keys for idempotent requests can only be used for the same endpoint they were "
                f"first used for ('{request.path}' vs '{kept[1]}'). Try using a key other than "
                f"'{key}' if you meant to execute a different request."
            )
        if kept[0] != fingerprint:
            raise _misused(
                "Keys for idempotent requests can only be used with the same parameters they were "
                f"first used with. Try using a key other than '{key}' if you meant to execute a "
                "different request."
            )
        return Answer(kept[2], kept[3], {"idempotent-replayed": "true"})

    def _perform(
        self,
        account: Account,
        request: Request,
        request_id: str,
        found: tuple[Route, list[str]],
        params: Document,
        fingerprint: str,
    ) -> tuple[int, bytes]:
        """Effect and kept answer are one transaction: whoever is killed in between did nothing."""
        route, identifiers = found

        def keep(status: int, body: bytes) -> tuple[int, bytes]:
            if key := request.idempotency_key:
                self.store.keep_answer(
                    account.id, key, fingerprint, request.path, status, body, self.clock()
                )
            return status, body

        failed: ApiError
        try:
            with self.store.transaction():
                unit = self._unit_for(account, request, request_id)
                unit.off_session = params.get("off_session")
                paths = params.pop("expand", None) or []
                try:
                    answer = expanded(unit, route.handler(unit, params, *identifiers), paths)
                except ApiError as error:
                    if not error.keeps_effects:
                        raise
                    return keep(error.status, _error_body(error, request_id))
                if unsaved := unit.unsaved():
                    raise RuntimeError(f"changed but not saved: {unsaved}")
                return keep(200, msgspec.json.encode(answer))
        except ApiError as error:
            failed = error
        body = _error_body(failed, request_id)
        with self.store.transaction():
            _leave_behind(self._unit_for(account, request, request_id), failed)
            return keep(failed.status, body)

    def _unit_for(self, account: Account, request: Request, request_id: str) -> Unit:
        unit = self.unit(account, request_id)
        unit.idempotency_key = request.idempotency_key
        return unit


def _leave_behind(unit: Unit, failed: ApiError) -> None:
    """What stays of a request that was undone."""
    # A charge that a switch let fail has used the switch up, undone or not.
    unit.store.save_settings(unit.account.id, unit.account.settings)
    for document, event in failed.remains:
        unit.add(document, event)


def _error_body(error: ApiError, request_id: str) -> bytes:
    body = error.body()
    body["error"]["request_log_url"] = f"https://dashboard.stripe.com/test/logs/{request_id}"
    return msgspec.json.encode(body)


def _fingerprint(request: Request, params: Document) -> str:
    canonical = msgspec.json.encode([request.path, params], order="deterministic")
    return sha256(canonical).hexdigest()


def _misused(message: str) -> ApiError:
    return ApiError(400, "idempotency_error", message)


def key_in_use(key: str) -> ApiError:
    """The answer to a request whose key is being worked on by another."""
    return ApiError(
        409,
        "idempotency_error",
        "There is currently another in-progress request using this Idempotent Key (that probably "
        "means you submitted twice, and the other request is still going through): "
        f"{key}. Please try again later.",
        code="idempotency_key_in_use",
        headers={"stripe-should-retry": "true"},
    )


def refusal(error: ApiError) -> Answer:
    """An error that was found before the API was asked."""
    request_id = new_id("req", 14)
    headers = {"request-id": request_id, "stripe-version": API_VERSION, **error.headers}
    return Answer(error.status, _error_body(error, request_id), headers)
