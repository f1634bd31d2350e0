"""What a merchant's own CSS can do to a real page: all of the page, and nothing of what we say."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Route, sync_playwright

from guichet.theming.branding import Stylesheet, brand_stylesheet
from guichet.theming.pages import Pages
from guichet.theming.themes import PLAIN, themes_directory
from tenants.branding import Branding
from tests.theming import samples
from tests.theming.gallery import CHROMIUM, FLAGS, ORIGIN, POLICY

pytestmark = pytest.mark.browser

_MARK = '<div class="deployment-mark" id="mark">You see this portal as Ada does.</div>'


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.skip(f"there is no browser at {CHROMIUM}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def pages() -> Pages:
    return Pages(themes_directory(), clock=lambda: samples.NOW)


def _open(browser: Browser, pages: Pages, sheet: bytes) -> Page:
    """The home page with a mark of ours above it and this stylesheet as the brand's."""
    shell = samples.shell(stylesheets=(*pages.stylesheet_urls(PLAIN), "/assets/brand.css"))
    html = pages.render(PLAIN, "home.html", "en", shell=shell, **samples.home()).decode()
    html = html.replace("<body>", f"<body>{_MARK}")

    def answer(route: Route) -> None:
        path = route.request.url.removeprefix(ORIGIN)
        if path == "/":
            headers = {"content-security-policy": POLICY}
            route.fulfill(body=html, content_type="text/html", headers=headers)
        elif path == "/assets/brand.css":
            route.fulfill(body=sheet, content_type="text/css")
        elif (asset := pages.asset(path)) is not None:
            route.fulfill(body=asset.body, content_type=asset.media_type)
        else:
            route.fulfill(status=404, body="")

    page = browser.new_page(viewport={"width": 800, "height": 600})
    page.route("**/*", answer)
    page.goto(f"{ORIGIN}/")
    return page


def _brand(pages: Pages, css: str) -> Stylesheet:
    return brand_stylesheet(Branding(css=css), pages.themes[PLAIN])


def test_a_merchants_css_wins_over_the_theme(browser: Browser, pages: Pages) -> None:
    css = ".card { background: rgb(1 2 3) } body { background: rgb(4 5 6) } h1 { font-size: 9px }"
    with _open(browser, pages, _brand(pages, css).body) as page:
        seen = "(it) => getComputedStyle(document.querySelector(it))"
        assert page.evaluate(f"({seen})('.card').backgroundColor") == "rgb(1, 2, 3)"
        assert page.evaluate(f"({seen})('.portal-page').backgroundColor") == "rgb(4, 5, 6)"
        assert page.evaluate(f"({seen})('h1').fontSize") == "9px"


_COVER = "content:'';display:block;width:3000px;height:3000px;background:red"
# Each passes the check; what keeps it from our mark is the box that the page stands in.
_ALLOWED = [
    "body{margin:-400px}",
    "body{position:absolute;top:-400px;left:-400px;z-index:100;background:red}",
    "body{transform:translateY(-300px) scale(4);background:red}",
    "body{order:-1}",
    "body{outline:900px solid red}",
    "body{box-shadow:0 0 0 3000px red}",
    "body{filter:drop-shadow(0 -300px 0 red);background:red}",
    f"body::before{{{_COVER};position:absolute;top:-400px;left:-400px;z-index:100}}",
    f".card::after{{{_COVER};margin:-1500px}}",
    ".card{position:relative;top:-900px;z-index:100;background:red;height:3000px}",
    "h1{box-shadow:0 0 0 3000px red;transform:scale(90)}",
    "#mark,.deployment-mark,body > div{display:none;opacity:0;color:transparent}",
    "body{mix-blend-mode:difference;background:#fff}",
    ":root{--text:transparent;--background:red;color-scheme:dark}",
]
# These are refused; they are tried as if they had not been.
_REFUSED = [
    "{position:fixed!important;inset:0!important;z-index:2147483647!important;background:red}",
    "{contain:none!important;order:-1!important;z-index:2147483647!important}",
    "::before{content:'';position:fixed;inset:0;z-index:2147483647;background:red}",
    " *{position:fixed!important;top:0;left:0;z-index:2147483647!important;background:red}",
    " .card{position:sticky;top:-99px;z-index:2147483647;pointer-events:none;background:red}",
]


def _shots(page: Page) -> list[bytes]:
    """Our mark as it is seen at the page's top, and after scrolling."""
    mark = page.locator("#mark")
    shots = []
    for place in (0, 300):
        page.evaluate("(to) => window.scrollTo(0, to)", place)
        assert mark.is_visible()
        shots.append(page.screenshot(clip=mark.bounding_box()))
    return shots


@pytest.fixture(scope="module")
def undisturbed(browser: Browser, pages: Pages) -> list[bytes]:
    """Our mark above a page without any CSS of a merchant's."""
    with _open(browser, pages, _brand(pages, "").body) as page:
        return _shots(page)


def _seen(browser: Browser, pages: Pages, sheet: bytes) -> list[bytes]:
    with _open(browser, pages, sheet) as page:
        return _shots(page)


@pytest.mark.parametrize("css", _ALLOWED)
def test_nothing_that_is_allowed_hides_or_covers_what_the_deployment_says(
    browser: Browser, pages: Pages, undisturbed: list[bytes], css: str
) -> None:
    sheet = _brand(pages, css).body
    assert b"@layer merchant" in sheet
    assert _seen(browser, pages, sheet) == undisturbed


@pytest.mark.parametrize("rule", _REFUSED)
def test_what_is_refused_could_not_hide_or_cover_it_either(
    browser: Browser, pages: Pages, undisturbed: list[bytes], rule: str
) -> None:
    sheet = _brand(pages, "").body + f"@layer merchant {{.portal-page{rule}}}".encode()
    assert _seen(browser, pages, sheet) == undisturbed
