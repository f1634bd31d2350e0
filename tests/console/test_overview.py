"""The overview says how a portal stands, with charts that a spreadsheet can repeat exactly."""

import csv
import io
import re
from decimal import Decimal
from xml.etree import ElementTree

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from guichet.billing.importing import import_tenant
from guichet.console.overview.attention import points
from guichet.console.overview.charts import HEIGHT, NARROW, Series, draw_bars, scale_top
from guichet.console.overview.showing import charts, export
from guichet.metrics.counting import Month
from guichet.metrics.figures import count_figures, read_figures
from guichet.metrics.health import Health
from tenants.catalog import Plan
from tenants.configuration import Configuration, publish
from tenants.drafts import replace_draft
from tests.console.conftest import AsStaff
from tests.console.town import Town
from tests.shops import Shop

_WELL = Health(key="ok", webhooks="ok")
_MONTHS = (
    Month(name="2026-10", mrr={"eur": 100_050, "jpy": 1200}, started=3, failed=2),
    Month(name="2026-11", mrr={"eur": 120_000}, started=1, ended=2, recovered=1),
)


@pytest.fixture
async def trade(town: Town, shop: Shop) -> None:
    """Lumen with one subscription, published and counted."""
    customer = await shop.add_customer()
    await shop.subscribe(customer)
    db = town.deployment.db
    await import_tenant(db, shop.port, town.lumen.id)
    async with db.unit(town.lumen.id) as unit:
        plans = Configuration(plans=(Plan(shop.monthly),))
        await publish(unit.connection, town.lumen.id, plans, "a test")
    await count_figures(db, town.lumen.id)


async def test_a_new_merchant_is_told_what_to_do_in_which_order(as_staff: AsStaff) -> None:
    page = await (await as_staff("owner")).get("/merchants/lumen")
    assert page.status_code == 200
    links = re.findall(r'<li>\s*<a href="([^"]+)"', page.text.split("checklist")[1])
    assert [it.rpartition("/")[2] for it in links[:6]] == [
        "connections",
        "plans",
        "branding",
        "changes",
        "sign-in-providers",
        "publish",
    ]
    assert "http://lumen.localhost:8000/" in links


@pytest.mark.usefixtures("trade")
async def test_a_portal_with_customers_shows_its_figures(as_staff: AsStaff) -> None:
    page = await (await as_staff("analyst")).get("/merchants/lumen")
    assert page.status_code == 200
    assert "€10" in page.text
    assert "Live in ten minutes" not in page.text
    for name in ("ada@example.com", "Ada"):
        assert name not in page.text


@pytest.mark.usefixtures("trade")
async def test_every_chart_is_well_formed_and_told_in_words_too(as_staff: AsStaff) -> None:
    page = await (await as_staff("owner")).get("/merchants/lumen")
    drawn = re.findall(r'<svg class="bars.*?</svg>', page.text, re.DOTALL)
    # Of revenue there is one for a phone besides.
    assert len(drawn) == 4
    for text in drawn:
        svg = ElementTree.fromstring(text)
        assert svg.get("role") == "img"
        about = {it.get("id") for it in svg if it.tag in ("title", "desc")}
        assert set((svg.get("aria-labelledby") or "").split()) == about
        assert "style=" not in text
        assert len(svg.findall("rect")) % 13 == 0


@pytest.mark.usefixtures("trade")
async def test_the_csv_of_a_chart_is_what_the_chart_shows(town: Town, as_staff: AsStaff) -> None:
    client = await as_staff("analyst")
    async with town.deployment.db.unit(town.lumen.id) as unit:
        kept = await read_figures(unit)
    assert kept is not None
    answer = await client.get("/merchants/lumen/overview/mrr.csv")
    assert answer.headers["content-disposition"] == 'attachment; filename="lumen-mrr.csv"'
    head, *rows = csv.reader(io.StringIO(answer.text))
    assert head == ["month", "eur"]
    (chart,) = (it for it in charts(kept.months, "en") if it.csv == "mrr")
    assert [Decimal(row[1]) for row in rows] == list(chart.series[0].values)
    answer = await client.get("/merchants/lumen/overview/subscriptions.csv")
    head, *rows = csv.reader(io.StringIO(answer.text))
    assert [row[0] for row in rows] == [month.name for month in kept.months]
    assert rows[-1][1:] == ["1", "0"]


