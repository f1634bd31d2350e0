"""A person with a browser at one portal, and the faults that no page of ours may have."""

import re
from urllib.parse import urlsplit

from playwright.async_api import BrowserContext, ConsoleMessage, Locator, Page, Request, Response

from guichet.theming.locale import speech
from tests.browser.platform import Platform, Shopfront

# Debian's Chromium, which asks nobody anything but the pages it is sent to.
CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-proxy-server",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE *.localhost, EXCLUDE localhost, EXCLUDE 127.*",
]
# Chromium says so of every page with an error's status, ours included, and when it is offline.
_LOADING = "Failed to load resource"


class Visitor:
    """One browser window. `faults` is what went wrong in it that nobody provoked."""

    def __init__(self, platform: Platform, shopfront: Shopfront, context: BrowserContext) -> None:
        self.platform = platform
        self.shopfront = shopfront
        self.context = context
        self.locale = shopfront.merchant.locale
        self.faults: list[str] = []
        context.on("console", self._hear)
        context.on("weberror", lambda error: self.faults.append(f"script: {error.error}"))
        context.on("request", self._watch)
        context.on("response", self._check)
        self.page: Page

    async def open(self) -> "Visitor":
        """Open the window's first tab."""
        self.page = await self.context.new_page()
        return self

    def say(self, message: str, **values: object) -> str:
        """A sentence as the portal says it in the visitor's language."""
        return speech(self.locale).gettext(message, **values)

    async def go(self, path: str) -> Response | None:
        """Open a page of the portal by its address."""
        return await self.page.goto(f"{self.shopfront.origin}{path}")

    def link(self, message: str, **values: object) -> Locator:
        """The link with this text."""
        return self.page.get_by_role("link", name=self.say(message, **values), exact=True)

    def button(self, message: str, **values: object) -> Locator:
        """The button with this text."""
        return self.page.get_by_role("button", name=self.say(message, **values), exact=True)

    @property
    def main(self) -> Locator:
        """What the page is about."""
        return self.page.locator("main")

    @property
    def heading(self) -> Locator:
        """The page's one first heading."""
        return self.page.locator("h1")

    @property
    def path(self) -> str:
        """Where the window is at this portal; a whole address when it is elsewhere."""
        return self.page.url.removeprefix(self.shopfront.origin)

    async def sign_in(self, email: str) -> None:
        """From wherever the sign-in page was asked for, through the identity provider."""
        if self.path.partition("?")[0] != "/sign-in":
            await self.go("/sign-in")
        name = self.shopfront.merchant.name
        await self.link("Continue with %(provider)s", provider=name).click()
        await self.page.get_by_placeholder("sub", exact=True).fill(email)
        await self.page.get_by_role("button", name="Authorize", exact=True).click()

    async def scrolls_sideways(self) -> bool:
        """Whether the page is wider than the window."""
        wide: bool = await self.page.evaluate(
            "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        )
        return wide

    def _is_ours(self, url: str) -> bool:
        """Whether an address is the deployment's, the sandbox's or the browser's own."""
        parts = urlsplit(url)
        if parts.scheme in ("data", "chrome", "chrome-extension"):  # Such is the PDF viewer.
            return True
        known = {self.platform.settings.stripe_url, self.platform.issuer, self.platform.base_url}
        base = re.escape(self.platform.settings.base_domain)
        own = re.fullmatch(rf"http://[a-z]+\.{base}", f"{parts.scheme}://{parts.netloc}")
        return bool(own) or f"{parts.scheme}://{parts.netloc}" in known

    def _asked_by_us(self, request: Request) -> bool:
        # The identity provider's pages are no part of the deployment, whatever they load.
        return not request.headers.get("referer", "").startswith(self.platform.issuer)

    def _watch(self, request: Request) -> None:
        if self._asked_by_us(request) and not self._is_ours(request.url):
            self.faults.append(f"request abroad: {request.url}")

    def _check(self, response: Response) -> None:
        ours = response.url.startswith(self.shopfront.origin)
        if ours and response.status >= 400 and response.request.resource_type != "document":
            self.faults.append(f"{response.status}: {response.url}")

    def _hear(self, message: ConsoleMessage) -> None:
        ours = not message.location["url"].startswith(self.platform.issuer)
        if ours and message.type in ("error", "warning") and _LOADING not in message.text:
            self.faults.append(f"console: {message.text}")
