"""Takes the pictures of the README and the documentation from a fresh demo: `make pictures`.

With beginnings of names, as in `python -m tests.browser.pictures console`, it takes those alone.
"""

import asyncio
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

from playwright.async_api import Browser, async_playwright, expect

from tests.browser.mail_reader import MailReader
from tests.browser.platform import Platform, running_platform
from tests.browser.visitor import CHROMIUM, FLAGS, Visitor

_FOLDER = Path("docs/pictures")
#: What a picture may weigh: they are kept in the repository, each version of them.
_MOST_BYTES = 150_000
_DESK = (1280, 860)
_PHONE = (390, 844)
_GRACE = "grace@example.com"


async def _home(visitor: Visitor) -> None:
    await visitor.sign_in("ada@example.com")


async def _choose(visitor: Visitor) -> None:
    await _home(visitor)
    await visitor.link("Change plan").click()
    await visitor.page.get_by_role("radio").last.check()


async def _review(visitor: Visitor) -> None:
    await _choose(visitor)
    await visitor.button("Continue to review").click()
    await visitor.page.wait_for_url("**/review?*")


async def _past_due(visitor: Visitor) -> None:
    await visitor.sign_in(_GRACE)
    await expect(visitor.page.locator(".notice.failed")).to_be_visible()


async def _pay(visitor: Visitor) -> None:
    await _past_due(visitor)
    await visitor.page.locator(".notice.failed a.primary").click()
    await visitor.page.wait_for_url("**/pay")


async def _mails(visitor: Visitor) -> None:
    await visitor.page.goto(f"{visitor.platform.base_url}/_demo/mail")
    await expect(visitor.page.locator(".mails li").first).to_be_visible()


async def _console(visitor: Visitor, path: str) -> None:
    """A page of the console, as the agency's owner sees it."""
    console = visitor.platform.base_url.replace("http://", "http://console.")
    await visitor.page.goto(f"{console}/sign-in")
    await visitor.page.locator("main a.button").first.click()
    await visitor.page.locator("input[name=sub]").fill("owner@atelier.example")
    await visitor.page.locator("button").first.click()
    await visitor.page.goto(f"{console}{path}")


async def _branding(visitor: Visitor) -> None:
    await _console(visitor, "/merchants/lumen/branding")
    frame = visitor.page.frame_locator("iframe[data-preview]")
    await expect(frame.locator("h1")).to_be_visible()


async def _overview(visitor: Visitor) -> None:
    await _console(visitor, "/merchants/lumen")


async def _merchants(visitor: Visitor) -> None:
    await _console(visitor, "/agencies/atelier")


async def _mail(visitor: Visitor) -> None:
    await MailReader(visitor, _GRACE).open_newest()


#: How one comes to what a picture shows.
Way = Callable[[Visitor], Awaitable[None]]


class Picture(NamedTuple):
    """One page of a fresh demo."""

    name: str
    slug: str
    way: Way
    size: tuple[int, int]


_PICTURES = (
    Picture("home-lumen", "lumen", _home, _DESK),
    Picture("home-marmite", "marmite", _home, _DESK),
    Picture("home-volta", "volta", _home, _DESK),
    Picture("choose-lumen", "lumen", _choose, _DESK),
    Picture("review-lumen", "lumen", _review, _DESK),
    Picture("phone-home-marmite", "marmite", _home, _PHONE),
    Picture("phone-review-volta", "volta", _review, _PHONE),
    Picture("past-due-lumen", "lumen", _past_due, _DESK),
    Picture("phone-pay-lumen", "lumen", _pay, _PHONE),
    Picture("mail-lumen", "lumen", _mail, _DESK),
    Picture("mails", "lumen", _mails, _DESK),
    Picture("console-branding", "lumen", _branding, _DESK),
    Picture("console-overview", "lumen", _overview, _DESK),
    Picture("console-merchants", "lumen", _merchants, _DESK),
)


async def main() -> None:
    """Start a demo, take each picture, and stop the demo."""
    _FOLDER.mkdir(parents=True, exist_ok=True)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        with tempfile.TemporaryDirectory(prefix="guichet-pictures-") as directory:
            async with running_platform(Path(directory)) as platform:
                for picture in _chosen(sys.argv[1:]):
                    for scheme in _schemes(platform, picture):
                        await _take(platform, browser, picture, scheme)
        await browser.close()


def _chosen(beginnings: list[str]) -> list[Picture]:
    return [it for it in _PICTURES if it.name.startswith(tuple(beginnings or [""]))]


def _schemes(platform: Platform, picture: Picture) -> tuple[str, ...]:
    """By light and by dark, unless the merchant wants one of them always."""
    wanted = platform.shopfronts[picture.slug].merchant.branding.scheme
    return ("light", "dark") if wanted == "auto" else (wanted,)


async def _take(platform: Platform, browser: Browser, picture: Picture, scheme: str) -> None:
    shopfront = platform.shopfronts[picture.slug]
    width, height = picture.size
    context = await browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
        locale=shopfront.merchant.locale,
        # A phone's picture is shown small; twice the dots keep its letters legible.
        device_scale_factor=2 if picture.size == _PHONE else 1,
    )
    visitor = await Visitor(platform, shopfront, context).open()
    await picture.way(visitor)
    await visitor.page.mouse.move(0, 0)
    file = _FOLDER / f"{picture.name}-{scheme}.png"
    taken = await visitor.page.screenshot(path=file, animations="disabled")
    await context.close()
    if len(taken) > _MOST_BYTES:
        raise SystemExit(f"{file} weighs {len(taken)} bytes, more than {_MOST_BYTES}")
    print(file, len(taken))  # noqa: T201 - the command tells what it made.


if __name__ == "__main__":
    asyncio.run(main())