@pytest.mark.parametrize("name", ["mrr", "customers.csv", "..csv", "mrr.csv.csv"])
async def test_there_are_no_other_charts(as_staff: AsStaff, name: str) -> None:
    client = await as_staff("analyst")
    assert (await client.get(f"/merchants/lumen/overview/{name}")).status_code == 404


def test_a_csv_has_every_currency_and_every_digit() -> None:
    assert export(_MONTHS, "mrr").decode().splitlines() == [
        "month,eur,jpy",
        "2026-10,1000.50,1200",
        "2026-11,1200.00,0",
    ]
    assert export(_MONTHS, "payments").decode().splitlines() == [
        "month,failed,recovered",
        "2026-10,2,0",
        "2026-11,0,1",
    ]


def test_each_currency_has_a_chart_of_its_own() -> None:
    drawn = charts(_MONTHS, "fr")
    assert [it.id for it in drawn] == ["mrr-eur", "mrr-jpy", "subscriptions", "payments"]
    assert drawn[0].rows[0][0] == "octobre 2026"


@given(
    st.lists(
        st.tuples(st.decimals(0, 10**9, places=2), st.decimals(0, 10**9, places=2)),
        min_size=1,
        max_size=13,
    )
)
def test_every_bar_stays_in_its_box_and_as_high_as_its_value(
    values: list[tuple[Decimal, Decimal]],
) -> None:
    series = [
        Series(name, tuple(it[place] for it in values), tuple("" for _ in values))
        for place, name in enumerate("ab")
    ]
    drawn = draw_bars(series, ["x"] * len(values))
    for bar in drawn.bars:
        assert 0 <= bar.x <= bar.x + bar.width <= NARROW
        assert 0 <= bar.y <= bar.y + bar.height <= HEIGHT
        assert bar.height >= 0
    flat = [value for pair in values for value in pair]
    highest = max(range(len(flat)), key=lambda place: flat[place])
    assert drawn.bars[highest].height == max(bar.height for bar in drawn.bars)


@given(st.decimals(0, 10**12, places=2))
def test_a_scale_ends_above_the_highest_value_and_not_far_above(highest: Decimal) -> None:
    top = scale_top(highest)
    assert top >= highest
    assert top <= max(Decimal(4), highest * Decimal("2.5"))


@pytest.mark.parametrize(
    ("health", "path"),
    [
        (replace(_WELL, key="rejected"), "/connections"),
        (replace(_WELL, webhooks="silent"), "/connections"),
        (replace(_WELL, webhooks="missing"), "/connections"),
        (replace(_WELL, domains="lost"), "/domains"),
        (replace(_WELL, domains="unverified"), "/domains"),
        (replace(_WELL, draft=True), "/publish"),
        (replace(_WELL, asking=2), "/customers"),
        (replace(_WELL, mails_failed=1), "/customers"),
    ],
)
def test_what_needs_attention_leads_to_where_it_is_mended(health: Health, path: str) -> None:
    assert [it.path for it in points(health, is_suspended=False)] == [path]
    assert list(points(_WELL, is_suspended=False)) == []


async def test_changes_that_nobody_published_are_told(town: Town, as_staff: AsStaff) -> None:
    async with town.deployment.db.unit(town.lumen.id) as unit:
        await publish(unit.connection, town.lumen.id, Configuration(), "a test")
        await replace_draft(unit.connection, town.lumen.id, Configuration(), "a test")
    owner, analyst = await as_staff("owner"), await as_staff("analyst")
    told = "There are changes that nobody has published"
    assert told not in (await owner.get("/merchants/lumen")).text
    async with town.deployment.db.unit(town.lumen.id) as unit:
        await replace_draft(unit.connection, town.lumen.id, Configuration(locale="fr"), "a test")
    page = await owner.get("/merchants/lumen")
    assert told in page.text
    assert 'class="button small" href="/merchants/lumen/publish"' in page.text
    # Who may not publish is told, and not sent there.
    page = await analyst.get("/merchants/lumen")
    assert told in page.text
    assert 'class="button small" href="/merchants/lumen/publish"' not in page.text


async def test_a_suspended_portal_says_so(town: Town, as_staff: AsStaff) -> None:
    async with town.deployment.db.system() as connection:
        await connection.execute(
            "update tenants set status = 'suspended' where id = $1", town.lumen.id
        )
    page = await (await as_staff("owner")).get("/merchants/lumen")
    assert "This portal is suspended" in page.text


async def test_a_browser_that_is_signed_out_sees_no_figures(console: httpx.AsyncClient) -> None:
    assert (await console.get("/merchants/lumen/overview/mrr.csv")).status_code == 303
