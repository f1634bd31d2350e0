"""A unit of work: one request or one step of a clock, its objects, its events, all or nothing."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import msgspec

from stripe_sandbox.requests.errors import missing
from stripe_sandbox.state.documents import (
    API_VERSION,
    SHOWN,
    Document,
    list_of,
    new_id,
    previous_attributes,
    public,
)
from stripe_sandbox.state.placement import place
from stripe_sandbox.state.store import Store

_encoder = msgspec.json.Encoder()
_CLOCK = "test_helpers.test_clock"
# The words for kinds in "No such …" messages.
_NOUNS = {
    "payment_method": "PaymentMethod",
    "setup_intent": "setupintent",
    _CLOCK: "test_clock",
    "webhook_endpoint": "webhook_endpoint",
    "promotion_code": "promotion code",
    "tax_id": "tax id",
    "credit_note": "credit note",
}


@dataclass
class Account:
    """One account: what its key sees, and the switches that the control page sets for it."""

    id: str
    masked_key: str
    created: int
    settings: Document


@dataclass
class Unit:
    """Everything that one transaction reads and writes. Each object is one dictionary in it."""

    store: Store
    account: Account
    wall: float
    base_url: str
    request: str | None = None
    idempotency_key: str | None = None
    rehearses: bool = False
    off_session: bool | None = None
    _objects: dict[tuple[str, str], Document] = field(default_factory=dict)
    _originals: dict[tuple[str, str], bytes] = field(default_factory=dict)
    _endpoints: list[Document] | None = None

    def find(self, kind: str, identifier: str | None) -> Document | None:
        """An object, or None."""
        if not identifier:
            return None
        key = (kind, identifier)
        if key not in self._objects:
            document = self.store.read(self.account.id, kind, identifier)
            if document is None:
                return None
            self._keep(key, document)
        return self._objects[key]

    def _keep(self, key: tuple[str, str], document: bytes) -> Document:
        if key not in self._objects:
            self._objects[key] = self.store.decode(document)
            self._originals[key] = document
        return self._objects[key]

    def need(self, kind: str, identifier: str, param: str | None = None) -> Document:
        """An object; `param` names the parameter that mentioned it. Raises resource_missing."""
        if found := self.find(kind, identifier):
            return found
        raise missing(_NOUNS.get(kind, kind), identifier, param)

    def every(self, kind: str, **filters: Any) -> Iterator[Document]:
        """The objects of a kind, newest first; filters are those of `Store.select`."""
        for raw in self.store.select(self.account.id, kind, **filters):
            key = (kind, self.store.decode(raw)["id"])
            yield self._keep(key, raw)

    def add(self, document: Document, event: str | None = None) -> Document:
        """A new object, and the event that tells of it."""
        self._write(document)
        if event:
            self.emit(event, document)
        return document

    def update(self, document: Document, event: str | None = None) -> Document:
        """Save an object's changes; the event is sent if there are any that the API shows."""
        key = (document["object"], document["id"])
        original, raw = self._originals[key], _encoder.encode(document)
        if raw == original:
            return document
        self._keep_written(document, raw)
        if event:
            before = public(self.store.decode(original))
            if changed := previous_attributes(before, public(document)):
                self.emit(event, document, changed)
        return document

    def remove(self, document: Document, event: str | None = None) -> Document:
        """Delete an object; the answer is Stripe's `deleted` stub."""
        key = (document["object"], document["id"])
        self.store.delete(self.account.id, *key)
        self._objects.pop(key, None)
        if event:
            self.emit(event, document)
        return {"id": document["id"], "object": document["object"], "deleted": True}

    def _write(self, document: Document) -> None:
        self._keep_written(document, _encoder.encode(document))

    def _keep_written(self, document: Document, raw: bytes) -> None:
        key = (document["object"], document["id"])
        self.store.write(self.account.id, *key, raw, place(document))
        self._objects[key] = document
        self._originals[key] = raw

    def now(self, of: Document | None = None) -> int:
        """The time in an object's world: its test clock's, its customer's, or the wall clock's."""
        return self.clock_time(self._clock_of(of) if of else None)

    def clock_time(self, clock: str | None) -> int:
        """The time on a test clock, or on the wall."""
        found = self.find(_CLOCK, clock)
        return int(found["frozen_time"]) if found else int(self.wall)

    def _clock_of(self, document: Document) -> str | None:
        if document["object"] == _CLOCK:
            return str(document["id"])
        if "test_clock" in document:
            return document["test_clock"] or None
        customer = self.find("customer", document.get("customer"))
        clock: str | None = customer["test_clock"] if customer else document.get("_clock")
        return clock

    @property
    def customer_is_away(self) -> bool:
        """Whether nobody can authenticate a payment: said so, or time alone brought it about."""
        return self.request is None if self.off_session is None else bool(self.off_session)

    def set_wall(self, moment: int) -> None:
        """Go on at another wall time: what was due earlier happens when it was due."""
        self.wall = float(moment)

    def emit(self, kind: str, document: Document, previous: Document | None = None) -> None:
        """Record an event with a snapshot of the object, and queue its deliveries."""
        if self.rehearses:
            return
        data: Document = {"object": public(document)}
        if previous is not None:
            data["previous_attributes"] = previous
        endpoints = [end for end in self._listeners() if listens(end, kind)]
        event: Document = {
            "id": new_id("evt"),
            "object": "event",
            "api_version": API_VERSION,
            "created": self.now(document),
            "data": data,
            "livemode": False,
            "pending_webhooks": len(endpoints),
            "request": {"id": self.request, "idempotency_key": self.idempotency_key},
            "type": kind,
        }
        raw = _encoder.encode(event)
        self.store.write(self.account.id, "event", event["id"], raw, place(event))
        for endpoint in endpoints:
            self._queue(endpoint["id"], event["id"])

    def _queue(self, endpoint: str, event: str) -> None:
        """The account's switches may drop a delivery, delay it, or shuffle it among others."""
        switches = self.account.settings["deliveries"]
        if random.random() < switches["drop"]:  # noqa: S311 - chaos for tests, not a secret
            return
        jitter = random.random() * switches["reorder_ms"]  # noqa: S311
        due = self.wall + (switches["delay_ms"] + jitter) / 1000
        self.store.queue.add(self.account.id, endpoint, event, due)

    def _listeners(self) -> list[Document]:
        if self._endpoints is None:
            self._endpoints = list(self.every("webhook_endpoint", oldest_first=True))
        return self._endpoints

    def forget_listeners(self) -> None:
        """Look the webhook endpoints up again, after one was changed."""
        self._endpoints = None

    @contextmanager
    def rehearsal(self) -> Iterator["Unit"]:
        """A unit to do something in for its outcome only: on leaving, every effect is undone.

        It begins with what is saved, and with the time as it is on the clocks here.
        """
        clocks = [key for key in self._objects if key[0] == _CLOCK]
        rehearsed = Unit(self.store, self.account, self.wall, self.base_url, rehearses=True)
        for key in clocks:
            rehearsed._objects[key] = self.store.decode(_encoder.encode(self._objects[key]))
            rehearsed._originals[key] = self._originals[key]
        self.store.savepoint()
        try:
            yield rehearsed
        finally:
            self.store.return_to_savepoint()

    def unsaved(self) -> list[str]:
        """Objects that were changed and not saved: a mistake in the sandbox itself."""
        return [
            identifier
            for (kind, identifier), document in self._objects.items()
            if self.store.decode(self._originals[kind, identifier]) != document
        ]

    def listing(self, kind: str, url: str, **filters: Any) -> Document:
        """The list of a kind as it shows within another object."""
        found = [public(each) for each in islice(self.every(kind, **filters), SHOWN + 1)]
        return list_of(found[:SHOWN], url, has_more=len(found) > SHOWN)


def listens(endpoint: Document, kind: str) -> bool:
    """Whether an endpoint wants events of a type."""
    wanted = endpoint["enabled_events"]
    return endpoint["status"] == "enabled" and ("*" in wanted or kind in wanted)
