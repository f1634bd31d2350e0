"""Rows of news, taken away in the unit that follows them."""

from typing import Literal

import msgspec

from guichet.db import Unit

Kind = Literal["attempt", "customer", "invoice", "payment_method", "subscription", "test_clock"]

#: Rows that one unit follows.
BATCH = 100


class Was(msgspec.Struct, frozen=True):
    """What mattered of an object before it changed, as far as its kind has it."""

    status: str | None = None
    attempt_count: int | None = None
    cancel_at_period_end: bool | None = None
    #: Of a payment method.
    customer_id: str | None = None


class Row(msgspec.Struct, frozen=True):
    """A row as it stands; `was` is JSON."""

    id: int
    kind: Kind
    object_id: str
    was: str | None
    is_imported: bool


class News(msgspec.Struct, frozen=True):
    """An object that changed; `was` is None for one that was not there before."""

    kind: Kind
    object_id: str
    was: Was | None
    #: It was there long before an import brought it.
    is_imported: bool = False


def read_news(row: Row) -> News:
    """What a row says; raises `ValueError` where it makes no sense."""
    was = None if row.was is None else msgspec.json.decode(row.was, type=Was)
    return News(row.kind, row.object_id, was, row.is_imported)


async def take_news(unit: Unit, limit: int = BATCH) -> list[Row]:
    """Take the oldest rows that nobody else has in hand; they end with the unit.

    Invoices that an import brings wait for its end: what else there is of them comes behind them.
    """
    rows = await unit.fetch(
        """
        with oldest as (
          select news.id
          from mirror_news as news
          where news.tenant_id = $1
          and news.set_aside_at is null
          and not (
            news.kind = 'invoice'
            and news.was is null
            and exists (
              select
              from imports as import
              where import.tenant_id = $1
              and import.held_until > now()
            )
          )
          order by news.id
          limit $2
          for update skip locked
        )
        delete from mirror_news as news
        using oldest
        where news.tenant_id = $1
        and news.id = oldest.id
        returning
          news.id,
          news.kind,
          news.object_id,
          news.was::text,
          news.was is null and exists (
            select
            from imports as import
            where import.tenant_id = $1
            and import.started_at <= news.noted_at
            and coalesce(import.finished_at, 'infinity') >= news.noted_at
          ) as is_imported
        """,
        unit.tenant_id,
        limit,
    )
    return [Row(*row) for row in rows]


async def set_aside(unit: Unit, row: Row, failure: str) -> None:
    """Keep a row that cannot be followed, with the name of what went wrong, for people to see."""
    await unit.execute(
        """
        update mirror_news
        set set_aside_at = now(), failure = $3
        where tenant_id = $1
        and id = $2
        """,
        unit.tenant_id,
        row.id,
        failure,
    )


async def has_news(unit: Unit) -> bool:
    """Whether anything of the tenant waits to be followed."""
    found: bool = await unit.fetchval(
        """
        select exists (
          select
          from mirror_news
          where tenant_id = $1
          and set_aside_at is null
        )
        """,
        unit.tenant_id,
    )
    return found
