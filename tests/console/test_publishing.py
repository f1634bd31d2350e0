"""Draft, publish, history, files: what is shown is what is done, and nobody's work is lost."""

import asyncio
import json
import re
import time

import httpx
import jsonschema_rs
import msgspec
import pytest

from guichet.app import create_app
from guichet.console.publishing.differences import differences
from guichet.console.publishing.document_schema import document_schema
from guichet.console.publishing.labels import LABELS, SECTIONS
from guichet.demo import merchants
from guichet.settings import Settings
from guichet.theming.locale import gettext
from tenants.assets import store_asset
from tenants.branding import Branding, Colours, Link
from tenants.catalog import Plan
from tenants.configuration import Configuration, load_published, publish
from tenants.drafts import Draft, load_draft, replace_draft
from tenants.shapes import items_of
from tests.console.conftest import AsStaff
from tests.console.town import LUMEN, Town, post

PUBLISH = "/merchants/lumen/publish"
HISTORY = "/merchants/lumen/history"
FILES = "/merchants/lumen/configuration"
VIOLET = Configuration(
    branding=Branding(light=Colours(accent="#5b21b6"), headline={"en": "Hello", "fr": "Bonjour"})
)


async def put_draft(town: Town, configuration: Configuration) -> Draft:
    async with town.deployment.db.unit(town.lumen.id) as unit:
        return await replace_draft(unit.connection, unit.tenant_id, configuration, "mia@x.example")


async def put_published(town: Town, configuration: Configuration, by: str = "a command") -> int:
    async with town.deployment.db.unit(town.lumen.id) as unit:
        return await publish(unit.connection, unit.tenant_id, configuration, by, "Because.")


async def draft_of(town: Town) -> Draft:
    async with town.deployment.db.unit(town.lumen.id) as unit:
        return await load_draft(unit.connection, unit.tenant_id)


async def published_of(town: Town) -> tuple[int, Configuration]:
    async with town.deployment.db.unit(town.lumen.id) as unit:
        found = await load_published(unit.connection, unit.tenant_id)
    return found.version, found.configuration


async def audited(town: Town, action: str) -> list[dict[str, object]]:
    async with town.deployment.db.unit(town.lumen.id) as unit:
        rows = await unit.fetch(
            "select actor, details from audit_log where tenant_id = $1 and action = $2 order by at",
            town.lumen.id,
            action,
        )
    return [{"actor": row["actor"], **json.loads(row["details"])} for row in rows]


def seen_in(page: httpx.Response, action: str) -> str:
    """What the page's form for an action says it was shown with."""
    form = next(part for part in page.text.split("<form") if f'action="{action}"' in part)
    found = re.search(r'name="seen" value="([^"]*)"', form)
    assert found
    return found[1]


def text_of(page: httpx.Response) -> str:
    """The words of a page, one space between them."""
    return " ".join(re.sub(r"<[^>]+>", " ", page.text).split())


async def test_what_would_change_is_said_in_words(town: Town, as_staff: AsStaff) -> None:
    await put_draft(town, VIOLET)
    admin = await as_staff("admin")
    page = text_of(await admin.get(PUBLISH))
    for words in ("Accent, light", "#5b21b6", "Headline (English)", "Hello"):
        assert words in page
    await admin.get("/language/fr")
    assert "Couleur d’accent, clair" in text_of(await admin.get(PUBLISH))


async def test_what_was_shown_is_published_with_its_reason_and_told(
    town: Town, as_staff: AsStaff
) -> None:
    await put_draft(town, VIOLET)
    admin = await as_staff("admin")
    seen = seen_in(await admin.get(PUBLISH), PUBLISH)
    done = await post(admin, PUBLISH, {"seen": seen, "reason": "  New colours.  "})
    assert (done.status_code, done.headers["location"]) == (303, f"{PUBLISH}?published=1")
    assert "Version 1 is published" in text_of(await admin.get(done.headers["location"]))
    assert await published_of(town) == (1, VIOLET)
    (row,) = await audited(town, "configuration.published")
    assert row["actor"] == "admin@example.com"
    assert row["reason"] == "New colours."
    assert "Branding: Accent, light: – → #5b21b6" in str(row["changes"])
    again = await post(admin, PUBLISH, {"seen": seen, "reason": ""})
    assert (again.status_code, again.headers["location"]) == (303, PUBLISH)
    assert (await published_of(town))[0] == 1


