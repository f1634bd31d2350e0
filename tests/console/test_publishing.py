"""Draft and publish: what is shown is what is done, and nobody's work is lost."""

import asyncio
import time

import httpx
import msgspec

from guichet.app import create_app
from guichet.settings import Settings
from tenants.branding import Branding, Colours
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
    seen_in,
    text_of,
)
from tests.console.town import LUMEN, Town, post


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
