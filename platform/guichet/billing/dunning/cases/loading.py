"""What is known of cases now: read from the mirror and our own rows, in few statements for many."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal

import asyncpg
import msgspec
import structlog

from guichet.billing.dunning.cases.cards import card_charges
from guichet.billing.dunning.cases.cases import Attempt, Case
from guichet.billing.dunning.decisions.caps import CardCharge, room
from guichet.billing.dunning.decisions.declines import Verdict, classify
from guichet.billing.dunning.decisions.facts import Facts, Initiator, Method, Try
from guichet.db import Unit

log = structlog.get_logger()

_Outcome = Literal["under_way", "unknown", "succeeded", "declined", "refused", "not_made"]


class Charge(msgspec.Struct, frozen=True, kw_only=True):
    """A charge of the invoice in the mirror, whoever asked for it."""

    id: str
    status: Literal["succeeded", "pending", "failed"]
    payment_method_id: str | None
    failure_code: str | None
    decline_code: str | None
    advice_code: str | None
    network_decline_code: str | None
    network_advice_code: str | None
    network: str | None
    fingerprint: str | None
    created_at: datetime


class Loaded(msgspec.Struct, frozen=True, kw_only=True):
    """A case with all that is decided by."""

    case: Case
    facts: Facts
    #: By number.
    attempts: tuple[Attempt, ...]
    #: Oldest first.
    charges: tuple[Charge, ...]
    #: The database's time: the wall's.
    wall_now: datetime

    def open_attempt(self, initiator: Literal["merchant", "customer"]) -> Attempt | None:
        """The charge of which nobody knows yet what became of it; there is one at most."""
        return next((it for it in self.attempts if it.initiator == initiator and it.is_open), None)

    @property
    def last_decline(self) -> Charge | Attempt | None:
        """What was declined last, with what was said of it."""
        declined: list[tuple[datetime, Charge | Attempt]] = [
            (it.created_at, it) for it in self.charges if it.status == "failed"
        ]
        declined += [(it.started_at, it) for it in self.attempts if it.decline_class]
        return max(declined, key=lambda each: each[0])[1] if declined else None


class _Document(msgspec.Struct, frozen=True, kw_only=True):
    case: Case
    held_up_seconds: float
    now: datetime
    wall_now: datetime
    invoice_status: Literal["draft", "open", "paid", "uncollectible", "void"]
    subscription_status: str | None
    customer_gone: bool
    country: str | None
    region: str | None
    methods: tuple[Method, ...]
    charges: tuple[Charge, ...]
    attempts: tuple[Attempt, ...]


async def lock_case(unit: Unit, invoice_id: str) -> bool:
    """Keep everybody else off a case until the unit ends; answers whether there is one."""
    found = await unit.fetchval(
        """
        select true
        from dunning_cases
        where tenant_id = $1
        and invoice_id = $2
        for update
        """,
        unit.tenant_id,
        invoice_id,
    )
    return bool(found)


async def load_cases(unit: Unit, invoice_ids: Collection[str]) -> list[Loaded]:
    """The cases of these invoices, by invoice; each as it is now and by its customer's time.

    One that cannot be read, as another release may have written it, is left out and logged.
    """
    documents = []
    for row in await _read(unit, list(invoice_ids)):
        try:
            documents.append(msgspec.json.decode(row["document"], type=_Document))
        except ValueError:
            log.exception("case_not_read", tenant=str(unit.tenant_id), invoice=row["invoice_id"])
    cards = {it.fingerprint for each in documents for it in each.methods if it.fingerprint}
    charges = await card_charges(unit, sorted(cards)) if cards else {}
    return [_loaded(document, charges) for document in documents]


async def _read(unit: Unit, invoice_ids: Sequence[str]) -> list[asyncpg.Record]:
    return await unit.fetch(
        """
        select held.invoice_id, json_build_object(
          'case', to_json(held),
          'held_up_seconds', extract(epoch from held.held_up),
          'now', coalesce(clock.frozen_at, now()),
          'wall_now', now(),
          'invoice_status', invoice.status,
          'subscription_status', subscription.status,
          'customer_gone', coalesce(customer.deleted, false),
          'country', customer.address ->> 'country',
          'region', customer.address ->> 'state',
          'methods', (
            select coalesce(
              json_agg(
                json_build_object(
                  'id', method.id,
                  'type', method.type,
                  'network', method.brand,
                  'fingerprint', method.fingerprint,
                  'exp_month', method.exp_month,
                  'exp_year', method.exp_year,
                  'attached_at', method.created_at
                )
                order by
                  method.id is distinct from subscription.default_payment_method_id,
                  method.id is distinct from customer.default_payment_method_id,
                  array_position(customer.fallback_payment_method_ids, method.id),
                  method.created_at desc,
                  method.id
              ),
              '[]'
            )
            from payment_methods as method
            where method.tenant_id = $1
            and method.customer_id = held.customer_id
            and (
              method.id = subscription.default_payment_method_id
              or method.id = customer.default_payment_method_id
              or method.id = any(customer.fallback_payment_method_ids)
              or method.created_at > held.opened_at
            )
          ),
          'charges', (
            select coalesce(json_agg(attempt order by attempt.created_at, attempt.id), '[]')
            from payment_attempts as attempt
            where attempt.tenant_id = $1
            and attempt.payment_intent_id in (
              select payment.payment_intent_id
              from invoice_payments as payment
              where payment.tenant_id = $1
              and payment.invoice_id = held.invoice_id
            )
          ),
          'attempts', (
            select coalesce(json_agg(own order by own.number), '[]')
            from dunning_attempts as own
            where own.tenant_id = $1
            and own.invoice_id = held.invoice_id
          )
        )::text as document
        from dunning_cases as held
        join invoices as invoice
          on invoice.tenant_id = $1
          and invoice.id = held.invoice_id
        left join subscriptions as subscription
          on subscription.tenant_id = $1
          and subscription.id = held.subscription_id
        left join customers as customer
          on customer.tenant_id = $1
          and customer.id = held.customer_id
        left join test_clocks as clock
          on clock.tenant_id = $1
          and clock.id = customer.test_clock_id
        where held.tenant_id = $1
        and held.invoice_id = any($2::text[])
        order by held.invoice_id collate "C"
        """,
        unit.tenant_id,
        invoice_ids,
    )


def _loaded(document: _Document, charges: Mapping[str, Sequence[CardCharge]]) -> Loaded:
    methods = (
        _with_room(method, charges.get(method.fingerprint or "", ()), document.now)
        for method in document.methods
    )
    facts = Facts(
        now=document.now,
        opened_at=document.case.opened_at,
        held_up=timedelta(seconds=document.held_up_seconds) + document.case.lateness(document.now),
        invoice_status=document.invoice_status,
        subscription_status=document.subscription_status,
        customer_gone=document.customer_gone,
        taken=document.case.taken is True,
        asked_for=document.case.wish(document.wall_now),
        country=document.country,
        region=document.region,
        tries=_tries(document.charges, document.attempts),
        methods=tuple(methods),
    )
    return Loaded(
        case=document.case,
        facts=facts,
        attempts=document.attempts,
        charges=document.charges,
        wall_now=document.wall_now,
    )


def _with_room(method: Method, charges: Sequence[CardCharge], now: datetime) -> Method:
    """The method with what the networks' caps leave of it."""
    left = room(method.network, charges, now)
    return msgspec.structs.replace(
        method, allowed_at=left.allowed_at, is_banned=left.is_banned, cap=left.cap
    )


