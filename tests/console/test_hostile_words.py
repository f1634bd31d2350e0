"""Whatever people, merchants, agencies and customers are called: the console shows it as text."""

import re
from html.parser import HTMLParser
from urllib.parse import urlsplit

import httpx
import msgspec
import pytest

from guichet.demo.merchants import LUMEN
from tenants.cancelling import CancelRules, OwnReason
from tenants.catalog import Plan
from tenants.configuration import Configuration, publish
from tenants.drafts import replace_draft
from tenants.identity_providers import IdentityProvider
from tenants.texts import Texts
from tests.console.conftest import AsStaff
from tests.console.people import AGENCY, MERCHANT, invite, link_of
from tests.console.secure import path_of
from tests.console.test_roles import TABLE
from tests.console.town import CONSOLE, Town, post
from tests.isolation.crawler import crawl
from tests.isolation.test_hostile_merchant import ATTACK

PREVIEW = "http://preview.localhost:8000"


class Page(HTMLParser):
    """What in a page runs, loads, sends or leads away."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.faults: list[str] = []
        self.words = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag in ("base", "object", "embed", "style"):
            self.faults.append(tag)
        if tag == "meta" and "http-equiv" in given:
            self.faults.append(f"meta {given}")
        self.faults += [f"{tag} {it}" for it in given if it.startswith("on") or it == "style"]
        for name in ("href", "src", "action", "formaction", "srcset", "data"):
            if name in given and not self._is_fine(tag, given[name]):
                self.faults.append(f"{tag} {name}={given[name]}")

    @staticmethod
    def _is_fine(tag: str, address: str) -> bool:
        if re.match(r"/(?!/)|[#?]|$", address):
            return True
        parts = urlsplit(address)
        if tag in ("iframe", "form"):
            return address.startswith(PREVIEW)
        return tag == "a" and parts.scheme in ("http", "https", "mailto")

    def handle_data(self, data: str) -> None:
        self.words += data


async def fill_with_attacks(town: Town) -> None:
    """Past all checks: every name, text and reason attacks whoever reads it."""
    own = OwnReason({"en": ATTACK[:120]})
    hostile = Configuration(
        locale="en",
        branding=msgspec.structs.replace(
            LUMEN.branding, headline={"en": ATTACK}, css=ATTACK, font=ATTACK
        ),
        plans=(Plan("price_1", {"en": ATTACK}, badge={"en": '"><b onclick=x>'}),),
        cancel=CancelRules(own_reasons=(own,)),
        texts=Texts(footer={"en": ATTACK}, welcome={"en": ATTACK}),
        identity_providers=(IdentityProvider("x", ATTACK, "https://id.example", ATTACK),),
        support_email=f"{ATTACK}@evil.example",
    )
    async with town.deployment.db.system() as connection:
        await connection.execute("update tenants set name = $1", ATTACK)
        await connection.execute("update agencies set name = $1", ATTACK)
        await connection.execute("update staff set name = $1", ATTACK)
    async with town.deployment.db.unit(town.lumen.id) as unit:
        await publish(unit.connection, unit.tenant_id, hostile, ATTACK, ATTACK)
        draft = msgspec.structs.replace(hostile, support_email=ATTACK, plans=())
        await replace_draft(unit.connection, unit.tenant_id, draft, ATTACK)
        await unit.execute(
            """
            insert into customers (tenant_id, id, email, name, created_at, copy_no)
            values ($1, 'cus_1', $2, $2, now(), 1)
            """,
            unit.tenant_id,
            ATTACK,
        )
        await unit.execute(
            """
            insert into audit_log (
              tenant_id, actor_kind, actor, action, object, details, request_id
            )
            values ($1, 'staff', $2, $2, $2, jsonb_build_object($2::text, $2::text), $2)
            """,
            unit.tenant_id,
            ATTACK,
        )


@pytest.mark.parametrize("language", ["en", "fr"])
async def test_no_words_of_anybody_run_or_load_anything_in_the_console(
    town: Town, as_staff: AsStaff, language: str
) -> None:
    owner = await as_staff("agency_owner")
    await as_staff("admin")
    await fill_with_attacks(town)
    owner.headers["accept-language"] = language
    starts = [path_of(key, customer_id="cus_1", slug="lumen", version="1") for key in TABLE]
    starts += [f"{MERCHANT}/customers?q=%3Cscript%3E", f"{MERCHANT}/audit?actor=%22%3E%3Cb%3E"]
    shown = 0
    async for seen in crawl(owner, CONSOLE, sorted({*starts, "/", AGENCY, MERCHANT})):
        # An issuer that does not exist does not answer; everything else does.
        assert seen.status < 500 or seen.path.endswith("/x/try"), seen.path
        head, _, body = seen.text.partition("\n\n")
        assert "\r" not in head
        if "text/html" in head:
            page = Page(body[: body.index("</html>")])
            assert (seen.path, page.faults) == (seen.path, [])
            shown += ATTACK in page.words
    assert shown > 15


async def test_a_name_from_an_invitation_is_one_line_and_stays_text(
    town: Town, as_staff: AsStaff, console: httpx.AsyncClient
) -> None:
    owner = await as_staff("owner")
    await invite(owner, "new@example.com")
    name = f"Eve\r\nBcc: all@evil.example\t{ATTACK[:100]}"
    joined = await post(console, await link_of(town, "new@example.com"), {"name": name})
    assert joined.status_code == 303
    async with town.deployment.db.system() as connection:
        kept = await connection.fetchval("select name from staff where email = 'new@example.com'")
    assert kept == " ".join(name.split())
    assert Page((await owner.get(f"{MERCHANT}/members")).text).faults == []
