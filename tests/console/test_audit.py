"""The audit log: found, paged, filtered, and taken away as a file that runs nothing."""

import csv
import io
import re
from datetime import UTC, datetime, timedelta
from html import unescape
from uuid import UUID

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from guichet.console.audit.exporting import export
from guichet.console.audit.reading import Filters, read_entries, read_key
from guichet.db import Database
from tests.console.conftest import AsStaff
from tests.console.town import Town

MERCHANT, AGENCY = "/merchants/lumen", "/agencies/atelier"
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


async def fill(db: Database, tenant_id: UUID, count: int, **values: str) -> None:
    """Rows with a minute between them, three at each moment; objects are numbered."""
    row = {
        "kind": "staff",
        "actor": "noor@example.com",
        "action": "draft.saved",
        "object": "",
        "details": "{}",
    } | values
    async with db.unit(tenant_id) as unit:
        await unit.execute(
            """
            insert into audit_log (tenant_id, at, actor_kind, actor, action, object, details)
            select
              $1, $2::timestamptz - (n / 3) * interval '1 minute', $3, $4, $5,
              coalesce(nullif($6, ''), 'object-' || n), $7::jsonb
            from generate_series(0, $8::int - 1) as n
            """,
            tenant_id,
            NOON,
            *row.values(),
            count,
        )


def objects(page: httpx.Response) -> list[str]:
    assert page.status_code == 200, page.text
    return re.findall(r"\?object=([^\"]*)\"", page.text)


def next_of(page: httpx.Response) -> str:
    found = re.search(r'href="([^"]*)" rel="next"', page.text)
    return unescape(found[1]) if found else ""


async def test_pages_show_every_row_once_although_many_share_a_moment(
    town: Town, as_staff: AsStaff
) -> None:
    await fill(town.deployment.db, town.lumen.id, 120)
    admin = await as_staff("admin")
    url, seen = f"{MERCHANT}/audit", []
    pages = 0
    while url:
        page = await admin.get(url)
        seen += objects(page)
        url = next_of(page)
        pages += 1
    assert pages == 3
    assert len(seen) == len(set(seen)) == 120
    moments = [int(name.removeprefix("object-")) // 3 for name in seen]
    assert moments == sorted(moments)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("actor=ada", {"b"}),
        ("actor=ad", set()),
        ("action=member", {"a", "c"}),
        ("action=member.removed", {"c"}),
        ("action=mem", set()),
        ("action=%25", set()),
        ("object=b", {"b"}),
        ("since=2026-11-25", set()),
        ("since=2026-11-24&until=2026-11-24", {"a", "b", "c"}),
        ("until=2026-11-23", set()),
        ("actor=noor%40example.com&action=member&object=a", {"a"}),
        ("since=yesterday", {"a", "b", "c"}),
        ("until=9999-12-31", {"a", "b", "c"}),
        ("after=nonsense", {"a", "b", "c"}),
        ("after=999999999999999999-00000000-0000-0000-0000-000000000000", {"a", "b", "c"}),
        ("actor=%00ada", {"b"}),
        ("unknown=x", {"a", "b", "c"}),
    ],
)
async def test_filters_find_what_they_say(
    town: Town, as_staff: AsStaff, query: str, expected: set[str]
) -> None:
    db, lumen = town.deployment.db, town.lumen.id
    await fill(db, lumen, 1, object="a", action="member.invited")
    await fill(db, lumen, 1, object="b", actor="ada", kind="customer", action="customer.signed_in")
    await fill(db, lumen, 1, object="c", action="member.removed")
    admin = await as_staff("admin")
    assert set(objects(await admin.get(f"{MERCHANT}/audit?{query}"))) == expected
    lines = list(csv.reader(io.StringIO((await admin.get(f"{MERCHANT}/audit.csv?{query}")).text)))
    if "after" not in query:
        assert {line[4] for line in lines[1:]} == expected


async def test_a_day_that_is_none_is_said_beside_its_field(town: Town, as_staff: AsStaff) -> None:
    page = await (await as_staff("admin")).get(f"{MERCHANT}/audit?since=2026-13-45")
    assert "Write a day such as" in page.text


async def test_a_query_of_a_thousand_parts_is_refused(town: Town, as_staff: AsStaff) -> None:
    query = "&".join(f"a{n}=1" for n in range(300))
    assert (await (await as_staff("admin")).get(f"{MERCHANT}/audit?{query}")).status_code == 400


async def test_before_and_after_can_be_read_and_run_nothing(town: Town, as_staff: AsStaff) -> None:
    details = '{"before": {"role": "support"}, "after": {"role": "<script>"}, "why": "{{ 7*7 }}"}'
    await fill(town.deployment.db, town.lumen.id, 1, details=details)
    page = await (await as_staff("admin")).get(f"{MERCHANT}/audit")
    assert "<del>" in page.text
    assert "support" in page.text
    assert "&lt;script&gt;" in page.text
    assert "<script>" not in page.text
    assert "{{ 7*7 }}" in page.text


