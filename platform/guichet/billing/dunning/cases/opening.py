"""Cases opened, and looked at again, because of what changed in the mirror."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

import msgspec

from guichet.billing.dunning.cases.granting import write_access
from guichet.billing.dunning.cases.owing import InvoiceNow
from guichet.db import Unit

#: Of a first payment nobody knows yet whether it will be made: whoever signs up is there to do it.
_NOT_BEGUN = ("incomplete", "incomplete_expired")


class Opening(msgspec.Struct, frozen=True):
    """A case that was just opened, and when its invoice's payment failed first."""

    invoice_id: str
    opened_at: datetime


def opens_case(invoice: InvoiceNow, *, is_first: bool, window: timedelta) -> bool:
    """Whether a failed payment is followed from now on.

    `is_first` says that we have seen it fail for the first time. What failed longer ago than the
    policy's `window` before we came, as an import brings it, would be given up at once: it is left
    to whoever has dealt with it so far.
    """
    if (
        invoice.status != "open"
        or invoice.collection_method != "charge_automatically"
        or invoice.attempt_count == 0
        or invoice.remaining <= 0
        or invoice.is_for_pending_update
        or _is_first_payment(invoice)
    ):
        return False
    return is_first or _opened_at(invoice) > invoice.now - window


def _is_first_payment(invoice: InvoiceNow) -> bool:
    if invoice.subscription_status is None:
        return invoice.billing_reason == "subscription_create"
    return invoice.subscription_status in _NOT_BEGUN


def _opened_at(invoice: InvoiceNow) -> datetime:
    return invoice.first_failure_at or invoice.now


async def open_cases(unit: Unit, invoices: Sequence[InvoiceNow]) -> list[Opening]:
    """Open cases, to be looked at at once; answers those that were not there yet."""
    if not invoices:
        return []
    rows = await unit.fetch(
        """
        insert into dunning_cases (
          tenant_id, invoice_id, customer_id, subscription_id, test_clock_id, state, opened_at
        )
        select
          $1,
          failed.invoice_id,
          failed.customer_id,
          failed.subscription_id,
          failed.test_clock_id,
          'waiting',
          failed.opened_at
        from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[])
          as failed (invoice_id, customer_id, subscription_id, test_clock_id, opened_at)
        order by failed.invoice_id collate "C"
        on conflict (tenant_id, invoice_id) do nothing
        returning invoice_id, opened_at
        """,
        unit.tenant_id,
        [invoice.id for invoice in invoices],
        [invoice.customer_id for invoice in invoices],
        [invoice.subscription_id for invoice in invoices],
        [invoice.test_clock_id for invoice in invoices],
        [_opened_at(invoice) for invoice in invoices],
    )
    return [Opening(row["invoice_id"], row["opened_at"]) for row in rows]


class Concerned(msgspec.Struct, frozen=True):
    """Cases that news is about, all of them locked."""

    #: Those to look at again.
    to_wake: list[str]
    #: Those of refused charges, which may have begun earlier than anybody knew.
    to_date: list[str]


