"""Every settings page: what it shows and gets back untouched is what the draft says.

A field of a section that its page does not have would fall back to its default when the page is
saved, so this is how a forgotten one is found.
"""

import re
from html.parser import HTMLParser
from typing import NamedTuple

import msgspec
import pytest

from guichet.demo.merchants import ALL
from tenants.catalog import ChangeRule, ChangeRules, Plan
from tenants.configuration import Configuration, publish
from tenants.drafts import Draft, load_draft
from tenants.mails import Mails
from tenants.retries import DeclineActions, Ending, QuietTimes, RetryPolicy
from tenants.texts import Texts
from tests.console.conftest import AsStaff
from tests.console.town import Town, post

#: The pages that save one section whole.
PAGES = {
    "retries": "/retries",
    "mails": "/mails",
    "cancel": "/cancelling",
    "features": "/features",
    "texts": "/texts",
    "branding": "/branding",
    "plans": "/plans",
    "changes": "/changes",
}

_FULL = Configuration(
    locale="fr",
    branding=ALL[0].branding,
    plans=(
        Plan("price_1", {"en": "One", "fr": "Un"}, True, 2, 5, {"fr": "Neuf"}, hidden=True),
        Plan("price_2"),
    ),
    changes=ChangeRules(
        upgrade="period_end",
        downgrade="forbidden",
        longer_interval="forbidden",
        shorter_interval="now",
        proration="none",
        rules=(
            ChangeRule(
                direction="quantity_up",
                status="trialing",
                from_plan="price_1",
                to_plan="price_2",
                proration="create_prorations",
                anchor="now",
                trial="end",
            ),
            ChangeRule(when="forbidden"),
        ),
    ),
    retries=RetryPolicy(
        collector="guichet",
        paused=True,
        waits_days=(0.5, 2, 5),
        tries=4,
        window_days=20,
        quiet=QuietTimes(21, 8, (5, 6)),
        pay_days=(1, 15),
        pay_day_reach_days=2,
        time_zone="Europe/Paris",
        declines=DeclineActions(later="ask", now="retry", never="end"),
        fallbacks=False,
        grace_days=3,
        block_after_days=9,
        end=Ending("pause", "uncollectible"),
    ),
    texts=Texts(footer={"en": "Lumen Ltd\nLondon", "fr": "Lumen"}, welcome={"fr": "« ici »"}),
    mails=Mails(
        sender_name="Lumen",
        sender_address="hello@lumen.example",
        switched_off=("cancelled", "receipt"),
        renewal_days=3,
        trial_days=0,
    ),
)


