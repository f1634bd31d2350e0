"""Each rule within the mirror, with a row that breaks it."""

from typing import NamedTuple
from uuid import UUID

import pytest

from guichet.billing.books import RULES, Difference
from guichet.billing.books.within import ALL, check_within
from guichet.db import Database
from tests.billing.books.conftest import Check


class Fault(NamedTuple):
    """A statement that breaks a rule, and of which kind of object."""

    rule: str
    kind: str
    statement: str


_INVOICE = "(select max(id) from invoices where tenant_id = $1)"
_CHARGE = "(select max(id) from payment_attempts where tenant_id = $1)"

FAULTS = [
    Fault(
        "amount_uncovered",
        "invoice",
        f"""
        update invoice_payments
        set amount_paid = amount_paid - 1
        where tenant_id = $1
        and invoice_id = {_INVOICE}
        """,
    ),
    *(
        Fault(
            "amounts_contradict",
            "invoice",
            f"update invoices set {change} where tenant_id = $1 and id = {_INVOICE}",
        )
        for change in (
            "amount_remaining = 1",
            "status = 'open'",
            "paid_at = null",
            "finalized_at = null",
            "amount_paid = -1",
            "status = 'draft', paid_at = null",
        )
    ),
    Fault(
        "lines_do_not_add_up",
        "invoice",
        f"update invoices set subtotal = subtotal + 1 where tenant_id = $1 and id = {_INVOICE}",
    ),
    Fault(
        "lines_do_not_add_up",
        "invoice",
        f"delete from invoice_lines where tenant_id = $1 and invoice_id = {_INVOICE}",
    ),
    Fault(
        "paid_twice",
        "invoice",
        f"update payment_attempts set amount = 2 * amount where tenant_id = $1 and id = {_CHARGE}",
    ),
    Fault(
        "payment_unknown",
        "attempt",
        f"""
        update invoice_payments
        set status = 'open'
        where tenant_id = $1
        and invoice_id = {_INVOICE}
        """,
    ),
    Fault(
        "payment_unknown",
        "attempt",
        f"""
        insert into invoice_payments (
          tenant_id, invoice_id, id, position, payment_intent_id, status, amount_requested,
          amount_paid, is_default
        )
        select tenant_id, invoice_id, id || 'x', 1, payment_intent_id, status, amount_requested,
          amount_paid, false
        from invoice_payments
        where tenant_id = $1
        and invoice_id = {_INVOICE}
        """,
    ),
    Fault(
        "charge_missing",
        "invoice",
        f"update payment_attempts set status = 'failed' where tenant_id = $1 and id = {_CHARGE}",
    ),
    Fault(
        "charged_twice",
        "attempt",
        """
        insert into payment_attempts (
          tenant_id, id, payment_intent_id, status, currency, amount, amount_refunded, created_at,
          copy_no
        )
        select tenant_id, id || 'x', payment_intent_id, status, currency, 0, 0, created_at, copy_no
        from payment_attempts
        where tenant_id = $1
        """,
    ),
    Fault(
        "price_unknown",
        "subscription",
        "update subscription_items set price_id = 'price_x' where tenant_id = $1",
    ),
    Fault(
        "method_not_attached",
        "customer",
        "update payment_methods set customer_id = null where tenant_id = $1",
    ),
    Fault(
        "method_not_attached",
        "subscription",
        "update payment_methods set customer_id = 'cus_x' where tenant_id = $1",
    ),
    Fault(
        "invoice_unknown",
        "subscription",
        "update subscriptions set latest_invoice_id = 'in_x' where tenant_id = $1",
    ),
    Fault(
        "end_missing",
        "subscription",
        "update subscriptions set ended_at = null where tenant_id = $1",
    ),
    *(
        Fault(
            "object_missing",
            kind,
            f"""
            insert into provider_events (
              tenant_id, id, type, object_id, created_at, body, handled_at
            )
            values ($1, 'evt_1', 'x', '{object_id}', now(), '', now())
            """,
        )
        for kind, object_id in {
            "customer": "cus_x",
            "subscription": "sub_x",
            "invoice": "in_x",
            "attempt": "ch_x",
        }.items()
    ),
    Fault(
        "event_waits",
        "event",
        """
        insert into provider_events (tenant_id, id, type, created_at, body, received_at)
        values ($1, 'evt_1', 'customer.updated', now(), '', now() - interval '11 minutes')
        """,
    ),
    Fault(
        "change_unsettled",
        "change_request",
        """
        insert into change_requests (
          tenant_id, id, customer_id, subscription_id, kind, request, state, started_at
        )
        values (
          $1, gen_random_uuid(), 'cus_1', 'sub_1', 'cancel', 'null', 'unknown',
          now() - interval '3 hours'
        )
        """,
    ),
    Fault(
        "change_charged_twice",
        "change_request",
        """
        with charged as (
          update invoices
          set
            billing_reason = 'subscription_update',
            customer_id = 'cus_1',
            subscription_id = 'sub_1'
          where tenant_id = $1
          returning created_at
        )
        insert into change_requests (
          tenant_id, id, customer_id, subscription_id, kind, request, state, started_at,
          finished_at
        )
        select $1, gen_random_uuid(), 'cus_1', 'sub_1', 'change_plan', 'null', 'done',
          min(created_at), now() + interval '1 second'
        from charged
        """,
    ),
]