async def lock_cases(
    unit: Unit,
    *,
    invoices: Collection[str] = (),
    subscriptions: Collection[str] = (),
    customers: Collection[str] = (),
    test_clocks: Collection[str] = (),
    attempts: Collection[str] = (),
) -> Concerned:
    """Lock every case that news is about, in the one order in which cases are locked.

    Those of the invoices, also closed ones; and open ones of the subscriptions and customers, that
    are due by now by one of the clocks, or that one of the attempts was refused for.
    """
    if not (invoices or subscriptions or customers or test_clocks or attempts):
        return Concerned([], [])
    rows = await unit.fetch(
        """
        select
          dunning_case.invoice_id,
          news.is_told,
          news.is_refused
        from dunning_cases as dunning_case
        cross join lateral (
          select
            dunning_case.invoice_id = any($2::text[])
            or dunning_case.wake_at is not null
            and (
              dunning_case.subscription_id = any($3::text[])
              or dunning_case.customer_id = any($4::text[])
              or dunning_case.test_clock_id = any($5::text[])
              and dunning_case.due_at <= (
                select clock.frozen_at
                from test_clocks as clock
                where clock.tenant_id = $1
                and clock.id = dunning_case.test_clock_id
              )
            ) as is_told,
            dunning_case.wake_at is not null
            and dunning_case.invoice_id = any($6::text[]) as is_refused
        ) as news
        where dunning_case.tenant_id = $1
        and (news.is_told or news.is_refused)
        order by dunning_case.invoice_id collate "C"
        for update of dunning_case
        """,
        unit.tenant_id,
        list(invoices),
        list(subscriptions),
        list(customers),
        list(test_clocks),
        await _refused(unit, attempts),
    )
    return Concerned(
        [row["invoice_id"] for row in rows if row["is_told"]],
        [row["invoice_id"] for row in rows if row["is_refused"]],
    )


async def _refused(unit: Unit, attempts: Collection[str]) -> list[str]:
    """The invoices that these attempts were refused for."""
    if not attempts:
        return []
    rows = await unit.fetch(
        """
        select distinct payment.invoice_id
        from payment_attempts as attempt
        join invoice_payments as payment
          on payment.tenant_id = $1
          and payment.payment_intent_id = attempt.payment_intent_id
        where attempt.tenant_id = $1
        and attempt.id = any($2::text[])
        and attempt.status = 'failed'
        """,
        unit.tenant_id,
        list(attempts),
    )
    return [row["invoice_id"] for row in rows]


async def wake_cases(unit: Unit, locked: Collection[str], paid: Collection[str] = ()) -> int:
    """Have open cases looked at at once; answers how many.

    Those given up whose invoice was `paid` all the same are open again. Whoever has a charge under
    way looks anew when that is settled: such cases are left alone. Of one that nobody knows the
    outcome of, news may be the first word, and a look never charges twice. The cases are `locked`,
    so that whoever was settling one has either seen what changed or was waited for.
    """
    if not locked:
        return 0
    return await unit.fetchval(  # type: ignore[no-any-return]
        """
        with woken as (
          update dunning_cases
          set
            state = case when state = 'given_up' then 'waiting' else state end,
            closed_at = null,
            wake_at = '-infinity'
          where tenant_id = $1
          and invoice_id = any($2::text[])
          and (
            closed_at is null and state <> 'attempting'
            or state = 'given_up' and invoice_id = any($3::text[])
          )
          returning 1
        )
        select count(1)
        from woken
        """,
        unit.tenant_id,
        list(locked),
        list(paid),
    )


async def give_back_access(unit: Unit, invoices: Sequence[InvoiceNow]) -> None:
    """Have what was given up count no longer once it is void: nobody looks at such a case again."""
    forgiven = [it for it in invoices if it.has_case and it.status == "void"]
    await write_access(unit, {it.subscription_id for it in forgiven if it.subscription_id})


async def note_first_failures(unit: Unit, locked: Collection[str]) -> None:
    """Have cases begin with the first refused charge, which the mirror may learn of afterwards.

    That may be later than they opened: of a clock that has moved the mirror may learn last.
    """
    if not locked:
        return
    await unit.execute(
        """
        with failure as (
          select
            payment.invoice_id,
            min(attempt.created_at) as failed_at
          from invoice_payments as payment
          join payment_attempts as attempt
            on attempt.tenant_id = $1
            and attempt.payment_intent_id = payment.payment_intent_id
          where payment.tenant_id = $1
          and payment.invoice_id = any($2::text[])
          and attempt.status = 'failed'
          group by payment.invoice_id
        )
        update dunning_cases as held
        set opened_at = failure.failed_at
        from failure
        where held.tenant_id = $1
        and held.invoice_id = failure.invoice_id
        and held.wake_at is not null
        and held.opened_at <> failure.failed_at
        """,
        unit.tenant_id,
        list(locked),
    )
