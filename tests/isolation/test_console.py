"""Two agencies with a twin each: nobody's console shows or changes anything of the other's.

The routes are those of the console's table, so a new one is asked here by itself; a new name in a
path without an entry fails.
"""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple
from urllib.parse import quote, quote_plus, urlencode
from uuid import uuid4

import httpx
import pytest

from guichet.auth.csrf import csrf_token
from guichet.auth.staff.links import NOBODY
from guichet.auth.staff.preview_links import open_preview
from guichet.auth.staff.sessions import open_staff_session
from guichet.web.previews import PAGES
from tenants.agencies import find_agency
from tenants.hosts import list_hosts
from tenants.invitations import list_invitations
from tenants.members import put_agency_member, put_tenant_member, remove_member
from tenants.staff import Staff, add_staff
from tests.console.test_roles import TABLE
from tests.console.town import CONSOLE
from tests.isolation.asking import client_of, told
from tests.isolation.crawler import as_text, crawl
from tests.isolation.marks import marks_of
from tests.isolation.twins import Twin, Twins, ids_of

PLACED = sorted(key for key in TABLE if re.search(r"\{(merchant|agency):", key))
_REQUEST_ID = re.compile(r"\b[0-9a-f]{16}\b")
#: What stands in a path for something of everybody's, or of nobody's.
_COMMON = {"chart": "mrr.csv", "version": "1"}
_NEVER_WAS = {
    "merchant": "never-was",
    "agency": "never-was",
    "slug": "never-was",
    "person": "11111111-2222-4333-8444-555555555555",
    "invitation": "11111111-2222-4333-8444-555555555555",
    "customer_id": "cus_AAAAAAAAAAAAAAAAAAAAAAAA",
    "invoice_id": "in_AAAAAAAAAAAAAAAAAAAAAAAA",
    "picture_id": "0" * 64,
    "provider": "never-was",
    "domain": "portal.never-was.example",
}


class Side(NamedTuple):
    """One twin with its agency, and who works there."""

    twin: Twin
    #: What stands in a path for things of theirs.
    ids: dict[str, str]
    boss: Staff
    owner: Staff

    def ids_for(self, key: str) -> dict[str, str]:
        """The ids for a route, of which some mean something else in an agency's paths."""
        return self.ids | ({"person": str(self.boss.id)} if "{agency:" in key else {})

    def worker(self, key: str) -> Staff:
        """Who may do most where a route belongs."""
        return self.boss if "{agency:" in key else self.owner


class Sides(NamedTuple):
    twins: Twins
    left: Side
    right: Side

    @asynccontextmanager
    async def browser(self, staff: Staff, language: str = "en") -> AsyncIterator[httpx.AsyncClient]:
        """A browser at the console that somebody has signed in with."""
        async with self.twins.deployment.db.system() as connection:
            session = await open_staff_session(connection, staff.id, "link", "a test", None)
        async with client_of(self.twins.edge, CONSOLE, session) as client:
            client.headers["accept-language"] = language
            yield client


@pytest.fixture(scope="module")
async def sides(twins: Twins) -> Sides:
    return Sides(twins, await _side(twins, twins.left), await _side(twins, twins.right))


async def _side(twins: Twins, twin: Twin) -> Side:
    mark = twin.mark
    async with twins.deployment.db.system() as connection:
        agency = await find_agency(connection, f"agency-{mark}")
        boss = await add_staff(connection, f"boss@{mark}.example", f"Boss of {mark.title()}")
        await put_agency_member(connection, agency.id, boss, "owner", f"boss@{mark}.example")
        owner = await add_staff(connection, f"owner@{mark}.example")
        invited = await list_invitations(connection, "merchant", twin.tenant_id)
        hosts = await list_hosts(connection, twin.tenant_id)
    ids = {
        "merchant": mark,
        "agency": agency.slug,
        "slug": mark,
        "person": str(owner.id),
        "invitation": str(invited[0].id),
        "customer_id": twin.customers["ada"],
        "invoice_id": (await ids_of(twin, "ada"))["invoice_id"],
        "picture_id": twin.logo,
        "provider": twin.provider.id,
        "domain": hosts[0].host,
    }
    return Side(twin, ids, boss, owner)


