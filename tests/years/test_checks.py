"""A look at the end of a year sees what is wrong, and only that."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tenants.retries import POLAR, RetryPolicy
from tests.years import checks
from tests.years.held import Attempt, Case, Held, Mail, Told
from tests.years.provider import OUR_KEYS, Charge, Invoice, Provided

_START = datetime(2027, 1, 1, tzinfo=UTC)
_OURS = RetryPolicy(collector="guichet")
_THEIRS = RetryPolicy(collector="provider")


def _charge(
    number: int,
    day: float,
    *,
    ours: bool = True,
    pays: bool = False,
    network: str = "visa",
    code: str = "51",
) -> Charge:
    """The `number`-th charge of invoice `in_1`, with the same card each time."""
    return Charge(
        f"ch_{number}",
        "in_1",
        _START + timedelta(days=day),
        "pm_1",
        "card",
        network,
        pays,
        None if pays else "insufficient_funds",
        None if pays else code,
        None if pays else "02",
        f"{OUR_KEYS}in_1:{number}" if ours else None,
    )


def _provided(*charges: Charge, status: str = "open", again: int | None = None) -> Provided:
    return Provided(list(charges), {"in_1": Invoice("in_1", "cus_1", status, True, again)})


def _attempt(number: int, state: str = "declined", **more: Any) -> Attempt:
    attempt = Attempt(
        "in_1",
        number,
        "merchant",
        f"{OUR_KEYS}in_1:{number}",
        state,
        "insufficient_funds",
        "pm_1",
        f"ch_{number}",
        _START,
    )
    return attempt._replace(**more)


def _told(*charges: Charge) -> list[Told]:
    return [Told(it.id, it.succeeded, it.code, it.method) for it in charges]


def _held(
    state: str = "waiting",
    *,
    attempts: tuple[Attempt, ...] = (),
    told: tuple[Charge, ...] = (),
    mails: tuple[Mail, ...] = (),
    days_ahead: float | None = 1,
) -> Held:
    """A case of `in_1` whose next attempt is so many days ahead of the present."""
    at = None if days_ahead is None else _START + timedelta(days=days_ahead)
    case = Case("in_1", state, at, at, taken=True, held_up=timedelta(), now=_START)
    return Held({"in_1": case}, list(attempts), {"in_1": _told(*told)}, list(mails))


FIRST = _charge(0, 0, ours=False)


def test_an_invoice_that_two_charges_paid_is_seen() -> None:
    assert not list(checks.paid_twice(_provided(FIRST, _charge(1, 1, pays=True))))
    twice = _provided(_charge(1, 1, pays=True), _charge(2, 2, pays=True))
    assert len(list(checks.paid_twice(twice))) == 1


def test_a_second_charge_for_one_attempt_is_seen() -> None:
    again = _charge(1, 1)._replace(id="ch_again")
    assert len(list(checks.charged_twice(_provided(_charge(1, 1), again)))) == 1


@pytest.mark.parametrize(
    ("network", "allowed", "hours"),
    [("visa", 20, 24), ("mastercard", 10, 1), ("mastercard", 35, 6)],
)
def test_the_first_charge_beyond_a_cap_is_seen(network: str, allowed: int, hours: int) -> None:
    charges = [_charge(it, it * hours / 24, network=network) for it in range(allowed + 1)]
    assert not list(checks.beyond_caps(_provided(*charges[:allowed])))
    assert len(list(checks.beyond_caps(_provided(*charges)))) == 1


def test_charges_of_a_customer_leave_the_merchants_room_alone() -> None:
    own = [_charge(it, it / 10)._replace(key=f"guichet-payment:{it}") for it in range(40)]
    assert not list(checks.beyond_caps(_provided(*own, _charge(50, 5))))


def test_a_repetition_of_what_the_network_forbade_is_seen() -> None:
    forbidden = _provided(_charge(1, 1, code="R0"), _charge(2, 9))
    assert len(list(checks.beyond_caps(forbidden))) == 1
    allowed = _provided(_charge(1, 1, code="59"), _charge(2, 9))
    assert not list(checks.beyond_caps(allowed))


@pytest.mark.parametrize("invoice", ["in_1", "in_3"])
@pytest.mark.parametrize("days", [9, 900])
def test_a_ban_that_is_broken_after_the_card_has_paid_is_seen(invoice: str, days: int) -> None:
    forbidden = _charge(1, 1, code="R0")
    paid = _charge(2, 5, ours=False, pays=True)._replace(invoice_id="in_2")
    again = _charge(3, days)._replace(invoice_id=invoice)
    assert len(list(checks.beyond_caps(_provided(forbidden, paid, again)))) == 1
    assert not list(checks.beyond_caps(_provided(paid, again)))
    # Who was banned may still pay by themselves.
    own = again._replace(key="guichet-payment:1")
    assert not list(checks.beyond_caps(_provided(forbidden, paid, own)))


@pytest.mark.parametrize(
    ("held", "wrong"),
    [
        (_held(), 0),
        (_held(days_ahead=-0.1), 1),
        (_held(days_ahead=None), 1),
        (_held("asking", days_ahead=None), 1),
        (_held("unknown"), 1),
        (_held("provider", days_ahead=None), 0),
        (_held("given_up", days_ahead=-3), 0),
    ],
)
def test_a_case_that_nobody_comes_back_to_is_seen(held: Held, wrong: int) -> None:
    assert len(list(checks.forgotten(held))) == wrong


def test_a_failed_payment_without_a_case_is_seen() -> None:
    nothing = Held({}, [], {}, [])
    assert len(list(checks.misjudged(_provided(FIRST), nothing))) == 1
    assert not list(checks.misjudged(_provided(FIRST, status="paid"), nothing))


@pytest.mark.parametrize(
    ("status", "state", "wrong"),
    [
        ("open", "waiting", 0),
        ("open", "given_up", 0),
        ("open", "recovered", 1),
        ("paid", "waiting", 1),
        ("paid", "given_up", 1),
        ("void", "asking", 1),
        ("uncollectible", "given_up", 0),
    ],
)
def test_a_case_that_does_not_fit_its_invoice_is_seen(status: str, state: str, wrong: int) -> None:
    provided = _provided(FIRST, status=status)
    assert len(list(checks.misjudged(provided, _held(state)))) == wrong


def test_a_true_story_is_left_alone() -> None:
    ours = _charge(1, 1)
    held = _held(attempts=(_attempt(1),), told=(FIRST, ours))
    assert not list(checks.untrue_stories(_provided(FIRST, ours), held))


@pytest.mark.parametrize(
    "held",
    [
        _held(attempts=(_attempt(1),), told=(FIRST,)),
        _held(attempts=(), told=(FIRST, _charge(1, 1))),
        _held(attempts=(_attempt(1, "unknown"),), told=(FIRST, _charge(1, 1))),
        _held(attempts=(_attempt(1, "succeeded"),), told=(FIRST, _charge(1, 1))),
        _held(attempts=(_attempt(1, charge_id="ch_0"),), told=(FIRST, _charge(1, 1))),
        _held(attempts=(_attempt(1, decline_code="lost_card"),), told=(FIRST, _charge(1, 1))),
        _held(attempts=(_attempt(1), _attempt(2)), told=(FIRST, _charge(1, 1))),
        _held(attempts=(_attempt(1),), told=(FIRST, _charge(1, 1)._replace(method="pm_2"))),
    ],
)
def test_a_story_that_differs_from_the_providers_is_seen(held: Held) -> None:
    assert list(checks.untrue_stories(_provided(FIRST, _charge(1, 1)), held))


def test_the_providers_own_retry_after_ours_is_seen() -> None:
    policies = [(_START, _OURS)]
    theirs = _charge(2, 9, ours=False)
    assert not list(checks.both_at_work(_provided(FIRST, _charge(1, 1)), _held(), policies))
    seen = checks.both_at_work(_provided(FIRST, _charge(1, 1), theirs), _held(), policies)
    assert len(list(seen)) == 1
    handed_back = [*policies, (_START + timedelta(days=5), _THEIRS)]
    provided = _provided(FIRST, _charge(1, 1), theirs)
    assert not list(checks.both_at_work(provided, _held(), handed_back))


def test_a_retry_of_ours_that_is_the_providers_business_is_seen() -> None:
    policies = [(_START, _OURS), (_START + timedelta(days=5), _THEIRS)]
    late = checks.both_at_work(_provided(FIRST, _charge(1, 12)), _held(), policies)
    assert len(list(late)) == 1
    at_once = [(_START, _THEIRS), (_START + timedelta(days=12), _OURS)]
    assert not list(checks.both_at_work(_provided(FIRST, _charge(1, 12)), _held(), at_once))
    planned = checks.both_at_work(_provided(FIRST, again=1), _held(), [(_START, _OURS)])
    assert len(list(planned)) == 1


@pytest.mark.parametrize(
    ("days", "state", "wrong"),
    [
        ((2, 7, 14, 21), "given_up", 0),
        ((2, 7, 14, 21), "waiting", 1),
        ((2, 6.9, 14, 21), "given_up", 1),
        ((2, 7), "given_up", 1),
        ((2, 7, 14, 21, 29), "given_up", 1),
    ],
)
def test_tries_unlike_their_policy_are_seen(days: tuple[int, ...], state: str, wrong: int) -> None:
    provided = _provided(FIRST, *(_charge(1 + it, day) for it, day in enumerate(days)))
    attempts = [
        _attempt(1 + it, started_at=_START + timedelta(days=day)) for it, day in enumerate(days)
    ]
    held = _held(state, attempts=tuple(attempts))
    until = _START + timedelta(days=60)
    seen = checks.unlike_policy(provided, held, POLAR, {"cus_1"}, until)
    assert len(list(seen)) == wrong
    assert not list(checks.unlike_policy(provided, held, POLAR, {"cus_2"}, until))


@pytest.mark.parametrize(
    ("state", "count", "wrong"),
    [
        ("sent", 1, 0),
        ("sent", 2, 1),
        ("sent", 0, 1),
        ("failed", 1, 0),
        ("failed", 2, 1),
        ("suppressed", 1, 1),
        ("queued", 0, 1),
    ],
)
def test_a_mail_whose_fate_is_not_as_told_is_seen(state: str, count: int, wrong: int) -> None:
    held = _held(mails=(Mail("1", "payment_failed", "payment_failed:in_1:1", state, "said"),))
    assert len(list(checks.wrong_mails(held, Counter({"1": count})))) == wrong
