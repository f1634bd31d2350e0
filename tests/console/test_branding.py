"""The branding page: what a merchant sets, what is refused, and what becomes of pictures."""

import hashlib

import httpx
import msgspec
import pytest

from tenants.branding import Branding, Colours, Link
from tenants.configuration import Configuration, publish
from tenants.drafts import Draft, load_draft
from tenants.pictures import read_picture
from tests.console.conftest import AsStaff
from tests.console.forms import Forms
from tests.console.town import LUMEN, Town, post
from tests.drawn_pictures import PNG, draw

_PATH = "/merchants/lumen/branding"


@pytest.fixture
async def admin(as_staff: AsStaff) -> httpx.AsyncClient:
    """Somebody who may edit Lumen's portal."""
    return await as_staff("admin")


async def _draft(town: Town) -> Draft:
    async with town.deployment.db.unit(town.lumen.id) as unit:
        return await load_draft(unit.connection, unit.tenant_id)


async def _publish(town: Town, configuration: Configuration) -> None:
    async with town.deployment.db.unit(town.lumen.id) as unit:
        await publish(unit.connection, unit.tenant_id, configuration, "a test")


async def _fields(client: httpx.AsyncClient) -> dict[str, str]:
    """The page's form as it stands."""
    page = await client.get(_PATH)
    assert page.status_code == 200
    fields = Forms(page.text).by_action[""]
    del fields["csrf"]
    return fields


FULL = Branding(
    theme="hearth",
    light=Colours(accent="#9f2d12", text="#222222"),
    dark=Colours(background="#101010"),
    scheme="light",
    font="bookish",
    radius=0,
    density="compact",
    logo="a" * 64,
    logo_dark="b" * 64,
    favicon="c" * 64,
    headline={"en": "Welcome “here”", "fr": "Bienvenue <ici>"},
    links=(Link("Terms", "https://lumen.example/?a=1&b=2"), Link("Help", "mailto:a@b.example")),
    css=".card {\n  color: red;\n}",
)


@pytest.mark.parametrize("branding", [FULL, Branding()], ids=["everything", "nothing"])
async def test_the_page_sent_back_untouched_changes_nothing(
    town: Town, admin: httpx.AsyncClient, branding: Branding
) -> None:
    await _publish(town, Configuration(branding=branding))
    saved = await post(admin, _PATH, await _fields(admin))
    assert (saved.status_code, saved.headers["location"]) == (303, f"{_PATH}?saved=1")
    assert (await _draft(town)).configuration.branding == branding


async def test_what_is_set_is_in_the_draft_with_who_and_what_in_the_log(
    town: Town, admin: httpx.AsyncClient
) -> None:
    changed = {"branding.light.accent": "#ff6600", "branding.radius": "4"}
    await post(admin, _PATH, await _fields(admin) | changed)
    branding = (await _draft(town)).configuration.branding
    assert (branding.light.accent, branding.radius) == ("#ff6600", 4)
    async with town.deployment.db.unit(town.lumen.id) as unit:
        row = await unit.fetchrow(
            """
            select actor, action, object, details::text as details
            from audit_log
            where tenant_id = $1
            and action = 'draft.saved'
            """,
            town.lumen.id,
        )
    assert row is not None
    assert (row["actor"], row["object"]) == ("admin@example.com", "branding")
    assert msgspec.json.decode(row["details"])["after"] == changed


async def test_what_contrast_corrects_is_said_beside_the_field(
    town: Town, admin: httpx.AsyncClient
) -> None:
    await _publish(town, Configuration(branding=Branding(light=Colours(accent="#ffee00"))))
    page = (await admin.get(_PATH)).text
    beside = page.partition('id="branding.light.accent"')[2].partition("branding.light.back")[0]
    assert "#ffee00 has a contrast of 1.1" in beside
    assert "4.5 to 1 (WCAG 2.2, 1.4.3)" in beside


async def test_a_picture_is_kept_and_shown_and_served_by_the_portal_once_published(
    town: Town, admin: httpx.AsyncClient
) -> None:
    files = {
        "branding.logo": ("logo.png", PNG, "image/png"),
        "branding.favicon": ("x.exe", draw("WEBP"), "application/octet-stream"),
    }
    saved = await post(admin, _PATH, await _fields(admin), files=files)
    assert saved.status_code == 303
    branding = (await _draft(town)).configuration.branding
    kept = read_picture(PNG)
    assert branding.logo == hashlib.sha256(kept.body).hexdigest()
    shown = await admin.get(f"/merchants/lumen/pictures/{branding.logo}")
    assert (shown.content, shown.headers["content-type"]) == (kept.body, "image/png")
    assert "sandbox" in shown.headers["content-security-policy"]
    icon = await admin.get(f"/merchants/lumen/pictures/{branding.favicon}")
    assert icon.headers["content-type"] == "image/webp"
    assert f"/pictures/{branding.logo}" in (await admin.get(_PATH)).text