async def test_a_draft_that_changed_since_it_was_shown_is_shown_again(
    town: Town, as_staff: AsStaff
) -> None:
    await put_draft(town, VIOLET)
    admin = await as_staff("admin")
    seen = seen_in(await admin.get(PUBLISH), PUBLISH)
    await put_draft(town, msgspec.structs.replace(VIOLET, locale="fr"))
    refused = await post(admin, PUBLISH, {"seen": seen, "reason": "Mine."})
    assert refused.status_code == 409
    assert "This has changed in the meantime" in text_of(refused)
    assert "Mine." in refused.text
    assert "Language of the portal" in refused.text
    assert await published_of(town) == (0, Configuration())


async def test_what_a_command_published_meanwhile_is_shown_and_can_be_kept(
    town: Town, as_staff: AsStaff
) -> None:
    await put_draft(town, VIOLET)
    admin = await as_staff("admin")
    seen = seen_in(await admin.get(PUBLISH), PUBLISH)
    await put_published(town, Configuration(support_email="help@lumen.example"))
    refused = await post(admin, PUBLISH, {"seen": seen, "reason": ""})
    assert refused.status_code == 409
    shown = await admin.get(PUBLISH)
    assert "Version 1 was published since this draft was begun" in text_of(shown)
    assert "help@lumen.example" in shown.text
    catch_up = f"{PUBLISH}/catch-up"
    done = await post(admin, catch_up, {"seen": seen_in(shown, catch_up)})
    assert done.status_code == 303
    draft = await draft_of(town)
    assert not draft.is_outrun
    assert draft.configuration.support_email == "help@lumen.example"
    assert draft.configuration.branding == VIOLET.branding


async def test_mistakes_stop_it_and_lead_to_their_fields(town: Town, as_staff: AsStaff) -> None:
    wrong = Configuration(branding=Branding(light=Colours(accent="red")), locale="xx")
    draft = await put_draft(town, wrong)
    admin = await as_staff("admin")
    page = await admin.get(PUBLISH)
    assert "/merchants/lumen/branding#branding.light.accent" in page.text
    assert "Write a colour such as #1a2b3c." in page.text
    assert f'action="{PUBLISH}"' not in page.text
    forced = await post(admin, PUBLISH, {"seen": draft.state, "reason": ""})
    assert forced.status_code == 422
    assert await published_of(town) == (0, Configuration())


async def test_what_would_surprise_is_said_before(town: Town, as_staff: AsStaff) -> None:
    await put_draft(town, Configuration(branding=Branding(light=Colours(text="#eeeeee"))))
    page = text_of(await (await as_staff("admin")).get(PUBLISH))
    assert "No plan is offered" in page
    assert "no key of the payment provider" in page
    assert "no sign-in provider" in page
    assert "#eeeeee is used as" in page


async def test_a_reason_has_a_length(town: Town, as_staff: AsStaff) -> None:
    draft = await put_draft(town, VIOLET)
    admin = await as_staff("admin")
    refused = await post(admin, PUBLISH, {"seen": draft.state, "reason": "x" * 501})
    assert refused.status_code == 422
    assert "Write 500 characters at most." in refused.text


async def test_a_draft_is_discarded_as_it_was_seen_or_not_at_all(
    town: Town, as_staff: AsStaff
) -> None:
    draft = await put_draft(town, VIOLET)
    admin = await as_staff("admin")
    await put_draft(town, msgspec.structs.replace(VIOLET, locale="fr"))
    assert (await post(admin, f"{PUBLISH}/discard", {"seen": draft.state})).status_code == 409
    now = await draft_of(town)
    assert now.is_changed
    assert (await post(admin, f"{PUBLISH}/discard", {"seen": now.state})).status_code == 303
    assert not (await draft_of(town)).is_changed
    (row,) = await audited(town, "draft.discarded")
    assert "Hello" in str(row["changes"])


