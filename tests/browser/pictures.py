"""Takes the pictures of the README and the documentation from a fresh demo: `make pictures`."""

import asyncio
import tempfile
from pathlib import Path
from typing import NamedTuple

from playwright.async_api import Browser, async_playwright

from tests.browser.platform import Platform, running_platform
from tests.browser.visitor import CHROMIUM, FLAGS, Visitor

_FOLDER = Path("docs/pictures")
#: What a picture may weigh: they are kept in the repository, each version of them.
_MOST_BYTES = 150_000
_DESK = (1280, 860)
_PHONE = (390, 844)


class Picture(NamedTuple):
    """One page of Ada's, as she sees it."""

    name: str
    slug: str
    page: str
    size: tuple[int, int]


_PICTURES = (
    Picture("home-lumen", "lumen", "home", _DESK),
    Picture("home-marmite", "marmite", "home", _DESK),
    Picture("home-volta", "volta", "home", _DESK),
    Picture("choose-lumen", "lumen", "choose", _DESK),
    Picture("review-lumen", "lumen", "review", _DESK),
    Picture("phone-home-marmite", "marmite", "home", _PHONE),
    Picture("phone-review-volta", "volta", "review", _PHONE),
)


async def main() -> None:
    """Start a demo, take each picture, and stop the demo."""
    _FOLDER.mkdir(parents=True, exist_ok=True)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        with tempfile.TemporaryDirectory(prefix="guichet-pictures-") as directory:
            async with running_platform(Path(directory)) as platform:
                for picture in _PICTURES:
                    for scheme in _schemes(platform, picture):
                        await _take(platform, browser, picture, scheme)
        await browser.close()


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
    await visitor.sign_in("ada@example.com")
    if picture.page != "home":
        await visitor.link("Change plan").click()
        await visitor.page.get_by_role("radio").last.check()
    if picture.page == "review":
        await visitor.button("Continue to review").click()
        await visitor.page.wait_for_url("**/review?*")
    await visitor.page.mouse.move(0, 0)
    file = _FOLDER / f"{picture.name}-{scheme}.png"
    taken = await visitor.page.screenshot(path=file, animations="disabled")
    await context.close()
    if len(taken) > _MOST_BYTES:
        raise SystemExit(f"{file} weighs {len(taken)} bytes, more than {_MOST_BYTES}")
    print(file, len(taken))  # noqa: T201 - the command tells what it made.


if __name__ == "__main__":
    asyncio.run(main())