async def _broken(db: Database, tenant: UUID) -> list[Difference]:
    return await check_within(db, tenant)


async def test_a_mirror_in_order_breaks_no_rule(db: Database, tenant: UUID) -> None:
    assert await _broken(db, tenant) == []


@pytest.mark.parametrize("fault", FAULTS, ids=lambda it: f"{it.rule}-{it.kind}")
async def test_a_row_that_breaks_a_rule_is_told(db: Database, tenant: UUID, fault: Fault) -> None:
    async with db.unit(tenant) as unit:
        await unit.execute(fault.statement, tenant)
    told = await _broken(db, tenant)
    assert (fault.rule, fault.kind) in {(it.rule, it.kind) for it in told}
    assert all(it.held for it in told)


def test_every_rule_is_broken_once_and_has_its_words() -> None:
    beside = {"differs", "not_here", "not_there", "not_shown"}
    assert {fault.rule for fault in FAULTS} == RULES.keys() - beside
    assert len(ALL) >= len({fault.rule for fault in FAULTS})


async def test_a_broken_rule_that_a_stale_object_explains_is_mended_with_it(
    db: Database, tenant: UUID, check: Check
) -> None:
    async with db.unit(tenant) as unit:
        await unit.execute(
            "update subscriptions set latest_invoice_id = 'in_x' where tenant_id = $1", tenant
        )
    books = await check()
    assert {it.rule for it in books.differences} == {"differs", "invoice_unknown"}
    assert {it.remedy for it in books.differences} == {"fetch_anew"}
    mended = await check(repair=True)
    assert {(it.rule, it.remedy) for it in mended.differences} == {("differs", "fetched_anew")}


async def test_an_event_that_waits_is_told_and_stays_the_workers_business(
    db: Database, tenant: UUID, check: Check
) -> None:
    async with db.unit(tenant) as unit:
        await unit.execute(
            """
            insert into provider_events (
              tenant_id, id, type, created_at, body, received_at, failure
            )
            values (
              $1, 'evt_1', 'customer.updated', now(), '', now() - interval '1 hour',
              'not_applicable'
            )
            """,
            tenant,
        )
    (told,) = (await check(repair=True)).differences
    assert (told.rule, told.kind, told.id, told.remedy) == (
        "event_waits",
        "event",
        "evt_1",
        "retry",
    )
    assert told.held is not None
    assert told.held["failure"] == "not_applicable"


async def test_a_draft_that_was_deleted_before_it_was_seen_is_not_missed(
    db: Database, tenant: UUID, check: Check
) -> None:
    async with db.unit(tenant) as unit:
        await unit.execute(
            """
            insert into provider_events (
              tenant_id, id, type, object_id, created_at, body, handled_at
            )
            values ($1, 'evt_1', 'invoice.deleted', 'in_gone', now(), '', now())
            """,
            tenant,
        )
    assert (await check()).differences == []
