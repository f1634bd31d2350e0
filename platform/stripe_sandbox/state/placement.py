"""How each kind of object is found, and when it next has something to do; all read off itself."""

from collections.abc import Callable

from stripe_sandbox.passing_time.calendar import Period
from stripe_sandbox.state.documents import Document
from stripe_sandbox.state.store import Placement

DAY = 86_400
TRIAL_NOTICE = 3 * DAY
_EXPIRY_NOTICE = 7 * DAY
INCOMPLETE_LIFETIME = 23 * 3_600

# At one and the same second a schedule changes the items before the renewal bills them, and what
# is billed is finalized after that.
_SCHEDULE_RANK, _SUBSCRIPTION_RANK, _INVOICE_RANK = 0, 1, 2


def place(document: Document) -> Placement:
    """Owner and tag for look-ups, clock and due time for the timers, the time for lists."""
    placed = _PLACES.get(document["object"], _nowhere)(document)
    return Placement(*placed[:-1], document.get("created") or document.get("date") or 0)


def _nowhere(document: Document) -> Placement:
    return Placement()


def _customer(customer: Document) -> Placement:
    return Placement(owner=customer["test_clock"] or "", tag=customer["email"] or "")


def _owned(document: Document) -> Placement:
    return Placement(owner=document["customer"] or "")


def _price(price: Document) -> Placement:
    return Placement(owner=price["product"], tag=price["lookup_key"] or "")


def _promotion_code(promotion_code: Document) -> Placement:
    return Placement(owner=promotion_code["promotion"]["coupon"], tag=promotion_code["code"])


def _event(event: Document) -> Placement:
    return Placement(tag=event["type"])


def _clock(clock: Document) -> Placement:
    return Placement(tag=clock["status"])


def _session(session: Document) -> Placement:
    """An open page is due to expire, in the time of its customer."""
    due = session["expires_at"] if session["status"] == "open" else None
    return Placement(session["customer"] or "", clock=session["_clock"] or "", due=due)


def _charge(charge: Document) -> Placement:
    return Placement(owner=charge["customer"] or "", tag=charge["payment_intent"] or "")


def _refund(refund: Document) -> Placement:
    return Placement(owner=refund["charge"], tag=refund["payment_intent"] or "")


def _credit_note(note: Document) -> Placement:
    return Placement(owner=note["customer"], tag=note["invoice"])


def _invoice_payment(payment: Document) -> Placement:
    return Placement(owner=payment["invoice"], tag=payment["payment"]["payment_intent"] or "")


def _invoice_item(item: Document) -> Placement:
    """Pending items carry a tag, so that the next invoice finds them."""
    return Placement(owner=item["customer"], tag="" if item["invoice"] else "pending")


def _invoice(invoice: Document) -> Placement:
    parent = invoice["parent"] or {}
    subscription = (parent.get("subscription_details") or {}).get("subscription") or ""
    return Placement(
        invoice["customer"], subscription, invoice["test_clock"] or "", _invoice_due(invoice),
        _INVOICE_RANK,
    )  # fmt: skip


def _invoice_due(invoice: Document) -> int | None:
    due: int | None = None
    if invoice["status"] == "draft" and invoice["auto_advance"]:
        due = invoice["automatically_finalizes_at"]
    elif invoice["status"] == "open":
        due = invoice["next_payment_attempt"]
    return due


def _subscription(subscription: Document) -> Placement:
    return Placement(
        owner=subscription["customer"],
        clock=subscription["test_clock"] or "",
        due=subscription_due(subscription),
        rank=_SUBSCRIPTION_RANK,
    )


def subscription_due(subscription: Document) -> int | None:
    """The next moment at which time alone changes this subscription, or none ever."""
    status = subscription["status"]
    if status in ("canceled", "incomplete_expired"):
        return None
    if status == "incomplete":
        return int(subscription["created"]) + INCOMPLETE_LIFETIME
    moments = [subscription["cancel_at"], notice_due(subscription)]
    if subscription["_resuming"]:
        moments.append(subscription["_resuming"]["expires_at"])
    if status != "paused":
        moments += [item["current_period_end"] for item in subscription["items"]["data"]]
    if status == "trialing" and not subscription.get("_trial_notice_sent"):
        moments.append(max(subscription["trial_end"] - TRIAL_NOTICE, subscription["trial_start"]))
    if subscription["pause_collection"]:
        moments.append(subscription["pause_collection"]["resumes_at"])
    if subscription["pending_update"]:
        moments.append(subscription["pending_update"]["expires_at"])
    return min((moment for moment in moments if moment is not None), default=None)


def notice_period(subscription: Document) -> Period:
    """The period that ends first: its renewal is what `invoice.upcoming` tells of."""
    first = min(subscription["items"]["data"], key=lambda item: int(item["current_period_end"]))
    return Period(first["current_period_start"], first["current_period_end"])


def notice_due(subscription: Document) -> int | None:
    """When the renewal to come is announced; not for periods shorter than the notice."""
    if subscription["status"] not in ("active", "past_due", "trialing"):
        return None
    period, end = notice_period(subscription), subscription["cancel_at"]
    moment = period.end - subscription["_notice_days"] * DAY
    told = subscription["_noticed"] == period.end or (end is not None and end <= period.end)
    return None if told or not period.start < moment < period.end else moment


def schedule_notice(schedule: Document) -> int | None:
    """When it is told that a schedule is about to expire, a week before."""
    end = int(schedule["phases"][-1]["end_date"])
    moment = end - _EXPIRY_NOTICE
    told = schedule.get("_expiry_told") == end or moment <= schedule["phases"][0]["start_date"]
    return None if told or schedule["status"] != "active" else moment


def _schedule(schedule: Document) -> Placement:
    due = None
    if schedule["status"] == "not_started":
        due = schedule["phases"][0]["start_date"]
    elif schedule["status"] == "active":
        told = schedule_notice(schedule)
        ends = schedule["current_phase"]["end_date"]
        due = ends if told is None else min(ends, told)
    return Placement(
        owner=schedule["customer"],
        tag=schedule["subscription"] or "",
        clock=schedule["test_clock"] or "",
        due=due,
        rank=_SCHEDULE_RANK,
    )


_PLACES: dict[str, Callable[[Document], Placement]] = {
    "checkout.session": _session,
    "customer": _customer,
    "customer_balance_transaction": _owned,
    "payment_method": _owned,
    "payment_intent": _owned,
    "price": _price,
    "promotion_code": _promotion_code,
    "event": _event,
    "charge": _charge,
    "invoice_payment": _invoice_payment,
    "invoiceitem": _invoice_item,
    "invoice": _invoice,
    "credit_note": _credit_note,
    "refund": _refund,
    "setup_intent": _owned,
    "subscription": _subscription,
    "subscription_schedule": _schedule,
    "tax_id": _owned,
    "test_helpers.test_clock": _clock,
}
