"""News followed in batches: taken, and what follows from it written, in one unit."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from uuid import UUID

import asyncpg
import msgspec
import structlog
from prometheus_client import Counter

from guichet.billing.dunning.cases.opening import (
    give_back_access,
    lock_cases,
    note_first_failures,
    open_cases,
    opens_case,
    wake_cases,
)
from guichet.billing.dunning.cases.owing import read_invoices
from guichet.billing.mails import queue_mails
from guichet.billing.news.receipts import needs_receipt, receipts
from guichet.billing.news.taking import (
    BATCH,
    Kind,
    News,
    Row,
    Was,
    read_news,
    set_aside,
    take_news,
)
from guichet.billing.subscription_mails import cancellations
from guichet.db import LOST, Database, Unit
from guichet.errors import Unavailable
from tenants.configuration import Configuration

log = structlog.get_logger()

#: The job that follows a tenant's news.
FOLLOW_NEWS = "follow_news"

_set_aside = Counter("guichet_news_set_aside_total", "News that could not be followed.", ["kind"])

#: A subscription that ends in one of these is one that somebody had.
_BEGUN = ("trialing", "active", "past_due", "unpaid", "paused")

#: What one row may end in, as opposed to what holds up all of them.
_UNFIT = (
    ValueError,
    asyncpg.DataError,
    asyncpg.CardinalityViolationError,
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.ProgramLimitExceededError,
)


class Followed(msgspec.Struct):
    """What became of a tenant's news, for whoever knocks for what follows."""

    rows: int = 0
    #: Cases that somebody is to look at.
    cases: int = 0
    mails: int = 0
    #: Test clocks that moved.
    clocks: frozenset[str] = frozenset()

    def add(self, other: "Followed") -> None:
        self.rows += other.rows
        self.cases += other.cases
        self.mails += other.mails
        self.clocks |= other.clocks


async def follow_news(db: Database, tenant_id: UUID, configuration: Configuration) -> Followed:
    """Follow what waits for a tenant until nothing is left.

    A row that cannot be followed holds up no other: it is set aside.
    """
    done = Followed()
    while True:
        try:
            async with db.unit(tenant_id) as unit:
                rows = await take_news(unit)
                followed = await _follow(unit, rows, configuration)
        except Exception as error:
            if _is_passing(error):
                raise
            log.warning("news_followed_singly", tenant=str(tenant_id), reason=type(error).__name__)
            await _follow_singly(db, tenant_id, configuration, done)
        else:
            done.add(followed)
            if len(rows) < BATCH:
                return done


def _is_passing(error: Exception) -> bool:
    """Whether it is no fault of what was followed, which then waits."""
    return isinstance(error, (OSError, Unavailable, *LOST)) and not isinstance(error, _UNFIT)


async def _follow_singly(
    db: Database, tenant_id: UUID, configuration: Configuration, done: Followed
) -> None:
    for _ in range(BATCH):
        async with db.unit(tenant_id) as unit:
            rows: list[Row] = []
            try:
                async with unit.connection.transaction():
                    rows = await take_news(unit, 1)
                    followed = await _follow(unit, rows, configuration)
            except Exception as error:
                if _is_passing(error) or not rows:
                    raise
                await _note_unfit(unit, rows[0], error)
                continue
        if not rows:
            return
        done.add(followed)


async def _note_unfit(unit: Unit, row: Row, error: Exception) -> None:
    failure = type(error).__name__
    await set_aside(unit, row, failure)
    _set_aside.labels(row.kind).inc()
    log.error(
        "news_set_aside",
        tenant=str(unit.tenant_id),
        code=row.kind,
        object=row.object_id,
        reason=failure,
        exc_info=error,
    )


async def _follow(unit: Unit, rows: Sequence[Row], configuration: Configuration) -> Followed:
    """What follows: all cases are locked before the first mail is queued."""
    if not rows:
        return Followed()
    news = [read_news(row) for row in rows]
    invoices = await read_invoices(unit, _ids(news, "invoice"))
    window = timedelta(days=configuration.retries.window_days)
    imported = {it.object_id for it in news if it.is_imported}
    failing_first = _ids(news, "invoice", lambda was: was.attempt_count == 0)
    await open_cases(
        unit,
        [it for it in invoices if opens_case(it, is_first=it.id in failing_first, window=window)],
    )
    concerned = await lock_cases(
        unit,
        invoices=[it.id for it in invoices],
        subscriptions=_ids(news, "subscription"),
        customers=await _customers(unit, news),
        test_clocks=_ids(news, "test_clock"),
        attempts=_ids(news, "attempt"),
    )
    paid = [it.id for it in invoices if it.status == "paid"]
    woken = await wake_cases(unit, concerned.to_wake, paid)
    await note_first_failures(unit, concerned.to_date)
    await give_back_access(unit, invoices)
    mails = [
        *await receipts(
            unit, [it for it in invoices if it.id not in imported and needs_receipt(it)]
        ),
        *await cancellations(
            unit,
            ended=_ids(news, "subscription", lambda was: was.status in _BEGUN),
            ending=_ids(news, "subscription", lambda was: was.cancel_at_period_end is False),
        ),
    ]
    return Followed(
        rows=len(rows),
        cases=woken,
        mails=await queue_mails(unit, mails, configuration.mails),
        clocks=frozenset(_ids(news, "test_clock")),
    )


def _ids(
    news: Sequence[News], kind: Kind, if_was: Callable[[Was], bool] | None = None
) -> list[str]:
    """The objects of a kind, in order; where `if_was` is given, those that it holds for."""
    return sorted(
        {
            it.object_id
            for it in news
            if it.kind == kind and (if_was is None or (it.was is not None and if_was(it.was)))
        }
    )


async def _customers(unit: Unit, news: Sequence[News]) -> list[str]:
    """Whose cases may go on otherwise now: with other methods, or a charge nobody told us of.

    What became of a charge of ours is written with it, so that its news says nothing new.
    """
    methods, attempts = _ids(news, "payment_method"), _ids(news, "attempt")
    customers = set(_ids(news, "customer"))
    customers |= {it.was.customer_id for it in news if it.was and it.was.customer_id}
    if methods or attempts:
        rows = await unit.fetch(
            """
            select method.customer_id
            from payment_methods as method
            where method.tenant_id = $1
            and method.id = any($2::text[])
            and method.customer_id is not null
            union
            select attempt.customer_id
            from payment_attempts as attempt
            where attempt.tenant_id = $1
            and attempt.id = any($3::text[])
            and attempt.customer_id is not null
            and not exists (
              select
              from dunning_attempts as ours
              where ours.tenant_id = $1
              and ours.charge_id = attempt.id
              and ours.finished_at is not null
            )
            """,
            unit.tenant_id,
            methods,
            attempts,
        )
        customers |= {row["customer_id"] for row in rows}
    return sorted(customers)
