"""Themes on disk: what a new one overrides, inherits and must say."""

import re
import shutil
from pathlib import Path

import pytest

from guichet.theming.pages import Pages
from guichet.theming.themes import ThemeMistake, read_themes, themes_directory
from tests.theming import samples


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A themes directory with plain and a theme of one colour, `harbour`."""
    shutil.copytree(themes_directory() / "plain", tmp_path / "plain")
    harbour = tmp_path / "harbour"
    (harbour / "templates").mkdir(parents=True)
    shutil.copy(tmp_path / "plain/theme.toml", harbour / "theme.toml")
    (harbour / "harbour.css").write_text(".card { border: 0 }")
    return tmp_path


def test_a_theme_overrides_a_block_and_inherits_the_rest(directory: Path) -> None:
    (directory / "harbour/templates/layout.html").write_text(
        '{% extends "plain/layout.html" %}'
        '{% block brand %}<b>{{ _("Sign in") }}</b>{{ super() }}{% endblock %}'
    )
    pages = Pages(directory)
    html = pages.render("harbour", "signed_out.html", "fr", shell=samples.shell()).decode()
    assert "<b>Se connecter</b>" in html
    assert "Lumen</span>" in html
    assert (
        "<b>" not in pages.render("plain", "signed_out.html", "fr", shell=samples.shell()).decode()
    )


def test_a_themes_stylesheet_stands_above_plain(directory: Path) -> None:
    pages = Pages(directory)
    (url,) = pages.stylesheet_urls("harbour")
    asset = pages.asset(url)
    assert asset is not None
    assert asset.media_type == "text/css; charset=utf-8"
    css = asset.body.decode()
    assert css.startswith("@layer plain, theme, merchant;")
    assert css.index("@layer theme {") < css.index(".card { border: 0 }")


def test_an_asset_is_found_at_its_own_address_alone(directory: Path) -> None:
    pages = Pages(directory)
    (url,) = pages.stylesheet_urls("harbour")
    assert re.fullmatch(r"/assets/[0-9a-f]{20}/harbour\.css", url)
    assert pages.asset(url.replace("harbour", "plain")) is None
    assert pages.asset("/assets/../plain/theme.toml") is None
    before = pages.stylesheet_urls("plain")
    (directory / "harbour/harbour.css").write_text(".card { border: 1px }")
    after = Pages(directory)
    assert after.stylesheet_urls("harbour") != (url,)
    assert after.stylesheet_urls("plain") == before


@pytest.mark.parametrize(
    ("line", "mistake"),
    [
        ('font = "sans"', 'font = "none"'),
        ("radius = 10", 'radius = "10"'),
        ("[dark]", "[darker]"),
        ("#101217", "#1012"),
    ],
)
def test_a_mistake_in_a_theme_stops_the_start(directory: Path, line: str, mistake: str) -> None:
    file = directory / "harbour/theme.toml"
    file.write_text(file.read_text().replace(line, mistake))
    with pytest.raises(ThemeMistake, match="harbour"):
        read_themes(directory)


def test_no_stylesheet_asks_another_host_for_anything() -> None:
    for path in themes_directory().rglob("*.css"):
        assert not re.search(r"url\(|@import|@font-face|https?:", path.read_text()), path.name


def test_every_token_that_css_uses_is_defined() -> None:
    pages = Pages(themes_directory())
    for theme in pages.themes:
        asset = pages.asset(pages.stylesheet_urls(theme)[0])
        assert asset is not None
        css = asset.body.decode()
        defined = set(re.findall(r"(--[\w-]+)\s*:", css))
        # A token with a value to fall back on may be missing.
        used = set(re.findall(r"var\((--[\w-]+)\)", css))
        assert used - defined == set(), theme
