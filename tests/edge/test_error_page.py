"""The page of an error is itself never the reason of one."""

import shutil
from pathlib import Path

import msgspec

from guichet.edge.pages import error_page
from guichet.errors import NotFound
from guichet.settings import Settings
from guichet.theming.pages import Pages
from guichet.theming.themes import themes_directory
from tests.portal.shop import open_shop

SCOPE = {"headers": [(b"accept-language", b"fr")]}


async def test_a_broken_template_leaves_the_words(settings: Settings, tmp_path: Path) -> None:
    shutil.copytree(themes_directory(), tmp_path / "themes")
    (tmp_path / "themes/platform/templates/plain_error.html").write_text("{{ nothing.here }}")
    async with open_shop(settings) as shop:
        whole = error_page(shop.deployment, SCOPE, NotFound())  # type: ignore[arg-type]
        assert b"<html" in whole.body
        broken = msgspec.structs.replace(shop.deployment, pages=Pages(tmp_path / "themes"))
        plain = error_page(broken, SCOPE, NotFound())  # type: ignore[arg-type]
    assert plain.status_code == 404
    assert plain.body.decode() == "Cette page n’existe pas."
