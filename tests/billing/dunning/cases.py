"""Facts about failed payments, made up: a case of a customer with one card, an hour old."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from guichet.billing.dunning.decisions.facts import Facts, Method, Reason, Try

OPENED = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
CARD = Method(id="pm_a", fingerprint="a", attached_at=OPENED - timedelta(days=100))
OTHER = Method(id="pm_b", fingerprint="b", attached_at=OPENED - timedelta(days=90))


def a_try(
    days: float = 0,
    *,
    by: str = "merchant",
    decline: str | None = "later",
    on: Method = CARD,
    why: tuple[str, ...] = (),
    **others: Any,
) -> Try:
    """A declined try so many days after the first failure."""
    given = {"outcome": "declined" if decline else "succeeded", **others}
    return Try(
        at=OPENED + timedelta(days=days),
        initiator=by,  # type: ignore[arg-type]
        decline=decline,  # type: ignore[arg-type]
        payment_method_id=on.id,
        fingerprint=on.fingerprint,
        reasons=tuple(Reason(code) for code in why),
        **given,
    )


FIRST = a_try(by="provider")


def facts(
    *tries: Try, days: float = 1 / 24, methods: tuple[Method, ...] = (CARD,), **others: Any
) -> Facts:
    """The case so many days after the first failure, which is among the tries by itself."""
    given: dict[str, Any] = {"invoice_status": "open", "subscription_status": "past_due", **others}
    return Facts(
        now=OPENED + timedelta(days=days),
        opened_at=OPENED,
        tries=(FIRST, *tries),
        methods=methods,
        **given,
    )


def later(known: Facts, moment: datetime) -> Facts:
    """The same case when nothing but time has gone by."""
    return msgspec.structs.replace(known, now=moment)
