"""A configuration as a file: exported, imported as a draft, refused with a reason."""

import httpx
import jsonschema_rs
import msgspec
import pytest

from guichet.console.publishing.document_schema import document_schema
from guichet.demo import merchants
from tenants.assets import store_asset
from tenants.branding import Branding
from tenants.catalog import Plan
from tenants.configuration import Configuration
from tests.console.conftest import AsStaff
from tests.console.drafting import (
    PUBLISH,
    VIOLET,
    audited,
    draft_of,
    published_of,
    put_draft,
    put_published,
)
from tests.console.town import Town, post

FILES = "/merchants/lumen/configuration"


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
