"""Every page of every theme: whole, labelled, small, and without a finding by axe."""

from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import jinja2
import msgspec
import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Page, sync_playwright

from guichet.money import Money
from guichet.theming.pages import Pages
from guichet.theming.themes import themes_directory
from tenants.branding import Link
from tests.theming import gallery, samples, situations

_VOID = {"meta", "link", "input", "img", "br", "path", "rect", "circle"}


@pytest.fixture(scope="module")
def pages() -> Pages:
    """The pages, at the moment of the samples."""
    return Pages(themes_directory(), clock=lambda: samples.NOW)


def _all_pages() -> list[Any]:
    portal = [(theme, page) for theme in samples.MERCHANTS for page in situations.portal_pages()]
    platform = [("platform", page) for page in situations.platform_pages()]
    return [pytest.param(*pair, id="-".join(pair)) for pair in portal + platform]


def _draw(pages: Pages, theme: str, page: str, locale: str) -> str:
    if theme == "platform":
        context = situations.platform_pages()[page]
    else:
        context = situations.portal_pages()[page] | {
            "shell": samples.framed(pages, theme, locale, page, "auto")
        }
    return pages.render(theme, samples.template_of(page), locale, **context).decode()


class _Reader(HTMLParser):
    """Reads a page strictly: what is opened is closed in order, attributes come once."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.feed(html)
        self.close()
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"<{tag}> has an attribute twice: {names}"
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        opened = self.open.pop()
        assert opened == tag, f"</{tag}> closes <{opened}>"

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.mark.parametrize(("theme", "page"), _all_pages())
@pytest.mark.parametrize("locale", ["en", "fr"])
def test_every_page_is_whole_and_labelled(pages: Pages, theme: str, page: str, locale: str) -> None:
    read = _Reader(_draw(pages, theme, page, locale))
    assert read.all("html")[0]["lang"] == locale
    assert len(read.all("h1")) == 1
    assert len(read.all("main")) == 1
    ids = [attributes["id"] for _, attributes in read.tags if "id" in attributes]
    assert [name for name, count in Counter(ids).items() if count > 1] == []
    for _, attributes in read.tags:
        for reference in ("for", "aria-labelledby", "aria-describedby"):
            assert attributes.get(reference, ids[0]) in ids
    assert all("alt" in image for image in read.all("img"))


@pytest.mark.parametrize(("theme", "page"), _all_pages())
def test_every_page_keeps_to_the_strict_content_security_policy(
    pages: Pages, theme: str, page: str
) -> None:
    read = _Reader(_draw(pages, theme, page, "en"))
    assert read.all("style") == []
    for tag, attributes in read.tags:
        assert "style" not in attributes, tag
        assert not [name for name in attributes if name.startswith("on")], tag
    for script in read.all("script"):
        assert script["src"].startswith("/assets/")
    for link in read.all("link"):
        assert link["href"].startswith("/assets/")


@pytest.mark.parametrize("page", situations.portal_pages())
def test_every_form_that_changes_something_carries_the_token(pages: Pages, page: str) -> None:
    html = _draw(pages, "plain", page, "en")
    for form in html.split("<form")[1:]:
        body = form.partition("</form>")[0]
        is_post = 'method="post"' in body.partition(">")[0]
        # The one form that anybody may send who holds the link of a mail (RFC 8058).
        is_bound = is_post and samples.template_of(page) != "unsubscribe.html"
        assert (f'name="csrf" value="{samples.CSRF}"' in body) == is_bound


def test_what_a_merchant_or_customer_typed_is_escaped_once(pages: Pages) -> None:
    hostile = "<script>&'\""
    plan = samples.price(hostile, 900)
    shown = samples.home(subscriptions=(samples.subscription(1, plan, status="past_due"),))
    shell = samples.shell(hostile, customer_label=hostile, headline=hostile)
    html = pages.render("plain", "home.html", "en", shell=shell, **shown).decode()
    assert "<script>&" not in html
    assert "&amp;amp;" not in html
    assert html.count("&lt;script&gt;&amp;") >= 5


def test_a_merchants_link_leads_to_a_page_or_is_left_out(pages: Pages) -> None:
    links = (Link("Bad", "javascript:alert(1)"), Link("Good", "https://example.com/?a=1&b=2"))
    shell = samples.shell(links=links)
    html = pages.render("plain", "signed_out.html", "en", shell=shell).decode()
    assert "javascript:" not in html
    assert 'href="https://example.com/?a=1&amp;b=2"' in html


def test_a_page_never_hides_that_its_context_is_incomplete(pages: Pages) -> None:
    with pytest.raises(jinja2.UndefinedError):
        pages.render("plain", "home.html", "en", shell=samples.shell())


def test_a_theme_that_is_gone_falls_back_to_plain(pages: Pages) -> None:
    shell = samples.shell()
    gone = pages.render("gone", "signed_out.html", "xx", shell=shell)
    assert gone == pages.render("plain", "signed_out.html", "en", shell=shell)
    assert pages.stylesheet_urls("gone") == pages.stylesheet_urls("plain")


def test_the_home_page_of_ten_invoices_is_small(pages: Pages) -> None:
    for theme in samples.MERCHANTS:
        assert len(_draw(pages, theme, "home", "fr").encode()) < 15_000


def test_zero_decimal_currencies_are_shown_without_decimals(pages: Pages) -> None:
    html = _draw(pages, "plain", "home-many", "en")
    assert "¥5,940" in html
    assert "5,940.00" not in html


def test_the_review_shows_what_is_paid_now_and_next(pages: Pages) -> None:
    html = _draw(pages, "plain", "change_review", "en")
    assert "Confirm and pay €21.00" in html
    assert "−€20.30" in html
    assert "Next payment, December 14, 2026" in html


@pytest.mark.parametrize(
    ("amount", "adjustment", "label"),
    [
        (-2000, 2000, "Kept as credit for your next invoices"),
        (2000, 400, "Discounts, taxes and credit"),
    ],
    ids=["given back", "taxed"],
)
def test_only_what_is_given_back_is_called_credit(
    pages: Pages, amount: int, adjustment: int, label: str
) -> None:
    context = dict(situations.portal_pages()["change_review"])
    context["preview"] = msgspec.structs.replace(
        context["preview"],
        lines=(msgspec.structs.replace(context["preview"].lines[0], amount=Money(amount, "eur")),),
        due_now=Money(0, "eur"),
        adjustment=Money(adjustment, "eur"),
    )
    context["shell"] = samples.framed(pages, "plain", "en", "change_review", "auto")
    assert label in pages.render("plain", "change_review.html", "en", **context).decode()


def test_a_change_that_waits_charges_nothing_now(pages: Pages) -> None:
    html = _draw(pages, "plain", "change_review-later", "en")
    assert "€0.00" in html
    assert "Confirm the change" in html
    assert "Confirm and pay" not in html


def test_a_subscription_that_is_ending_offers_to_stay_and_nothing_else(pages: Pages) -> None:
    html = _draw(pages, "plain", "home-ending", "en")
    assert "/keep" in html
    assert "/change" not in html
    assert "/cancel" not in html


def test_a_card_is_announced_as_expiring_only_when_it_is(pages: Pages) -> None:
    assert "is about to expire" in _draw(pages, "plain", "home-ending", "en")
    assert "expire." not in _draw(pages, "plain", "home", "en")


def test_an_overdue_payment_is_announced_with_its_invoice(pages: Pages) -> None:
    html = _draw(pages, "plain", "home-overdue", "en")
    assert "did not go through" in html
    assert "/invoices/in_00000000000000/pdf" in html


def test_money_with_markup_is_written_once(pages: Pages) -> None:
    preview = situations.portal_pages()["change_review"]["preview"]
    assert preview.due_now == Money(2100, "eur")
    html = _draw(pages, "plain", "change_review", "fr")
    assert "Confirmer et payer 21,00\N{NO-BREAK SPACE}€" in html


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, without a network."""
    if not gallery.CHROMIUM.exists():
        pytest.skip(f"there is no browser at {gallery.CHROMIUM}")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=gallery.CHROMIUM, args=gallery.FLAGS)
        yield chromium
        chromium.close()