async def test_a_publication_reaches_every_process_within_a_second(
    town: Town, as_staff: AsStaff, settings: Settings
) -> None:
    other = create_app(settings)
    async with other.lifespan():
        transport = httpx.ASGITransport(app=other)  # type: ignore[arg-type]
        draft = await put_draft(town, msgspec.structs.replace(VIOLET, locale="fr"))
        admin = await as_staff("admin")
        async with httpx.AsyncClient(transport=transport, base_url=LUMEN) as visitor:
            assert 'lang="en"' in (await visitor.get("/sign-in")).text
            await post(admin, PUBLISH, {"seen": draft.state, "reason": ""})
            give_up_at = time.monotonic() + 1
            while 'lang="fr"' not in (await visitor.get("/sign-in")).text:
                assert time.monotonic() < give_up_at
                await asyncio.sleep(0.02)


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


def upload(document: bytes) -> dict[str, tuple[str, bytes, str]]:
    return {"file": ("lumen.json", document, "application/json")}


async def test_what_was_exported_can_be_imported(town: Town, as_staff: AsStaff) -> None:
    document = Configuration(
        branding=merchants.LUMEN.branding,
        plans=(Plan("price_1", {"en": "One"}, quantity_max=3),),
        changes=merchants.LUMEN.changes,
        retries=merchants.LUMEN.retries,
    )
    await put_published(town, document)
    admin = await as_staff("admin")
    file = await admin.get(f"{FILES}.json")
    assert file.headers["content-disposition"] == 'attachment; filename="lumen-version-1.json"'
    await put_published(town, Configuration())
    done = await post(admin, FILES, {"seen": (await draft_of(town)).state}, upload(file.content))
    assert (done.status_code, done.headers["location"]) == (303, PUBLISH)
    assert (await draft_of(town)).configuration == document
    assert (await admin.get(f"{FILES}.json?version=draft")).content == file.content
    assert (await admin.get(f"{FILES}.json?version=7")).status_code == 404
    assert (await audited(town, "draft.imported"))[0]["actor"] == "admin@example.com"


async def test_every_mistake_of_a_file_is_told_with_its_place_and_nothing_is_lost(
    town: Town, as_staff: AsStaff
) -> None:
    kept = await put_draft(town, VIOLET)
    admin = await as_staff("admin")
    wrong = b'{"locale": "en", "brandin": {}, "plans": [{"price_id": 3}], "retries": {"tries": 99}}'
    refused = await post(admin, FILES, {"seen": kept.state, "replace": "on"}, upload(wrong))
    assert refused.status_code == 422
    for place in ("brandin", "plans[0].price_id", "retries.tries"):
        assert f"<strong>{place}</strong>" in refused.text
    assert (await draft_of(town)).configuration == VIOLET


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (b"{" + b" " * (256 * 1024) + b"}", "This is larger than"),
        (b'{"locale": ', "This is not JSON"),
        (b"[" * 100_000, "This is not JSON"),
        (b"[]", "This is not an object."),
        (b'{"locale": "\xff"}', "This is not JSON"),
        (b'{"branding": {"links": [{"label": "x", "url": "javascript:alert(1)"}]}}', "https"),
        (b'{"branding": {"theme": "../console"}}', "Choose one of the themes."),
    ],
)
async def test_a_hostile_file_is_refused_with_a_reason(
    town: Town, as_staff: AsStaff, document: bytes, reason: str
) -> None:
    admin = await as_staff("admin")
    seen = (await draft_of(town)).state
    refused = await post(admin, FILES, {"seen": seen}, upload(document))
    assert refused.status_code == 422
    assert reason in refused.text
    assert not (await draft_of(town)).is_changed


async def test_a_file_that_names_another_merchants_picture_is_refused(
    town: Town, as_staff: AsStaff
) -> None:
    svg = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><path d="M0 0h1v1z"/></svg>'
    async with town.deployment.db.unit(town.volta.id) as unit:
        theirs = await store_asset(unit.connection, town.volta.id, svg, "image/svg+xml")
    document = msgspec.json.encode({"branding": {"logo": theirs}})
    admin = await as_staff("admin")
    seen = (await draft_of(town)).state
    refused = await post(admin, FILES, {"seen": seen}, upload(document))
    assert refused.status_code == 422
    assert "There is no such picture here" in refused.text
    draft = await put_draft(town, Configuration(branding=Branding(logo=theirs)))
    assert (await post(admin, PUBLISH, {"seen": draft.state})).status_code == 422
    assert (await published_of(town))[0] == 0


