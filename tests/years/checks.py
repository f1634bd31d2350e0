"""What must hold after a year: each check answers what is wrong, in words, or nothing.

They see the provider's charges and our rows as they are in the end, and trust nothing that we say
of ourselves where the provider can be asked.
"""

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from tenants.retries import RetryPolicy
from tests.years.held import CLOSED, FINAL, Held
from tests.years.provider import Charge, Provided

#: Visa's response codes of category 1, "issuer will never approve", and Mastercard's advice codes
#: "do not try again" and "payment cancellation".
#: Sources: https://docs.stripe.com/declines/codes and the networks' rules that it sums up.
_VISA_NEVER = {"04", "07", "12", "14", "15", "41", "43", "46", "57", "R0", "R1", "R3"}
_MASTERCARD_NEVER = {"03", "21"}
#: By network: so many charges in so many days, at most.
_CAPS = {"visa": [(20, 30)], "mastercard": [(10, 1), (35, 30)]}
#: What the provider does by itself is known to us once its event is applied: a storm may last.
_HEARD_AFTER = timedelta(days=3)

Policies = Sequence[tuple[datetime, RetryPolicy]]


def paid_twice(provided: Provided) -> Iterator[str]:
    """Invoices that more than one charge has paid."""
    paid = Counter(it.invoice_id for it in provided.charges if it.succeeded)
    yield from (f"{it} was paid {count} times" for it, count in paid.items() if count > 1)


def charged_twice(provided: Provided) -> Iterator[str]:
    """Attempts for which there is more than one charge."""
    made = Counter(it.key for it in provided.charges if it.is_ours)
    yield from (f"{key} was charged {count} times" for key, count in made.items() if count > 1)


def beyond_caps(provided: Provided) -> Iterator[str]:
    """Charges of ours that the networks' rules leave no room for."""
    by_card: dict[str, list[Charge]] = defaultdict(list)
    for charge in provided.charges:
        earlier = by_card[charge.fingerprint]
        if charge.is_ours:
            yield from _too_often(charge, earlier)
            yield from _never_again(charge, earlier)
        earlier.append(charge)


def _too_often(charge: Charge, earlier: list[Charge]) -> Iterator[str]:
    # What customers ask for themselves counts for nobody, and what is paid is not tried again.
    heard = [
        it
        for it in earlier
        if _is_heard_of(it, charge) and not it.succeeded and not it.is_customers
    ]
    for cap, days in _CAPS.get(charge.network, []):
        since = charge.at - timedelta(days=days)
        count = sum(it.at > since for it in heard)
        if count >= cap:
            yield f"{charge.id} is number {count + 1} on its {charge.network} in {days} days"


def _never_again(charge: Charge, earlier: list[Charge]) -> Iterator[str]:
    """Nothing lifts a ban: neither another invoice, nor what the card has paid since."""
    for it in earlier:
        if _is_heard_of(it, charge) and _forbids(it):
            yield f"{charge.id} repeats what {it.id} forbade: {it.network_code}"


def _is_heard_of(it: Charge, charge: Charge) -> bool:
    return it.is_ours or it.at < charge.at - _HEARD_AFTER


def _forbids(charge: Charge) -> bool:
    if charge.network == "visa":
        return charge.network_code in _VISA_NEVER
    return charge.network == "mastercard" and charge.network_advice in _MASTERCARD_NEVER


def forgotten(held: Held) -> Iterator[str]:
    """Cases that are open and that nobody will come back to."""
    for case in held.cases.values():
        if case.state in CLOSED:
            continue
        if case.due_at is not None and case.due_at <= case.now:
            yield f"{case.invoice_id} was due at {case.due_at} and it is {case.now}: {case.state}"
        if case.state == "waiting" and case.next_attempt_at is None:
            yield f"{case.invoice_id} waits for nothing"
        if case.state in ("attempting", "unknown"):
            yield f"{case.invoice_id} is {case.state} still"
        if case.state == "asking" and case.due_at is None:
            yield f"{case.invoice_id} asks its customer for ever"


def misjudged(provided: Provided, held: Held) -> Iterator[str]:
    """Failed payments without a case, and cases that do not fit their invoices."""
    failed = {it.invoice_id for it in provided.charges if not it.succeeded}
    for invoice in provided.invoices.values():
        followed = held.cases.get(invoice.id)
        if followed is None:
            if invoice.status == "open" and invoice.is_automatic and invoice.id in failed:
                yield f"{invoice.id} failed, and there is no case"
        elif followed.state not in _STATES[invoice.status]:
            yield f"{invoice.id} is {invoice.status}, and its case {followed.state}"


_OPEN = ("waiting", "asking", "provider")
_STATES = {
    "open": (*_OPEN, "given_up"),
    "paid": ("recovered", "paid_elsewhere"),
    "void": ("voided", "given_up"),
    "uncollectible": ("given_up",),
}


def untrue_stories(provided: Provided, held: Held) -> Iterator[str]:
    """Charges that a case does not tell as the provider does, and attempts without an end."""
    theirs: dict[str, list[Charge]] = defaultdict(list)
    for charge in provided.charges:
        theirs[charge.invoice_id].append(charge)
    for invoice_id in held.cases:
        ours = sorted(held.told.get(invoice_id, []))
        expected = sorted((it.id, it.succeeded, it.code, it.method) for it in theirs[invoice_id])
        if ours != expected:
            yield f"{invoice_id}: we tell {ours}, and the provider {expected}"
    yield from _untrue_attempts(provided, held)