class _Form(HTMLParser):
    """The fields of the page's settings form, as a browser without scripts would send them."""

    def __init__(self) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}
        self._inside = False
        self._select = self._area = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._inside = "settings" in given.get("class", "").split()
        elif self._inside and tag == "input":
            self._take_input(given)
        elif self._inside and tag == "select":
            self._select = given["name"]
        elif self._select and tag == "option" and "selected" in given:
            self.fields[self._select] = given["value"]
        elif self._inside and tag == "textarea":
            self._area = given["name"]
            self.fields[self._area] = ""

    def _take_input(self, given: dict[str, str]) -> None:
        kind = given.get("type", "text")
        is_ticked = kind not in ("checkbox", "radio") or "checked" in given
        if "name" in given and is_ticked and kind != "file":
            is_box = kind == "checkbox"
            self.fields[given["name"]] = given.get("value", "on" if is_box else "")

    def handle_data(self, data: str) -> None:
        if self._area:
            self.fields[self._area] += data.removeprefix("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False
        elif tag == "select":
            self._select = ""
        elif tag == "textarea":
            self._area = ""


class _Page(NamedTuple):
    fields: dict[str, str]
    html: str


async def _open(town: Town, as_staff: AsStaff, path: str) -> _Page:
    client = await as_staff("admin")
    answer = await client.get(f"/merchants/lumen{path}")
    assert answer.status_code == 200, answer.text
    form = _Form()
    form.feed(answer.text)
    return _Page(form.fields, answer.text)


async def _draft(town: Town) -> Draft:
    async with town.deployment.db.unit(town.lumen.id) as unit:
        return await load_draft(unit.connection, unit.tenant_id)


async def _publish(town: Town, configuration: Configuration) -> None:
    async with town.deployment.db.unit(town.lumen.id) as unit:
        await publish(unit.connection, unit.tenant_id, configuration, "a test")


@pytest.mark.parametrize("section", PAGES)
@pytest.mark.parametrize("configuration", [Configuration(), _FULL], ids=["new", "full"])
async def test_a_page_that_is_sent_back_untouched_changes_nothing(
    town: Town, as_staff: AsStaff, section: str, configuration: Configuration
) -> None:
    await _publish(town, configuration)
    page = await _open(town, as_staff, PAGES[section])
    client = await as_staff("admin")
    answer = await post(client, f"/merchants/lumen{PAGES[section]}", _sent(page.fields))
    assert answer.status_code == 303, answer.text
    assert (await _draft(town)).configuration == configuration


@pytest.mark.parametrize("section", PAGES)
async def test_a_page_has_every_field_of_its_section(
    town: Town, as_staff: AsStaff, section: str
) -> None:
    await _publish(town, _FULL)
    page = await _open(town, as_staff, PAGES[section])
    names = set(re.findall(r'name="([^"]+)', page.html))
    # A list of plain values may have a box for each: `mails.switched_off[receipt]`.
    names |= {name.partition("[")[0] for name in names}
    # A text by language has a field for each of them: `texts.footer.en`.
    names |= {name.rpartition(".")[0] for name in names}
    assert set(_leaves(section, getattr(_FULL, section))) <= names


def _leaves(path: str, value: object) -> list[str]:
    """The names of the fields that a value needs; those of a table by its rows."""
    if isinstance(value, msgspec.Struct):
        fields = msgspec.structs.fields(value)
        inner = [(f"{path}.{field.name}", getattr(value, field.name)) for field in fields]
    elif isinstance(value, tuple) and value and isinstance(value[0], msgspec.Struct):
        inner = [(f"{path}[{place}]", row) for place, row in enumerate(value)]
    else:
        return [path]
    return [leaf for name, below in inner for leaf in _leaves(name, below)]


def _sent(fields: dict[str, str]) -> dict[str, str]:
    return {name: text for name, text in fields.items() if name != "csrf"}


async def test_a_preset_fills_in_its_schedule_and_keeps_everything_else(
    town: Town, as_staff: AsStaff
) -> None:
    await _publish(town, _FULL)
    page = await _open(town, as_staff, "/retries")
    client = await as_staff("admin")
    fields = _sent(page.fields) | {"preset": "polar"}
    assert (await post(client, "/merchants/lumen/retries", fields)).status_code == 303
    policy = (await _draft(town)).configuration.retries
    assert (policy.waits_days, policy.tries, policy.window_days) == ((2, 5, 7, 7), 4, 22)
    assert (await _open(town, as_staff, "/retries")).fields["retries.waits_days"] == "2, 5, 7, 7"
    assert policy.quiet == _FULL.retries.quiet
    assert policy.end == _FULL.retries.end


async def test_every_mistake_is_told_beside_what_was_typed(town: Town, as_staff: AsStaff) -> None:
    page = await _open(town, as_staff, "/retries")
    wrong = {"retries.tries": "lots", "retries.window_days": "0", "retries.time_zone": "Mars"}
    client = await as_staff("admin")
    answer = await post(client, "/merchants/lumen/retries", _sent(page.fields) | wrong)
    assert answer.status_code == 422
    assert "Write a whole number from 0 to 20." in answer.text
    assert "Write a whole number from 1 to 60." in answer.text
    assert all(f'value="{text}"' in answer.text for text in wrong.values())
    assert not (await _draft(town)).is_changed


@pytest.mark.parametrize("language", ["en", "fr"])
async def test_the_timeline_shows_what_the_draft_would_do(
    town: Town, as_staff: AsStaff, language: str
) -> None:
    policy = RetryPolicy(collector="guichet", waits_days=(2, 5), tries=2, window_days=10)
    await _publish(town, Configuration(retries=policy))
    client = await as_staff("owner")
    answer = await client.get(
        "/merchants/lumen/retries",
        params={"decline": "later", "methods": "2", "country": "fr"},
        headers={"accept-language": language},
    )
    tries = ["Try 1", "Try 2", "Given up"] if language == "en" else ["Tentative 1", "Tentative 2"]
    places = [answer.text.index(it) for it in tries]
    assert places == sorted(places)


async def test_a_scenario_that_makes_no_sense_is_the_plainest_one(
    town: Town, as_staff: AsStaff
) -> None:
    client = await as_staff("owner")
    nonsense = {"decline": "x", "methods": "99", "country": "<b>", "hours": "-1"}
    answer = await client.get("/merchants/lumen/retries", params=nonsense)
    assert answer.status_code == 200
    assert "<b>" not in answer.text