@pytest.mark.parametrize("details", ["[]", "1", '{"before": 1}', '{"after": [1, {"a": null}]}'])
async def test_details_of_any_shape_are_shown(town: Town, as_staff: AsStaff, details: str) -> None:
    await fill(town.deployment.db, town.lumen.id, 1, details=details)
    page = await (await as_staff("admin")).get(f"{MERCHANT}/audit")
    assert page.status_code == 200


async def test_an_empty_log_says_so(town: Town, as_staff: AsStaff) -> None:
    admin = await as_staff("admin")
    assert "Nothing has happened yet" in (await admin.get(f"{MERCHANT}/audit")).text
    assert "Nothing fits" in (await admin.get(f"{MERCHANT}/audit?actor=x")).text


async def test_nobody_sees_another_merchants_rows(town: Town, as_staff: AsStaff) -> None:
    db = town.deployment.db
    mark = '{"why": "only-volta-knows"}'
    await fill(db, town.volta.id, 1, object="theirs", actor="them", details=mark)
    await fill(db, town.lumen.id, 1, object="own")
    admin = await as_staff("admin")
    rows = await read_entries(db, "merchant", town.lumen.id, Filters(), "", 10)
    assert [row.object for row in rows] == ["own"]
    for query in ("", "?object=theirs", "?actor=them"):
        for path in ("audit", "audit.csv"):
            answer = await admin.get(f"{MERCHANT}/{path}{query}")
            assert (answer.status_code, "only-volta-knows" in answer.text) == (200, False)


async def test_an_agencys_log_is_its_own(town: Town, as_staff: AsStaff) -> None:
    async with town.deployment.db.system() as connection:
        await connection.execute(
            """
            insert into agency_audit_log (agency_id, actor_kind, actor, action, object)
            values ($1, 'staff', 'a@example.com', 'member.invited', 'ours'),
              ($2, 'staff', 'b@example.com', 'member.invited', 'theirs')
            """,
            town.atelier.id,
            town.forge.id,
        )
    member = await as_staff("agency_member")
    page = await member.get(f"{AGENCY}/audit")
    assert objects(page) == ["ours"]
    file = await member.get(f"{AGENCY}/audit.csv")
    assert "theirs" not in file.text
    assert "ours" in file.text


# The file


async def test_the_file_has_every_row_and_a_name(town: Town, as_staff: AsStaff) -> None:
    await fill(town.deployment.db, town.lumen.id, 2500)
    answer = await (await as_staff("admin")).get(f"{MERCHANT}/audit.csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert re.fullmatch(
        r'attachment; filename="audit-lumen-\d{4}-\d\d-\d\d\.csv"',
        answer.headers["content-disposition"],
    )
    lines = list(csv.reader(io.StringIO(answer.text)))
    assert lines[0] == ["at", "actor_kind", "actor", "action", "object", "details", "request_id"]
    assert len(lines) == 2501
    assert len({line[4] for line in lines[1:]}) == 2500


async def test_the_file_ends_at_its_bound(town: Town) -> None:
    await fill(town.deployment.db, town.lumen.id, 1500)
    pieces = [
        piece
        async for piece in export(
            town.deployment.db, "merchant", town.lumen.id, Filters(), most=1200
        )
    ]
    assert b"".join(pieces).count(b"\r\n") == 1201
    # A header and two batches: no piece holds all of it.
    assert len(pieces) == 3


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t"])
async def test_no_cell_of_the_file_is_a_formula(town: Town, as_staff: AsStaff, start: str) -> None:
    evil = f'{start}HYPERLINK("http://evil.example","x")'
    await fill(town.deployment.db, town.lumen.id, 1, actor=evil, object=evil)
    answer = await (await as_staff("admin")).get(f"{MERCHANT}/audit.csv")
    (_, line) = list(csv.reader(io.StringIO(answer.text)))
    assert (line[2], line[4]) == (f"'{evil}", f"'{evil}")
    assert not [cell for cell in line if cell.startswith(("=", "+", "-", "@", "\t"))]


@given(st.text(max_size=60))
def test_any_text_is_a_key_or_the_beginning(text: str) -> None:
    at, id_ = read_key(text)
    assert at.tzinfo is UTC
    assert isinstance(id_, UUID)


def test_a_key_leads_back_to_its_row() -> None:
    id_ = UUID(int=7)
    moment = NOON + timedelta(microseconds=123457)
    micros = int((moment - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(microseconds=1))
    assert read_key(f"{micros}-{id_}") == (moment, id_)