async def test_a_file_takes_the_place_of_unpublished_changes_only_when_that_is_said(
    town: Town, as_staff: AsStaff
) -> None:
    draft = await put_draft(town, VIOLET)
    admin = await as_staff("admin")
    document = b'{"locale": "fr"}'
    refused = await post(admin, FILES, {"seen": draft.state}, upload(document))
    assert refused.status_code == 409
    assert (await draft_of(town)).configuration == VIOLET
    stale = await post(admin, FILES, {"seen": "x", "replace": "on"}, upload(document))
    assert stale.status_code == 409
    assert (await draft_of(town)).configuration == VIOLET
    said = await post(admin, FILES, {"seen": draft.state, "replace": "on"}, upload(document))
    assert said.status_code == 303
    assert (await draft_of(town)).configuration == Configuration(locale="fr")


async def test_the_schema_is_there_for_everybody(console: httpx.AsyncClient) -> None:
    answer = await console.get("/configuration.schema.json")
    assert answer.headers["content-type"].startswith("application/schema+json")
    assert answer.json()["$defs"]["RetryPolicy"]["properties"]["tries"]["description"] == "Tries"


@pytest.mark.parametrize("merchant", merchants.ALL, ids=lambda it: it.slug)
def test_every_document_of_the_demo_is_as_the_schema_says(merchant: merchants.Merchant) -> None:
    validator = jsonschema_rs.validator_for(document_schema().decode())
    document = Configuration(
        locale=merchant.locale,
        branding=merchant.branding,
        plans=(Plan("price_1", {"en": "One"}, True, 2, 5),),
        changes=merchant.changes,
        support_email=merchant.support_email,
        retries=merchant.retries,
    )
    assert not list(validator.iter_errors(msgspec.to_builtins(document)))
    mistakes: tuple[dict[str, object], ...] = (
        {"locale": 3},
        {"brandin": {}},
        {"retries": {"tries": 99}},
    )
    for wrong in mistakes:
        assert list(validator.iter_errors(wrong))


def _paths(wanted: object, path: str) -> list[str]:
    items = items_of(wanted)
    if items is not None and isinstance(items, type) and issubclass(items, msgspec.Struct):
        return [path, *_paths(items, f"{path}[]")]
    if isinstance(wanted, type) and issubclass(wanted, msgspec.Struct):
        below = (
            _paths(field.type, f"{path}.{field.encode_name}" if path else field.encode_name)
            for field in msgspec.structs.fields(wanted)
        )
        return [it for paths in below for it in paths]
    return [path]


def test_every_place_of_the_document_has_a_name() -> None:
    assert set(_paths(Configuration, "")) == set(LABELS)
    assert set(SECTIONS) == set(Configuration.__struct_fields__)


def test_things_of_a_list_are_told_by_what_they_are_called() -> None:
    before = Configuration(
        plans=(Plan("p1"), Plan("p2"), Plan("p3")),
        branding=Branding(links=(Link("Terms", "https://lumen.example/terms"),)),
    )
    after = Configuration(
        plans=(Plan("p2", quantity_max=4), Plan("p1"), Plan("p4", hidden=True)),
        branding=Branding(links=(Link("Terms", "https://lumen.example/new"),)),
    )
    names = {"p1": "Team", "p2": "Basic", "p3": "Big", "p4": "Old"}
    found = differences(before, after, gettext("en"), names)
    assert [(it.label, it.before, it.after) for part in found for it in part.changes] == [
        ("Terms: Address", "https://lumen.example/terms", "https://lumen.example/new"),
        ("Plans", "Big", ""),
        ("Basic: Most quantity", "1", "4"),
        ("Plans", "", "Old (Hidden from new customers: on)"),
        ("Order: Plans", "Team, Basic", "Basic, Team"),
    ]