def _tries(charges: Sequence[Charge], attempts: Sequence[Attempt]) -> tuple[Try, ...]:
    """Every attempt at the invoice once, oldest first, with what is known of it from both sides."""
    own = {attempt.charge_id: attempt for attempt in attempts if attempt.charge_id}
    tries = [_of_charge(charge, own.get(charge.id)) for charge in charges]
    mirrored = {charge.id for charge in charges}
    tries += [_of_attempt(each) for each in attempts if each.charge_id not in mirrored]
    return tuple(sorted(tries, key=lambda it: it.at))


def _of_charge(charge: Charge, own: Attempt | None) -> Try:
    outcomes: dict[str, _Outcome] = {"pending": "under_way", "failed": "declined"}
    initiator: Initiator = own.initiator if own else "provider"
    verdict = _classify(charge, charge.failure_code) if charge.status == "failed" else None
    return Try(
        at=charge.created_at,
        initiator=initiator,
        outcome=outcomes.get(charge.status, "succeeded"),
        decline=verdict.decline if verdict else None,
        not_before=charge.created_at + verdict.wait if verdict and verdict.wait else None,
        payment_method_id=charge.payment_method_id,
        fingerprint=charge.fingerprint,
        reasons=own.reasons if own else (),
    )


def _of_attempt(attempt: Attempt) -> Try:
    verdict = _classify(attempt) if attempt.decline_class else None
    return Try(
        at=attempt.started_at,
        initiator=attempt.initiator,
        outcome=_outcome(attempt),
        decline=attempt.decline_class,
        not_before=attempt.started_at + verdict.wait if verdict and verdict.wait else None,
        payment_method_id=attempt.payment_method_id,
        fingerprint=attempt.fingerprint,
        reasons=attempt.reasons,
    )


def _classify(told: Charge | Attempt, failure_code: str | None = None) -> Verdict:
    return classify(
        decline_code=told.decline_code,
        failure_code=failure_code,
        advice_code=told.advice_code,
        network=told.network,
        network_decline_code=told.network_decline_code,
        network_advice_code=told.network_advice_code,
    )


def _outcome(attempt: Attempt) -> _Outcome:
    match attempt.state:
        case "started":
            return "under_way"
        case "needs_authentication":
            return "under_way" if attempt.is_open else "declined"
        case "unknown" | "succeeded" | "declined" | "refused" | "not_made":
            return attempt.state


def next_number(attempts: Sequence[Attempt]) -> int:
    """The number of the invoice's next attempt, counted from 1."""
    return max((attempt.number for attempt in attempts), default=0) + 1
