"""What is wrong with a merchant's plans, change rules and ways to cancel, beyond their shape."""

from collections.abc import Iterator

from tenants.cancelling import CancelRules
from tenants.catalog import ChangeRule, ChangeRules
from tenants.mistakes import Mistake


def _(message: str) -> str:
    """Mark a sentence for the catalogues; it is translated where it is shown."""
    return message


def change_mistakes(changes: ChangeRules) -> Iterator[Mistake]:
    """Rules that would give back what was never paid, or that nothing ever reaches."""
    for place, rule in enumerate(changes.rules):
        path = f"changes.rules[{place}]"
        if rule.status == "past_due" and rule.when == "now" and rule.proration != "none":
            text = _(
                "A period that is not paid is not given back: charge nothing for the difference,"
                " or wait for the period's end."
            )
            yield Mistake(f"{path}.proration", text)
        hiding = next(
            (n for n, one in enumerate(changes.rules[:place], 1) if _covers(one, rule)), None
        )
        if hiding is not None:
            text = _("Nothing ever reaches this rule: rule %(number)s stands before it.")
            yield Mistake(f"{path}.direction", text, {"number": hiding})


def _covers(one: ChangeRule, other: ChangeRule) -> bool:
    """Whether every change that fits the other rule fits this one."""
    statuses = {"settled": ("settled", "active", "trialing")}.get(one.status, (one.status,))
    return (
        one.direction in ("any", other.direction)
        and other.status in statuses
        and one.from_plan in ("", other.from_plan)
        and one.to_plan in ("", other.to_plan)
    )


def cancel_mistakes(cancel: CancelRules) -> Iterator[Mistake]:
    """Questions that nobody could answer."""
    if cancel.reasons == "required" and not (cancel.standard_reasons or cancel.own_reasons):
        text = _("Offer one reason at least, or do not ask for one.")
        yield Mistake("cancel.reasons", text)
    for place, reason in enumerate(cancel.own_reasons):
        if not any(reason.text.values()):
            yield Mistake(f"cancel.own_reasons[{place}].text.en", _("Write the reason."))
