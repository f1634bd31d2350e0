"""What customers are asked when they cancel, and what they answered."""

from collections.abc import Mapping
from typing import Literal

import msgspec

from guichet.billing.changes import ChangeRefused
from guichet.payments.orders import Cancellation
from tenants.cancelling import STANDARD_REASONS, CancelRules, OwnReason, StandardReason
from tenants.configuration import Configuration

When = Literal["period_end", "now"]

#: In characters; with a merchant's own reason before it, far below what the provider takes.
LONGEST_COMMENT = 500


class ReasonMissing(ChangeRefused):
    """Please choose why you cancel. Your subscription is not cancelled yet."""

    status = 422
    code = "reason_missing"


class WhenMissing(ChangeRefused):
    """Please choose when it ends. Your subscription is not cancelled yet."""

    status = 422
    code = "when_missing"


class CommentTooLong(ChangeRefused):
    """Please write 500 characters at most. Your subscription is not cancelled yet."""

    status = 422
    code = "comment_too_long"


class CancellingChanged(ChangeRefused):
    """The merchant has changed how this is done. Please check it once more before you confirm."""

    code = "cancelling_changed"


class Reason(msgspec.Struct, frozen=True):
    """One reason to choose from; a standard one has no text, and pages word it by its value."""

    value: str
    text: str
    is_chosen: bool


class CancelForm(msgspec.Struct, frozen=True):
    """What the page asks."""

    #: When it ends; the customer chooses where there are two.
    whens: tuple[When, ...]
    when: When
    #: Whether an end at once gives back what is paid and not used.
    gives_credit: bool
    reasons: tuple[Reason, ...]
    is_reason_required: bool
    asks_comment: bool
    longest_comment: int
    comment: str
    #: What the page promises: other rules than these have to be shown before they are applied.
    terms: str


def cancel_form(rules: CancelRules, locale: str, typed: Mapping[str, str]) -> CancelForm:
    """The questions in the customer's language, with what they have typed already."""
    whens: tuple[When, ...] = ("period_end", "now") if rules.when == "choice" else (rules.when,)
    chosen = typed.get("reason", "")
    return CancelForm(
        whens=whens,
        when="now" if "now" in whens and typed.get("when", whens[0]) == "now" else "period_end",
        gives_credit=rules.proration == "create_prorations",
        reasons=tuple(
            Reason(value, own.in_language(locale) if own else "", value == chosen)
            for value, own in _offered(rules).items()
        ),
        is_reason_required=rules.reasons == "required",
        asks_comment=rules.comment == "optional",
        longest_comment=LONGEST_COMMENT,
        comment=typed.get("comment", ""),
        terms=_terms(rules),
    )


def read_cancellation(
    configuration: Configuration, subscription_id: str, typed: Mapping[str, str]
) -> Cancellation:
    """What was answered, as an order; raises `ChangeRefused` where an answer is missing.

    A merchant's own reason is told in the portal's language, whoever reads the page.
    """
    rules = configuration.cancel
    if typed.get("terms") != _terms(rules):
        raise CancellingChanged
    when, (feedback, own) = _read_when(rules, typed), _read_reason(rules, typed)
    return Cancellation(
        subscription_id=subscription_id,
        when=when,
        credit=when == "now" and rules.proration == "create_prorations",
        feedback=feedback,
        own_reason=own.in_language(configuration.locale) if own else None,
        comment=_read_comment(rules, typed),
    )


def _terms(rules: CancelRules) -> str:
    return f"{rules.when}:{rules.proration}"


def _offered(rules: CancelRules) -> dict[str, OwnReason | None]:
    """The reasons by what a form calls them: the standard ones, the merchant's, and `other`."""
    if rules.reasons == "off":
        return {}
    offered: dict[str, OwnReason | None] = dict.fromkeys(
        value for value in STANDARD_REASONS if value in rules.standard_reasons and value != "other"
    )
    offered |= {own.key: own for own in rules.own_reasons}
    if "other" in rules.standard_reasons:
        offered["other"] = None
    return offered


def _read_when(rules: CancelRules, typed: Mapping[str, str]) -> When:
    if rules.when != "choice":
        return rules.when
    match typed.get("when"):
        case "period_end":
            return "period_end"
        case "now":
            return "now"
    raise WhenMissing


def _read_reason(
    rules: CancelRules, typed: Mapping[str, str]
) -> tuple[StandardReason | None, OwnReason | None]:
    """The provider's word, and the merchant's own reason, which the provider calls `other`."""
    offered, value = _offered(rules), typed.get("reason", "")
    if not value and rules.reasons != "required":
        return None, None
    if rules.reasons == "off":
        return None, None
    if value not in offered:
        raise ReasonMissing
    own = offered[value]
    if own is not None:
        return "other", own
    standard: StandardReason = next(it for it in STANDARD_REASONS if it == value)
    return standard, None


def _read_comment(rules: CancelRules, typed: Mapping[str, str]) -> str | None:
    if rules.comment == "off":
        return None
    comment = typed.get("comment", "").strip()
    if len(comment) > LONGEST_COMMENT:
        raise CommentTooLong
    return comment or None