async def test_a_picture_that_is_taken_away_stays_for_the_version_that_names_it(
    town: Town, admin: httpx.AsyncClient
) -> None:
    await post(
        admin, _PATH, await _fields(admin), files={"branding.logo": ("l.png", PNG, "image/png")}
    )
    logo = (await _draft(town)).configuration.branding.logo
    await post(admin, _PATH, await _fields(admin) | {"remove.branding.logo": "on"})
    assert (await _draft(town)).configuration.branding.logo == ""
    async with town.browser(origin=LUMEN) as visitor:
        assert (await visitor.get(f"/assets/pictures/{logo}")).status_code == 200


SVG = '<svg xmlns="http://www.w3.org/2000/svg">%s</svg>'


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"GIF89a", "This is no picture"),
        (b"<html><script>alert(1)</script></html>", "begins with the element"),
        ((SVG % "<script>alert(1)</script>").encode(), "holds “script”"),
        ((SVG % "<image href='//evil.example'/>").encode(), "holds “image”"),
        (PNG.ljust(600_000, b"\0"), "512 KiB at most"),
    ],
)
async def test_a_hostile_upload_is_refused_with_a_reason_and_nothing_else_is_lost(
    town: Town, admin: httpx.AsyncClient, body: bytes, reason: str
) -> None:
    fields = await _fields(admin) | {"branding.light.accent": "#123456"}
    files = {"branding.logo": ("logo.png", body, "image/png")}
    refused = await post(admin, _PATH, fields, files=files)
    assert refused.status_code == 422
    assert reason in refused.text
    assert 'value="#123456"' in refused.text
    assert not (await _draft(town)).is_changed


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("branding.css", "@import '//evil.example'", "Line 1: @import is not allowed"),
        ("branding.css", "a{}\nb{background:url(//evil.example)}", "Line 2:"),
        ("branding.css", "body{position:fixed}", "position is static"),
        ("branding.light.accent", "red;}body{display:none}", "Write a colour such as"),
        ("branding.theme", "../../etc/passwd", "Choose one of the themes"),
        ("branding.theme", "console", "Choose one of the themes"),
        ("branding.radius", "25", "from 0 to 24"),
        ("branding.density", "tiny", "Choose one of"),
        ("kept.branding.logo", "../../../secret", "Upload a picture"),
        ("branding.links[0].url", "javascript:alert(1)", "https, http or mailto"),
        ("branding.links[0].url", "/relative", "https, http or mailto"),
        ("branding.headline.en", "x" * 121, "120 characters at most"),
    ],
)
async def test_a_hostile_value_is_refused_with_a_reason(
    town: Town, admin: httpx.AsyncClient, field: str, value: str, reason: str
) -> None:
    fields = await _fields(admin) | {"branding.links[0].label": "Terms"} | {field: value}
    fields.setdefault("branding.links[0].url", "https://lumen.example")
    if not fields["branding.links[0].url"]:
        fields["branding.links[0].url"] = "https://lumen.example"
    refused = await post(admin, _PATH, fields)
    assert refused.status_code == 422
    assert reason in refused.text
    assert not (await _draft(town)).is_changed


async def test_another_merchants_picture_is_not_shown(
    town: Town, as_staff: AsStaff, admin: httpx.AsyncClient
) -> None:
    await post(
        admin, _PATH, await _fields(admin), files={"branding.logo": ("l.png", PNG, "image/png")}
    )
    logo = (await _draft(town)).configuration.branding.logo
    other = await as_staff("owner_of_volta")
    assert (await other.get(f"/merchants/volta/pictures/{logo}")).status_code == 404
    assert (await other.get(f"/merchants/lumen/pictures/{logo}")).status_code == 404


async def test_a_file_that_comes_with_autosave_waits_for_the_button(
    town: Town, admin: httpx.AsyncClient
) -> None:
    """The script sends no files, so the logo that is there must survive its saving."""
    await _publish(town, Configuration(branding=FULL))
    fields = await _fields(admin) | {"branding.radius": "7"}
    saved = await post(admin, _PATH, fields, headers={"x-autosave": "1"})
    assert saved.json()["saved"]
    branding = (await _draft(town)).configuration.branding
    assert (branding.logo, branding.radius) == (FULL.logo, 7)
