"""The switches of an account: how its sandbox misbehaves, and how it retries payments."""

from typing import Literal

import msgspec

from stripe_sandbox.state.documents import Document


class Deliveries(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What happens to webhook deliveries.

    `delay_ms` holds each back, `reorder_ms` holds each back by a random time up to this, `drop`
    loses this share of them for good, `duplicate` sends so many copies more, `paused` keeps all
    of them waiting.
    """

    delay_ms: int = 0
    drop: float = 0.0
    duplicate: int = 0
    paused: bool = False
    reorder_ms: int = 0


class Fault(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """How the next requests to the API fail.

    `error` answers with `status` (and `code`, or the `reason` of a rate limit) and does nothing;
    `lost` does what is asked and then drops the connection instead of answering; `refused` drops
    the connection and does nothing; `slow` does what is asked and answers after `seconds`.
    `method` and `path` (its beginning) narrow down which requests are meant.
    """

    mode: Literal["error", "lost", "refused", "slow"] = "error"
    count: int = 1
    status: int = 500
    code: str | None = None
    reason: str | None = None
    method: str | None = None
    path: str = "/v1/"
    seconds: float = 0.0


class Settings(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """All switches.

    `name`, `address` (lines) and `email` are the merchant's, as invoices show them.
    `fail_next_charges` charges fail with the decline code `fail_with`; `declines` maps payment
    methods to the decline code of every charge of theirs. `retry_days` are the waits between
    automatic attempts, `after_retries` is what becomes of the subscription after the last one.
    `latency_ms` delays every answer of the API. A `revoked` key is refused. `upcoming_days` before
    a renewal `invoice.upcoming` is sent, from the next period on. More than
    `requests_per_second` answer 429; 0 is no limit. Events older than `events_kept_days` are gone;
    0 keeps all. Idempotency keys are forgotten after `idempotency_key_seconds`.
    """

    name: str = "Sandbox"
    address: tuple[str, ...] = ("1 Sandbox Street", "12111 Loopback")
    email: str = "sandbox@example.com"
    after_retries: Literal["past_due", "unpaid", "cancel"] = "past_due"
    declines: dict[str, str] = {}
    deliveries: Deliveries = Deliveries()
    fail_next_charges: int = 0
    fail_next_requests: list[Fault] = []
    fail_with: str = "generic_decline"
    events_kept_days: int = 0
    idempotency_key_seconds: int = 24 * 3_600
    latency_ms: int = 0
    requests_per_second: int = 0
    retry_days: tuple[float, ...] = (3, 5, 7)
    revoked: bool = False
    upcoming_days: int = 7


DEFAULTS: Document = msgspec.to_builtins(Settings())


def changed(settings: Document, change: Document) -> Document:
    """Settings with some switches set; `deliveries` is merged, everything else replaced.

    Raises msgspec.ValidationError for a switch that is none.
    """
    merged = {**settings, **change}
    if isinstance(change.get("deliveries"), dict):
        merged["deliveries"] = {**settings["deliveries"], **change["deliveries"]}
    checked: Document = msgspec.to_builtins(msgspec.convert(merged, Settings))
    return checked


def take_fault(settings: Document, method: str, path: str) -> Document | None:
    """The fault that a request is to suffer, counted down in place; None for none."""
    for fault in settings["fail_next_requests"]:
        if fault["method"] in (None, method) and path.startswith(fault["path"]):
            fault["count"] -= 1
            left = [each for each in settings["fail_next_requests"] if each["count"] > 0]
            settings["fail_next_requests"] = left
            return dict(fault)
    return None
