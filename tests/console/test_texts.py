"""A merchant's own words, and the general page: from the console to the portal."""

import asyncio

import httpx
import pytest

from tenants.configuration import Configuration, publish
from tenants.drafts import load_draft
from tenants.texts import Texts
from tests.console.conftest import AsStaff
from tests.console.forms import Forms
from tests.console.town import LUMEN, Town, post

_TEXTS = "/merchants/lumen/texts"
_GENERAL = "/merchants/lumen/general"


@pytest.fixture
async def admin(as_staff: AsStaff) -> httpx.AsyncClient:
    """Somebody who may edit Lumen's portal."""
    return await as_staff("admin")


async def _publish(town: Town, configuration: Configuration) -> None:
    async with town.deployment.db.unit(town.lumen.id) as unit:
        await publish(unit.connection, unit.tenant_id, configuration, "a test")


async def _configuration(town: Town) -> Configuration:
    async with town.deployment.db.unit(town.lumen.id) as unit:
        return (await load_draft(unit.connection, unit.tenant_id)).configuration


async def _form(client: httpx.AsyncClient, page: str, action: str = "") -> dict[str, str]:
    fields = Forms((await client.get(page)).text).by_action[action]
    del fields["csrf"]
    return fields


async def test_the_texts_sent_back_untouched_are_what_they_were(
    town: Town, admin: httpx.AsyncClient
) -> None:
    texts = Texts(
        **{
            name: {"en": f"\n {name} & <b>\n\nmore", "fr": "«\u00a0ici\u00a0»"}
            for name in Texts.__struct_fields__
        }
    )
    trimmed = Texts(
        **{
            name: {"en": f"{name} & <b>\n\nmore", "fr": "«\u00a0ici\u00a0»"}
            for name in Texts.__struct_fields__
        }
    )
    await _publish(town, Configuration(texts=texts))
    saved = await post(admin, _TEXTS, await _form(admin, _TEXTS))
    assert saved.status_code == 303
    assert (await _configuration(town)).texts == trimmed


async def test_template_syntax_and_markup_in_a_text_stay_text(
    town: Town, admin: httpx.AsyncClient
) -> None:
    hostile = "{{ 7*7 }} {% raw %} <script>alert(1)</script>\n${7*7} %(merchant)s"
    await _publish(town, Configuration(texts=Texts(sign_in_lead={"en": hostile})))
    async with town.browser(origin=LUMEN) as visitor:
        while town.deployment.directory.by_id(town.lumen.id).published_version == 0:  # type: ignore[union-attr]
            await asyncio.sleep(0.05)
        page = (await visitor.get("/sign-in")).text
    assert "{{ 7*7 }} {% raw %} &lt;script&gt;alert(1)&lt;/script&gt;\n${7*7} %(merchant)s" in page
    assert "49" not in page.partition("<main")[2].partition("</main>")[0]


async def test_a_text_that_is_too_long_is_refused_and_given_back(
    town: Town, admin: httpx.AsyncClient
) -> None:
    fields = await _form(admin, _TEXTS) | {"texts.footer.en": "x" * 601}
    refused = await post(admin, _TEXTS, fields)
    assert refused.status_code == 422
    assert "x" * 601 in refused.text


async def test_language_and_support_address_are_saved_apart(
    town: Town, admin: httpx.AsyncClient
) -> None:
    language = await _form(admin, _GENERAL, f"{_GENERAL}/language") | {"locale": "fr"}
    support = await _form(admin, _GENERAL, f"{_GENERAL}/support")
    assert (await post(admin, f"{_GENERAL}/language", language)).status_code == 303
    support |= {"support_email": "help@lumen.example"}
    assert (await post(admin, f"{_GENERAL}/support", support)).status_code == 303
    configuration = await _configuration(town)
    assert (configuration.locale, configuration.support_email) == ("fr", "help@lumen.example")


@pytest.mark.parametrize(
    ("form", "field", "value", "reason"),
    [
        ("language", "locale", "tlh", "Choose one of: en, fr."),
        ("support", "support_email", "not an address", "Write an email address such as"),
    ],
)
async def test_what_general_cannot_be_is_refused_and_given_back(
    town: Town, admin: httpx.AsyncClient, form: str, field: str, value: str, reason: str
) -> None:
    fields = await _form(admin, _GENERAL, f"{_GENERAL}/{form}") | {field: value}
    refused = await post(admin, f"{_GENERAL}/{form}", fields)
    assert refused.status_code == 422
    assert reason in refused.text
    assert (await _configuration(town)) == Configuration()