def _untrue_attempts(provided: Provided, held: Held) -> Iterator[str]:
    by_key = {it.key: it for it in provided.charges if it.key}
    seen: set[str] = set()
    for attempt in held.attempts:
        name = f"attempt {attempt.number} of {attempt.invoice_id}"
        if attempt.state not in FINAL:
            yield f"{name} is {attempt.state} still"
        if attempt.charge_id in seen:
            yield f"{name} tells a charge that another one tells"
        if attempt.charge_id:
            seen.add(attempt.charge_id)
        charge = by_key.pop(attempt.idempotency_key, None)
        if charge is None:
            if attempt.state in ("succeeded", "declined"):
                yield f"{name} is {attempt.state}, and nothing was charged"
        elif not _tells(attempt.state, attempt.charge_id, attempt.decline_code, charge):
            yield f"{name} tells {attempt}, and the provider {charge}"
    for charge in by_key.values():
        if charge.is_ours:
            yield f"{charge.id} has no attempt: {charge.key}"


def _tells(state: str, charge_id: str | None, code: str | None, charge: Charge) -> bool:
    if charge_id != charge.id:
        return False
    if charge.succeeded:
        return state == "succeeded"
    return state in ("declined", "needs_authentication") and code == charge.code


def both_at_work(provided: Provided, held: Held, policies: Policies) -> Iterator[str]:
    """The provider's own retries beside ours, and ours where they are the provider's or paused."""
    ours_since: dict[str, datetime] = {}
    first: set[str] = set()
    for charge in provided.charges:
        if charge.is_ours:
            ours_since.setdefault(charge.invoice_id, charge.at)
            if all(it.paused or it.collector == "provider" for it in _in_force(policies, charge)):
                yield f"{charge.id} is ours at {charge.at}, and it was not for us"
        elif charge.is_customers or charge.invoice_id not in first:
            first.add(charge.invoice_id)
        elif charge.invoice_id in ours_since and all(
            it.collector == "guichet" for it in _in_force(policies, charge)
        ):
            yield f"{charge.id} is the provider's at {charge.at}, after ours on {charge.invoice_id}"
    for case in held.cases.values():
        invoice = provided.invoices[case.invoice_id]
        if case.taken and case.state in _OPEN and invoice.next_payment_attempt is not None:
            yield f"{case.invoice_id} is taken, and the provider means to try it again"


def _in_force(policies: Policies, charge: Charge) -> list[RetryPolicy]:
    """The policy of that time, and one that was replaced a moment before."""
    times = [since for since, _ in policies]
    last = max(bisect_right(times, charge.at) - 1, 0)
    early = max(bisect_left(times, charge.at - _HEARD_AFTER) - 1, 0)
    return [policy for _, policy in policies[early : last + 1]]


def unlike_policy(
    provided: Provided, held: Held, policy: RetryPolicy, customers: set[str], until: datetime
) -> Iterator[str]:
    """Tries of people who have no money and do nothing: as many as planned, none too early."""
    by_invoice: dict[str, list[Charge]] = defaultdict(list)
    for charge in provided.charges:
        if provided.invoices[charge.invoice_id].customer_id in customers:
            by_invoice[charge.invoice_id].append(charge)
    for invoice_id, charges in by_invoice.items():
        if charges[0].succeeded:
            continue
        ours = [it for it in charges if it.is_ours]
        yield from _too_early(invoice_id, charges[0].at, held, policy)
        window = timedelta(days=policy.window_days)
        if invoice_id in held.cases:
            window += held.cases[invoice_id].held_up
        is_over = until > charges[0].at + window + _HEARD_AFTER
        # In a storm the last one may be too late for the window.
        fewest = policy.tries - 1 if is_over else 0
        if not fewest <= len(ours) <= policy.tries:
            yield f"{invoice_id} was tried {len(ours)} times in {until - charges[0].at}"
        if is_over and held.cases[invoice_id].state != "given_up":
            yield f"{invoice_id} is {held.cases[invoice_id].state} after its window"


def _too_early(
    invoice_id: str, failed_at: datetime, held: Held, policy: RetryPolicy
) -> Iterator[str]:
    """By the time that it was for us: in a storm we hear late of a clock that has moved."""
    before = failed_at
    started = [it for it in held.attempts if it.invoice_id == invoice_id and it.charge_id]
    for days, attempt in zip(policy.waits_days, started, strict=False):
        if attempt.started_at < before + timedelta(days=days):
            passed = attempt.started_at - before
            yield f"attempt {attempt.number} of {invoice_id} was made {passed} after the last one"
        before = attempt.started_at


def wrong_mails(held: Held, received: Counter[str]) -> Iterator[str]:
    """Mails that came twice or never, that nobody queued, or whose fate is not told.

    `received` counts what the server accepted by the id in its Message-ID.
    """
    for mail in held.mails:
        count = received.pop(mail.id, 0)
        if mail.state in ("queued", "sending"):
            yield f"{mail.key} is {mail.state} still"
        if mail.state == "sent" and count != 1:
            yield f"{mail.key} was sent, and received {count} times"
        if mail.state == "suppressed" and count:
            yield f"{mail.key} was suppressed, and received {count} times"
        if mail.state == "failed" and (count > 1 or not mail.reason):
            yield f"{mail.key} failed ({mail.reason}), and was received {count} times"
