"""The page about change rules: the table, the presets, and trying what the draft would do."""

import pytest

from guichet.console.settings.changes import PRESETS
from tenants.catalog import ChangeRule, ChangeRules, Plan
from tenants.configuration import Configuration, publish
from tests.console.conftest import AsStaff
from tests.console.test_plans import import_prices
from tests.console.test_rules_pages import PLACE, draft_of, fields_of
from tests.console.town import Town, post
from tests.shops import Shop

PATH = f"{PLACE}/changes"


async def test_rules_are_added_filled_in_moved_and_come_back_untouched(
    town: Town, as_staff: AsStaff
) -> None:
    admin = await as_staff("admin")
    for _ in range(2):
        fields = fields_of(await admin.get(PATH))
        # A second rule about any change would never be reached: each is told what it is about.
        fields |= {name: "upgrade" for name in fields if name.endswith("].direction")}
        assert (await post(admin, PATH, fields | {"row": "add:any"})).status_code == 303
    typed = fields_of(await admin.get(PATH)) | {
        "changes.rules[1].status": "trialing",
        "changes.rules[1].from_plan": "prod_unheard_of",
        "changes.rules[1].when": "forbidden",
        "changes.rules[1].anchor": "now",
        "changes.rules[1].trial": "end",
        "changes.downgrade": "forbidden",
    }
    assert (await post(admin, PATH, typed | {"row": "up:1"})).status_code == 303
    expected = ChangeRules(
        downgrade="forbidden",
        rules=(
            ChangeRule(
                status="trialing",
                from_plan="prod_unheard_of",
                when="forbidden",
                anchor="now",
                trial="end",
            ),
            ChangeRule(direction="upgrade"),
        ),
    )
    assert await draft_of(town, "changes") == expected
    again = fields_of(await admin.get(PATH))
    assert (await post(admin, PATH, again)).status_code == 303
    assert await draft_of(town, "changes") == expected


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ({"changes.rules[0].direction": "sideways"}, "Choose one of: "),
        (
            {"changes.rules[0].status": "past_due", "changes.rules[0].when": "now"},
            "A period that is not paid is not given back",
        ),
        (
            {"changes.rules[0].direction": "any", "changes.rules[1].direction": "upgrade"},
            "Nothing ever reaches this rule: rule 1 stands before it.",
        ),
        ({"changes.rules[0].to_plan": "x" * 256}, "Write 255 characters at most"),
        (
            {f"changes.rules[{n}].from_plan": f"price_{n}" for n in range(51)},
            "There may be 50 at most.",
        ),
    ],
)
async def test_rules_that_make_no_sense_are_refused_with_a_reason(
    town: Town, as_staff: AsStaff, typed: dict[str, str], told: str
) -> None:
    admin = await as_staff("admin")
    fields = fields_of(await admin.get(PATH))
    refused = await post(admin, PATH, fields | typed)
    assert refused.status_code == 422, refused.text
    assert told in refused.text
    assert await draft_of(town, "changes") == ChangeRules()


@pytest.mark.parametrize("preset", PRESETS)
async def test_a_preset_answers_what_no_rule_does_and_keeps_the_rules(
    town: Town, as_staff: AsStaff, preset: str
) -> None:
    admin = await as_staff("admin")
    rule = {"changes.rules[0].direction": "quantity_down", "changes.rules[0].when": "forbidden"}
    fields = fields_of(await admin.get(PATH)) | rule | {"preset": preset}
    assert (await post(admin, PATH, fields)).status_code == 303
    rules = await draft_of(town, "changes")
    assert isinstance(rules, ChangeRules)
    assert rules.rules == (ChangeRule(direction="quantity_down", when="forbidden"),)
    names = ("upgrade", "downgrade", "longer_interval", "shorter_interval", "proration")
    for name in names:
        assert getattr(rules, name) == getattr(PRESETS[preset], name)


async def test_a_change_is_tried_on_the_draft(town: Town, as_staff: AsStaff, shop: Shop) -> None:
    one, other, *_ = await import_prices(town)
    table = ChangeRules(rules=(ChangeRule(from_plan=one, to_plan=other, when="forbidden"),))
    configuration = Configuration(plans=(Plan(one), Plan(other)), changes=table)
    async with town.deployment.db.unit(town.lumen.id) as unit:
        await publish(unit.connection, unit.tenant_id, configuration, "a test")
    admin = await as_staff("admin")
    told = {
        f"from={one}&to={other}": "Rule 1 decides.",
        f"from={other}&to={one}": "No rule fits",
        f"from={other}&to={one}&status=past_due": "No rule names overdue subscriptions.",
        f"from={one}&to={one}": "That is no change.",
        f"from={one}&to={one}&after=2": "More of the same plan: At once",
        "from=nothing&to=%3Cscript%3E&before=x&after=-1": "That is no change.",
    }
    for query, sentence in told.items():
        page = await admin.get(f"{PATH}?try=1&{query}")
        assert page.status_code == 200
        assert sentence in page.text, query
