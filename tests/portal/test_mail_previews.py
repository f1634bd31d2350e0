"""Mails of a draft in their box: drawn as they would be sent, and nothing leads out of them."""

import re

import pytest

from guichet.web.previews import FORMS
from tenants.assets import store_asset
from tenants.branding import Branding, Link
from tenants.configuration import Configuration
from tenants.mails import MAIL_KINDS, Mails
from tests.console.town import LUMEN, Town
from tests.drawn_pictures import draw
from tests.portal.test_preview import draft, folder, look, town

__all__ = ["town"]
_HOSTILE = '"><img src=https://evil.example/x><script>alert(1)</script>{{ 7 * 7 }}'


@pytest.mark.parametrize("locale", ["en", "fr"])
async def test_each_mail_is_drawn_in_both_of_its_parts(town: Town, locale: str) -> None:
    place = await folder(town)
    for kind in MAIL_KINDS:
        for form in FORMS:
            shown = await look(town, f"{place}/mail?kind={kind}&form={form}&locale={locale}")
            assert shown.status_code == 200, shown.text
            assert f'<html lang="{locale}"' in shown.text
            assert ("<pre" in shown.text) == (form == "text")
            assert (f"{LUMEN}/" in shown.text) == (form == "text")
        body = await look(town, f"{place}/mail/body?kind={kind}&locale={locale}")
        assert body.status_code == 200
        assert f'<html lang="{locale}"' in body.text
        assert set(re.findall(r'href="([^"]*)"', body.text)) == {"#"}


async def test_a_mail_shows_the_sender_and_what_a_list_of_mails_shows(town: Town) -> None:
    place = await folder(town)
    mails = Mails(sender_name="Lumen billing", switched_off=("receipt",))
    await draft(town, Configuration(mails=mails, support_email="help@lumen.example"))
    shown = (await look(town, f"{place}/mail?kind=payment_failed")).text
    assert "Your payment of €29.00 did not go through" in shown
    assert "Lumen billing &lt;" in shown or "Lumen billing" in shown
    assert "help@lumen.example" in shown
    assert "You can pay now, or use another card." in shown
    assert "switched off" not in shown
    assert "switched off" in (await look(town, f"{place}/mail?kind=receipt")).text


async def test_the_scheme_that_is_chosen_is_drawn(town: Town) -> None:
    place = await folder(town)
    light = (await look(town, f"{place}/mail/body?scheme=light")).text
    dark = (await look(town, f"{place}/mail/body?scheme=dark")).text
    assert 'content="light only"' in light
    assert 'content="dark"' in dark
    assert "prefers-color-scheme" not in light + dark


async def test_the_logo_of_the_draft_is_shown_from_the_preview_s_own_host(town: Town) -> None:
    place = await folder(town)
    async with town.deployment.db.unit(town.lumen.id) as unit:
        logo = await store_asset(unit.connection, town.lumen.id, draw(), "image/png")
    await draft(town, Configuration(branding=Branding(logo=logo)))
    body = (await look(town, f"{place}/mail/body")).text
    assert f'src="{place}/assets/pictures/{logo}"' in body
    assert (await look(town, f"{place}/assets/pictures/{logo}")).status_code == 200


async def test_what_a_merchant_writes_stays_text_and_nothing_is_loaded_or_left(
    town: Town,
) -> None:
    place = await folder(town)
    hostile = Configuration(
        mails=Mails(sender_name=_HOSTILE[:120]),
        support_email=_HOSTILE,
        branding=Branding(
            logo=f"../../{_HOSTILE}",
            links=(
                Link(_HOSTILE[:60], "https://evil.example/a"),
                Link("Terms", "javascript:alert(3)"),
            ),
        ),
    )
    await draft(town, hostile)
    for kind in MAIL_KINDS:
        for path in ("mail", "mail/body"):
            shown = await look(town, f"{place}/{path}?kind={kind}")
            assert shown.status_code == 200
            assert not re.search(r'<script|<img|javascript:|(href|src)="https?:', shown.text)
            assert "49" not in re.sub(r"#[0-9a-f]{6}", "", shown.text)
            policy = shown.headers["content-security-policy"]
            assert policy.startswith("default-src 'none'")
            assert "form-action 'none'" in policy
            assert "img-src 'self'" in policy
            assert not re.search(r"script-src (?!'none')", policy)
            assert "set-cookie" not in shown.headers


async def test_a_query_that_makes_no_sense_shows_the_first_mail(town: Town) -> None:
    place = await folder(town)
    shown = await look(town, f"{place}/mail?kind=../x&form=exe&locale=xx&scheme=%22")
    assert shown.status_code == 200
    assert "did not go through" in shown.text


async def test_nobody_else_s_token_shows_a_mail(town: Town) -> None:
    place = await folder(town)
    for path in (f"/volta/{place.split('/')[2]}/mail", "/lumen/nothing/mail/body"):
        assert (await look(town, path)).status_code == 404