def names_of(key: str) -> list[str]:
    return re.findall(r"\{([a-z_]+):", key)


def path_of(key: str, ids: dict[str, str]) -> str:
    """The path of a line of the table."""
    known = _COMMON | ids
    return re.sub(r"\{([a-z_]+):[a-z]+\}", lambda found: known[found[1]], key.split(" ")[1])


async def ask(
    client: httpx.AsyncClient, key: str, ids: dict[str, str], fields: dict[str, str] | None = None
) -> httpx.Response:
    """Send what our own page would, with these ids in the path."""
    path = path_of(key, ids)
    if key.startswith("GET "):
        return await client.get(path, params=fields)
    form = {"csrf": csrf_token(client.cookies["guichet-session"], NOBODY)} | (fields or {})
    return await client.post(path, data=form, headers={"origin": CONSOLE})


def same(foreign: httpx.Response, never: httpx.Response, said: list[tuple[str, str]]) -> bool:
    """Whether two answers tell the same, but for what was asked for."""
    return told(foreign, *(it for it, _ in said)) == told(never, *(it for _, it in said))


@pytest.mark.parametrize("key", PLACED)
async def test_another_ones_workspace_is_like_one_that_never_was(sides: Sides, key: str) -> None:
    """By people of another merchant and of another agency, with all ids of the place itself."""
    for own, other in ((sides.left, sides.right), (sides.right, sides.left)):
        theirs = other.ids_for(key)
        never = theirs | {name: _NEVER_WAS[name] for name in ("merchant", "agency")}
        for staff in (own.owner, own.boss):
            async with sides.browser(staff) as client:
                refused = await ask(client, key, theirs)
                unknown = await ask(client, key, never)
            assert refused.status_code == 404, refused.text
            [place] = {*names_of(key)} & {"merchant", "agency"}
            said = [(theirs[place], never[place])]
            assert same(refused, unknown, said)


@pytest.mark.parametrize(
    "key", [key for key in PLACED if {*names_of(key)} & _NEVER_WAS.keys() - {"merchant", "agency"}]
)
async def test_another_ones_thing_is_like_one_that_never_was(sides: Sides, key: str) -> None:
    """In one's own workspace, where one may do everything."""
    for own, other in ((sides.left, sides.right), (sides.right, sides.left)):
        names = [
            it for it in names_of(key) if it in _NEVER_WAS and it not in ("merchant", "agency")
        ]
        theirs = {name: other.ids_for(key)[name] for name in names}
        never = {name: _NEVER_WAS[name] for name in names}
        async with sides.browser(own.worker(key)) as client:
            refused = await ask(client, key, own.ids_for(key) | theirs)
            unknown = await ask(client, key, own.ids_for(key) | never)
        assert refused.status_code == 404, refused.text
        assert same(refused, unknown, [(theirs[it], never[it]) for it in names])


@pytest.mark.parametrize("key", [key for key in PLACED if key.startswith("GET ")])
async def test_nothing_but_the_path_names_the_workspace(sides: Sides, key: str) -> None:
    """Not a query, whatever it is called, and not a header."""
    left, right = sides.left, sides.right
    marks = await marks_of(right.twin, left.twin)
    ids = left.ids_for(key) | {"provider": "never-was"}
    words = {**right.ids, "tenant_id": str(right.twin.tenant_id)}
    aliases = {"q": "slug", "object": "customer_id", "actor": "person", "after": "customer_id"}
    query = words | {name: words[meant] for name, meant in aliases.items()}
    async with sides.browser(left.worker(key)) as client:
        client.headers["x-forwarded-host"] = right.twin.origin.removeprefix("http://")
        client.headers["x-tenant"] = right.twin.mark
        answer = await ask(client, key, ids, query)
    assert answer.status_code < 500
    seen = as_text(answer)
    for word in sorted({*query.values(), urlencode(query)}, key=len, reverse=True):
        seen = seen.replace(word, "").replace(quote(word), "").replace(quote_plus(word), "")
    assert not [mark for mark in marks if mark in seen]


