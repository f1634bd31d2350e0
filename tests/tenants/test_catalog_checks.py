"""Change rules and ways to cancel that cannot be published, each with its place."""

import pytest

from tenants.cancelling import CancelRules, OwnReason
from tenants.catalog import ChangeRule, ChangeRules
from tenants.catalog_checks import cancel_mistakes, change_mistakes


def places(rules: tuple[ChangeRule, ...]) -> list[str]:
    return [it.path for it in change_mistakes(ChangeRules(rules=rules))]


@pytest.mark.parametrize("proration", ["always_invoice", "create_prorations"])
def test_a_period_that_is_not_paid_is_not_given_back(proration: str) -> None:
    rule = ChangeRule(status="past_due", proration=proration)  # type: ignore[arg-type]
    assert places((rule,)) == ["changes.rules[0].proration"]
    assert not places((ChangeRule(status="past_due", proration="none"),))
    assert not places((ChangeRule(status="past_due", when="period_end"),))


@pytest.mark.parametrize(
    ("first", "second", "is_hidden"),
    [
        (ChangeRule(), ChangeRule(direction="upgrade"), True),
        (ChangeRule(), ChangeRule(status="trialing"), True),
        (ChangeRule(), ChangeRule(status="past_due", when="forbidden"), False),
        (ChangeRule(from_plan="price_1"), ChangeRule(from_plan="price_1", to_plan="p"), True),
        (ChangeRule(from_plan="price_1"), ChangeRule(), False),
        (ChangeRule(direction="upgrade"), ChangeRule(), False),
    ],
)
def test_a_rule_that_nothing_reaches_is_a_mistake(
    first: ChangeRule, second: ChangeRule, is_hidden: bool
) -> None:
    assert places((first, second)) == (["changes.rules[1].direction"] if is_hidden else [])


def test_a_reason_that_is_required_has_to_be_there() -> None:
    nothing = CancelRules(reasons="required", standard_reasons=())
    assert [it.path for it in cancel_mistakes(nothing)] == ["cancel.reasons"]
    own = CancelRules(
        reasons="required", standard_reasons=(), own_reasons=(OwnReason({"en": "I move"}),)
    )
    assert not list(cancel_mistakes(own))
    empty = CancelRules(own_reasons=(OwnReason({"en": "I move"}), OwnReason()))
    assert [it.path for it in cancel_mistakes(empty)] == ["cancel.own_reasons[1].text.en"]
