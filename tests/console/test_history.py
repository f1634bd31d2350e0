"""Former versions: what each changed, and the way back to one."""

import re

from tenants.configuration import Configuration
from tests.console.conftest import AsStaff
from tests.console.drafting import (
    VIOLET,
    audited,
    draft_of,
    published_of,
    put_draft,
    put_published,
    seen_in,
    text_of,
)
from tests.console.town import Town, post

HISTORY = "/merchants/lumen/history"


async def test_the_history_is_paged_by_number(town: Town, as_staff: AsStaff) -> None:
    for number in range(27):
        await put_published(town, Configuration(support_email=f"a{number}@lumen.example"))
    admin = await as_staff("admin")
    first = await admin.get(HISTORY)
    numbers = re.findall(rf'href="{HISTORY}/(\d+)">\d', first.text)
    assert numbers == [str(it) for it in range(27, 2, -1)]
    older = await admin.get(f"{HISTORY}?before=3")
    assert re.findall(rf'href="{HISTORY}/(\d+)">\d', older.text) == ["2", "1"]
    assert (await admin.get(f"{HISTORY}?before=x")).status_code == 400


async def test_a_version_says_what_it_changed_and_what_returning_would(
    town: Town, as_staff: AsStaff
) -> None:
    await put_published(town, VIOLET)
    await put_published(town, Configuration(support_email="help@lumen.example"))
    admin = await as_staff("admin")
    page = text_of(await admin.get(f"{HISTORY}/1"))
    assert "Because." in page
    changed, _, undone = page.partition("What returning to it would change")
    assert "Hello" in changed
    assert "help@lumen.example" not in changed
    assert "help@lumen.example" in undone
    assert (await admin.get(f"{HISTORY}/9")).status_code == 404


async def test_rolling_back_publishes_the_former_version_anew_and_keeps_the_draft(
    town: Town, as_staff: AsStaff
) -> None:
    await put_published(town, VIOLET)
    await put_published(town, Configuration(locale="fr"))
    draft = await put_draft(town, Configuration(support_email="later@lumen.example"))
    admin = await as_staff("admin")
    path = f"{HISTORY}/1/roll-back"
    seen = seen_in(await admin.get(f"{HISTORY}/1"), path)
    done = await post(admin, path, {"seen": seen, "reason": "Too early."})
    assert done.status_code == 303
    assert await published_of(town) == (3, VIOLET)
    assert (await draft_of(town)).configuration == draft.configuration
    (row,) = await audited(town, "configuration.rolled_back")
    assert (row["returned_to"], row["reason"]) == (1, "Too early.")
    stale = await post(admin, path, {"seen": seen, "reason": ""})
    assert stale.status_code == 409
    assert (await published_of(town))[0] == 3


async def test_a_version_that_breaks_rules_of_today_goes_into_the_draft_alone(
    town: Town, as_staff: AsStaff
) -> None:
    wrong = Configuration(locale="xx")
    await put_published(town, wrong)
    await put_published(town, VIOLET)
    admin = await as_staff("admin")
    page = await admin.get(f"{HISTORY}/1")
    assert "It breaks rules of today" in text_of(page)
    assert (await post(admin, f"{HISTORY}/1/roll-back", {"seen": "2"})).status_code == 409
    path = f"{HISTORY}/1/draft"
    assert (await post(admin, path, {"seen": seen_in(page, path)})).status_code == 303
    assert (await draft_of(town)).configuration == wrong
    assert await published_of(town) == (2, VIOLET)