async def test_a_new_merchant_cannot_begin_like_another_agency_s(sides: Sides) -> None:
    left, right = sides.left, sides.right
    answers = []
    async with sides.browser(left.boss) as client:
        for like in (right.twin.mark, "never-was"):
            form = {"name": "Copy", "slug": "copy", "like": like, "token": uuid4().hex}
            key = "POST /agencies/{agency:str}/new"
            answers.append(await ask(client, key, left.ids, form))
        assert (await client.get("/merchants/copy")).status_code == 404
    assert [it.status_code for it in answers] == [422, 422]
    foreign, never = (re.sub(r'name="token" value="[^"]*"', "", it.text) for it in answers)
    assert _REQUEST_ID.sub("", foreign.replace(right.twin.mark, "…")) == _REQUEST_ID.sub(
        "", never.replace("never-was", "…")
    )


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("who", ["owner", "boss"])
async def test_a_crawl_of_one_console_shows_no_mark_of_the_other(
    sides: Sides, who: str, language: str
) -> None:
    left, right = sides.left, sides.right
    marks = await marks_of(right.twin, left.twin) | {right.ids["agency"]}
    seen = {}
    async with sides.browser(getattr(left, who), language) as client:
        starts = [
            path_of(key, left.ids)
            for key in PLACED
            if key.startswith("GET ") and not key.endswith(("/try", "/callback"))
        ]
        async for page in crawl(client, CONSOLE, starts):
            assert not [mark for mark in marks if mark in page.text], page.path
            seen[page.path] = page
    assert max(page.status for page in seen.values()) < 500
    assert {200, 303} <= {page.status for page in seen.values()}
    assert seen.keys() - {*starts}


async def test_who_belongs_to_both_sees_each_in_its_own_place_only(sides: Sides) -> None:
    left, right = sides.left, sides.right
    async with sides.twins.deployment.db.system() as connection:
        both = await add_staff(connection, "both@example.com", "Both")
        for side in (left, right):
            await put_tenant_member(connection, side.twin.tenant_id, both, "admin", "a test")
    try:
        for own, other in ((left, right), (right, left)):
            # The switcher names the other workspace, and nothing else does.
            marks = await marks_of(other.twin, own.twin) - {
                other.twin.mark,
                other.twin.mark.title(),
            }
            async with sides.browser(both) as client:
                for key in PLACED:
                    if key.startswith("GET ") and "{agency" not in key:
                        answer = await ask(client, key, own.ids)
                        text = as_text(answer)
                        assert not [mark for mark in marks if mark in text], key
    finally:
        for side in (left, right):
            async with sides.twins.deployment.db.unit(side.twin.tenant_id) as unit:
                await remove_member(unit.connection, "merchant", unit.tenant_id, both.id)


async def test_a_preview_s_token_opens_its_own_merchant_s_draft_alone(sides: Sides) -> None:
    left, right = sides.left, sides.right
    deployment = sides.twins.deployment
    async with deployment.db.unit(left.twin.tenant_id) as unit:
        token = await open_preview(unit, deployment.settings.master_keys, left.owner.id)
    marks = await marks_of(right.twin, left.twin)
    async with client_of(sides.twins.edge, "http://preview.localhost:8000") as client:
        for path in ("home", "assets/x/brand.css", f"assets/pictures/{right.twin.logo}"):
            foreign = await client.get(f"/{right.twin.mark}/{token}/{path}")
            assert foreign.status_code == 404
            never = await client.get(f"/never-was/{token}/{path}")
            assert same(foreign, never, [(right.twin.mark, "never-was")])
        own = await client.get(f"/{left.twin.mark}/{token}/assets/pictures/{right.twin.logo}")
        assert own.status_code == 404
        for page in PAGES:
            answer = await client.get(f"/{left.twin.mark}/{token}/{page}")
            assert not [mark for mark in marks if mark in as_text(answer)], page