#: What differs in CSS alone is looked at in the themes that inherit every template.
_CHARACTERISTIC = (
    *("home", "home-overdue", "home-ending", "home-many", "home-logo", "invoices", "change"),
    *("change_review", "change_result-refused", "cancel", "sign_in", "no_account", "error"),
)


def _looked_at(pages: Pages, theme: str) -> Iterator[tuple[gallery.Drawing, bool]]:
    """The drawings of a theme; axe looks at two of each page, the widths are measured at more."""
    names = {f"{theme}-{page}" for page in _CHARACTERISTIC}
    for drawing in gallery.drawings(pages):
        name, locale, scheme, width = drawing.name.rsplit("-", 3)
        if name in names or (theme in ("plain", "platform") and name.startswith(f"{theme}-")):
            yes = (locale, scheme, width) in {("en", "light", "wide"), ("fr", "dark", "narrow")}
            if yes or (locale, scheme) == ("fr", "light"):
                yield drawing, yes


def _too_wide(page: Page, drawing: gallery.Drawing) -> list[str]:
    """Whether a page has to be moved sideways; a narrow one is tried at 320 px too.

    Source: WCAG 2.2, success criterion 1.4.10, Reflow.
    """
    found = []
    for width in {drawing.width, 320 if drawing.width < 400 else drawing.width}:
        page.set_viewport_size({"width": width, "height": 900})
        needed = page.evaluate("document.documentElement.scrollWidth")
        if needed > width:
            found.append(f"{drawing.name}: {needed} px wide on {width} px")
    return found


@pytest.mark.browser
def test_a_form_is_sent_once_until_the_page_comes_back(pages: Pages, browser: Browser) -> None:
    easel = gallery.Easel(browser, pages)
    html = _draw(pages, "plain", "change_review", "en").encode()
    page = easel.show(gallery.Drawing("review", html, False, 1280))
    submit = (
        "document.querySelector('form.confirm')"
        ".dispatchEvent(new Event('submit', {bubbles: true, cancelable: true}))"
    )
    assert page.evaluate(submit) is True
    assert page.evaluate(submit) is False
    page.evaluate("window.dispatchEvent(new Event('pageshow'))")
    assert page.evaluate(submit) is True


@pytest.mark.browser
@pytest.mark.parametrize("theme", [*samples.MERCHANTS, "platform"])
def test_axe_finds_nothing_and_nothing_is_cut_off(
    pages: Pages, browser: Browser, theme: str
) -> None:
    findings: list[str] = []
    easel = gallery.Easel(browser, pages)
    for drawing, is_examined in _looked_at(pages, theme):
        page = easel.show(drawing)
        findings += _too_wide(page, drawing)
        if is_examined:
            for violation in Axe().run(page).response["violations"]:
                nodes = [node["html"] for node in violation["nodes"]]
                findings.append(f"{drawing.name}: {violation['id']}: {nodes}")
    assert findings == []
