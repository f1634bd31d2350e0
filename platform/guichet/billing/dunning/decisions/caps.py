"""The networks' caps on trying a card again, which no policy can exceed; per card and tenant.

Visa allows 20 tries in 30 days and none after a code of category 1 (Visa Core Rules, ID 0030640,
table 7-2: https://usa.visa.com/dam/VCOM/download/about-visa/visa-rules-public.pdf). Mastercard
allows 10 in 24 hours, 35 in 30 days and none after advice 03 or 21
(https://developers.tabapay.com/docs/excessive-retry-rules). A card of another network, or of one
that nobody told us, has to keep all of them: co-branded cards are cleared by either.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec

from guichet.billing.dunning.decisions.declines import is_forbidden


class Cap(NamedTuple):
    """At most so many tries within any period of that length."""

    name: str
    most: int
    period: timedelta


VISA = (Cap("visa_30_days", 20, timedelta(days=30)),)
MASTERCARD = (
    Cap("mastercard_24_hours", 10, timedelta(hours=24)),
    Cap("mastercard_30_days", 35, timedelta(days=30)),
)
_BY_NETWORK = {"visa": VISA, "mastercard": MASTERCARD}
#: Further back no cap looks; a ban has no end.
LONGEST = timedelta(days=30)


class CardCharge(msgspec.Struct, frozen=True):
    """One earlier charge of a card, failed or not yet settled, for any invoice of the tenant."""

    at: datetime
    #: What the customer asked for uses up nothing; what it told of the card counts all the same.
    is_merchant_initiated: bool
    network_decline_code: str | None = None
    network_advice_code: str | None = None
    #: The provider's own name of the decline, where the network's code did not come along.
    decline_code: str | None = None
    #: The bank took it: what it had forbidden before is over.
    succeeded: bool = False


class Room(NamedTuple):
    """From when a card may be tried again as far as its network goes: `None` is at once."""

    allowed_at: datetime | None = None
    is_banned: bool = False
    #: The rule that speaks, where one does.
    cap: str | None = None


def room(network: str | None, charges: Iterable[CardCharge], now: datetime) -> Room:
    """What the earlier charges of a card leave for a merchant's try.

    All that could ban it have to be given, however old; those that count are not older than
    `LONGEST`. Charges that seem to lie ahead, as a clock that was set back makes them, count.
    """
    told = sorted(charges, key=lambda it: it.at)
    if _is_banned(network, told):
        return Room(is_banned=True, cap="forbidden")
    times = [it.at for it in told if it.is_merchant_initiated and not it.succeeded]
    held = [
        (free_at, cap.name)
        for cap in _BY_NETWORK.get(network or "", VISA + MASTERCARD)
        if (free_at := _free_at(cap, times)) and free_at > now
    ]
    return Room(*_latest(held))


def _free_at(cap: Cap, times: list[datetime]) -> datetime | None:
    """When the oldest of the last `most` tries leaves the period: one more fits in then."""
    return times[-cap.most] + cap.period if len(times) >= cap.most else None


def _latest(held: list[tuple[datetime, str]]) -> tuple[datetime | None, bool, str | None]:
    if not held:
        return None, False, None
    free_at, name = max(held)
    return free_at, False, name


def _is_banned(network: str | None, told: list[CardCharge]) -> bool:
    """Whether the network once forbade to try the card again: nothing lifts that."""
    return any(
        is_forbidden(
            network,
            decline_code=it.decline_code,
            network_decline_code=it.network_decline_code,
            network_advice_code=it.network_advice_code,
        )
        for it in told
        if not it.succeeded
    )
