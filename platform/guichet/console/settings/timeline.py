"""The timeline of a failed payment in words, for the page on which its policy is set."""

from datetime import UTC, datetime
from typing import NamedTuple

from guichet.billing.dunning.decisions.facts import Reason
from guichet.billing.dunning.decisions.reasons import merchant_text
from guichet.billing.dunning.decisions.simulating import Scenario, Step, simulate
from guichet.console.publishing.labels import VALUES
from guichet.theming.locale import Speech
from tenants.retries import RetryPolicy


def _(message: str) -> str:
    """Mark a sentence for the catalogues; it is translated where it is shown."""
    return message


_TITLES = {
    "failed": _("The payment fails"),
    "asks": _("The customer is asked to act"),
    "rests": _("Nothing is tried"),
    "ends": _("Given up"),
}
_ACCESS = {
    "grace": _("Access stays whole"),
    "restricted": _("Access is restricted"),
    "blocked": _("Access is blocked"),
}
_KINDS = {
    "failed": "negative",
    "tried": "info",
    "asks": "caution",
    "rests": "neutral",
    "access": "neutral",
    "ends": "negative",
}


class Told(NamedTuple):
    """One point as the template's `timeline` takes it."""

    when: str
    title: str
    about: str
    kind: str


def tell_timeline(policy: RetryPolicy, scenario: Scenario, words: Speech) -> list[Told]:
    """What the policy would do about the scenario's payment, in the order of time."""
    return [_tell(step, policy, scenario, words) for step in simulate(policy, scenario)]


def _tell(step: Step, policy: RetryPolicy, scenario: Scenario, words: Speech) -> Told:
    day = (step.at - scenario.failed_at).days
    when = words.gettext(
        _("Day %(number)s, %(date)s, %(time)s UTC"),
        number=day,
        date=words.date(step.at, "medium"),
        time=f"{step.at.astimezone(UTC):%H:%M}",
    )
    return Told(when, _title(step, words), " ".join(_about(step, policy, words)), _KINDS[step.kind])


def _title(step: Step, words: Speech) -> str:
    if step.kind == "access":
        return words.gettext(_ACCESS[step.access])
    if step.kind != "tried":
        return words.gettext(_TITLES[step.kind])
    if step.method > 1:
        text = _("Try %(number)s, with the customer’s other card %(method)s")
        return words.gettext(text, number=step.number, method=step.method)
    return words.gettext(_("Try %(number)s"), number=step.number)


def _about(step: Step, policy: RetryPolicy, words: Speech) -> list[str]:
    told = [_reason(reason, words) for reason in step.reasons]
    if step.kind == "ends":
        ending = _("The subscription %(subscription)s; the invoice %(invoice)s.")
        told.append(
            words.gettext(
                ending,
                subscription=words.gettext(VALUES[policy.end.subscription]),
                invoice=words.gettext(VALUES[policy.end.invoice]),
            )
        )
    if step.mail is not None:
        text = _("Mail to the customer: %(mail)s.")
        told.append(words.gettext(text, mail=words.gettext(VALUES[step.mail])))
    return told


def _reason(reason: Reason, words: Speech) -> str:
    message, facts = merchant_text(reason)
    return words.gettext(message, **{name: _fact(value, words) for name, value in facts.items()})


def _fact(value: str | float, words: Speech) -> str | float:
    """A fact as people read it: times are ISO 8601."""
    if isinstance(value, str) and "T" in value:
        try:
            return words.date(datetime.fromisoformat(value))
        except ValueError:
            return value
    return value
