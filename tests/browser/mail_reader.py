"""Somebody who reads the demo's mail on the base host, and moves the provider's clocks on."""

import re
from datetime import datetime
from urllib.parse import urlencode

from playwright.async_api import Locator, Page, expect

from tests.browser.visitor import Visitor

#: How long the workers may take from the provider's event to a mail, on a busy machine.
_PATIENCE_MS = 60_000
_LOOK_AGAIN_MS = 250


async def look_until(page: Page, wanted: Locator) -> None:
    """Load a page again until something is on it; the caller's expectation says what is missing."""
    for _ in range(_PATIENCE_MS // _LOOK_AGAIN_MS):
        if await wanted.count():
            return
        await page.wait_for_timeout(_LOOK_AGAIN_MS)
        await page.reload()


class MailReader:
    """One person's mails of one merchant, in a window that is signed in nowhere."""

    def __init__(self, visitor: Visitor, person: str) -> None:
        self.visitor = visitor
        self.page = visitor.page
        self._merchant = visitor.shopfront.merchant.name
        query = urlencode({"merchant": self._merchant, "person": person})
        self._list = f"{visitor.platform.base_url}/_demo/mail?{query}"

    async def subjects(self) -> list[str]:
        """The subjects of all mails, newest first."""
        await self.page.goto(self._list)
        return await self.page.locator(".mails .subject").all_inner_texts()

    async def wait_for(self, count: int) -> str:
        """Look again until there are so many mails, and no more; answers the newest's subject."""
        found = await self.subjects()
        for _ in range(_PATIENCE_MS // _LOOK_AGAIN_MS):
            if len(found) >= count:
                break
            await self.page.wait_for_timeout(_LOOK_AGAIN_MS)
            found = await self.subjects()
        assert len(found) == count, found
        return found[0]

    async def open_newest(self) -> Locator:
        """Open the newest mail, once there is one; answers the link in it that fixes things."""
        await self.page.goto(self._list)
        await look_until(self.page, self.page.locator(".mails li"))
        await self.page.locator(".mails .subject a").first.click()
        link = self.page.frame_locator("iframe").locator('a[href*="/fix/"]').first
        await expect(link).to_be_visible()
        return link

    async def follow_newest(self) -> Page:
        """Open the newest mail and follow its link; answers the tab that opened."""
        link = await self.open_newest()
        async with self.visitor.context.expect_page() as opened:
            await link.click()
        tab = await opened.value
        await tab.wait_for_load_state()
        return tab


class Clock:
    """A merchant's test clock on the sandbox's control page."""

    def __init__(self, visitor: Visitor) -> None:
        self._page = visitor.page
        self._url = f"{visitor.platform.settings.stripe_url}/_control"
        name = re.compile(f"^{re.escape(visitor.shopfront.merchant.name)}")
        heading = visitor.page.get_by_role("heading", name=name, level=2)
        section = visitor.page.locator("section").filter(has=heading)
        self._row = section.locator("tr").filter(has=visitor.page.get_by_label("Days"))

    async def advance(self, days: int) -> datetime:
        """Move it on by a click, and wait until it has arrived; answers its time."""
        await self._page.goto(self._url)
        unit = "day" if days == 1 else "days"
        await self._row.get_by_role("button", name=f"+{days} {unit}", exact=True).click()
        await look_until(self._page, self._row.get_by_text("ready", exact=True))
        await expect(self._row).to_contain_text("ready")
        time = await self._row.locator("time").inner_text()
        return datetime.fromisoformat(f"{time}+00:00")
