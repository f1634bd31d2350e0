"""Colours that can be read, whatever a merchant chooses."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guichet.theming.branding import brand_stylesheet
from guichet.theming.contrast import (
    EDGE_RATIO,
    TEXT_RATIO,
    can_be_read,
    contrast,
    ink_on,
    legible,
    luminance,
)
from guichet.theming.palette import OwnColours, resolve
from guichet.theming.themes import read_themes, themes_directory
from tenants.branding import Branding, Colours

_THEMES = read_themes(themes_directory())
_PLAIN = _THEMES["plain"]
colours = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")
chosen = st.builds(
    Colours, **dict.fromkeys(Colours.__struct_fields__, st.one_of(st.just(""), colours))
)
own_colours = st.sampled_from(
    [own for theme in _THEMES.values() for own in (theme.file.light, theme.file.dark)]
)


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [
        ("#000000", "#ffffff", 21.0),
        ("#ffffff", "#ffffff", 1.0),
        ("#767676", "#ffffff", 4.54),
        ("#ff0000", "#ffffff", 4.0),
        ("#0000ff", "#ffffff", 8.59),
    ],
)
def test_contrast_is_that_of_the_standard(one: str, other: str, ratio: float) -> None:
    assert math.isclose(contrast(one, other), ratio, abs_tol=0.005)
    assert contrast(one, other) == contrast(other, one)


@given(colours)
def test_luminance_is_between_black_and_white(colour: str) -> None:
    assert 0 <= luminance(colour) <= 1


@given(colours, colours)
def test_any_colour_is_made_legible_on_any_background(colour: str, background: str) -> None:
    assert contrast(legible(colour, [background]), background) >= TEXT_RATIO


@given(colours, colours)
def test_a_colour_that_can_be_read_is_left_alone(colour: str, background: str) -> None:
    if contrast(colour, background) >= TEXT_RATIO:
        assert legible(colour, [background]) == colour


@given(colours)
def test_a_label_can_be_read_on_any_accent(accent: str) -> None:
    assert contrast(ink_on(accent), accent) >= TEXT_RATIO


def _pairs(used: dict[str, str]) -> list[tuple[str, str, float]]:
    """Every text and edge with the ground that the stylesheets put it on."""
    grounds = ("background", "surface")
    texts = [(ink, ground) for ink in ("text", "accent-text", "muted") for ground in grounds]
    texts += [("on-accent", "accent"), ("on-accent", "accent-hover"), ("sunken-text", "sunken")]
    for tone in ("positive", "caution", "negative", "info"):
        texts += [(tone, f"{tone}-tint"), (f"{tone}-text", f"{tone}-tint")]
    edges = [(edge, ground) for edge in ("edge", "focus") for ground in grounds]
    return [(used[ink], used[ground], TEXT_RATIO) for ink, ground in texts] + [
        (used[edge], used[ground], EDGE_RATIO) for edge, ground in edges
    ]


@given(chosen, own_colours)
def test_every_text_of_any_branding_can_be_read(choice: Colours, own: OwnColours) -> None:
    used, _ = resolve("light", choice, own)
    for ink, ground, ratio in _pairs(used):
        assert contrast(ink, ground) >= ratio


@given(chosen, own_colours)
def test_a_merchant_is_told_of_every_colour_that_is_not_used_as_given(
    choice: Colours, own: OwnColours
) -> None:
    used, corrections = resolve("light", choice, own)
    told = {correction.setting for correction in corrections}
    for token in ("text", "surface", "background"):
        given_value = getattr(choice, token)
        if given_value and used[token] != given_value:
            assert f"light.{token}" in told
    if choice.accent and used["accent-text"] != choice.accent:
        assert "light.accent" in told
    assert told <= {
        f"light.{token}" for token in Colours.__struct_fields__ if getattr(choice, token)
    }


def test_the_themes_own_colours_need_no_correction() -> None:
    for theme in _THEMES.values():
        for scheme in ("light", "dark"):
            own: OwnColours = getattr(theme.file, scheme)
            used, corrections = resolve(scheme, Colours(), own)
            assert corrections == []
            assert used["text"] == own.text
            assert used["surface"] == own.surface


def test_a_surface_that_leaves_no_readable_text_gives_way_to_the_background() -> None:
    used, corrections = resolve(
        "light", Colours(background="#333333", surface="#eeeeee"), _PLAIN.file.light
    )
    assert used["surface"] == used["background"] == "#333333"
    assert "light.surface" in [correction.setting for correction in corrections]
    assert can_be_read((used["background"], used["surface"]))


_HOSTILE: list[Any] = [
    "red;}body{display:none}",
    "#fff}</style><script>",
    "url(https://evil.example/x)",
    "#12345",
    "#1234567",
    "#12345g",
    "expression(alert(1))",
    "#abcdef\n;--x:url(//evil)",
    "#abcdef\n",
    "rgb(0 0 0)",
]


@pytest.mark.parametrize("value", _HOSTILE)
def test_no_colour_breaks_out_of_the_stylesheet(value: str) -> None:
    hostile = Colours(accent=value, background=value, surface=value, text=value)
    sheet = brand_stylesheet(Branding(light=hostile, dark=hostile), _PLAIN)
    plain = brand_stylesheet(Branding(), _PLAIN)
    assert sheet.body == plain.body
    assert {c.reason for c in sheet.corrections} == {"refused"}


@pytest.mark.parametrize("font", ["'};body{}", "Comic Sans MS", "url(x)"])
def test_only_the_themes_own_fonts_are_used(font: str) -> None:
    sheet = brand_stylesheet(Branding(font=font), _PLAIN)
    assert sheet.body == brand_stylesheet(Branding(), _PLAIN).body
    assert [c.setting for c in sheet.corrections] == ["font"]


@pytest.mark.parametrize(("given_radius", "used"), [(-5, 0), (0, 0), (24, 24), (10**9, 24)])
def test_the_radius_stays_within_bounds(given_radius: int, used: int) -> None:
    sheet = brand_stylesheet(Branding(radius=given_radius), _PLAIN)
    assert f"--radius:{used}px;".encode() in sheet.body


def test_a_merchants_own_css_comes_within_its_scope_in_a_layer_above_the_themes() -> None:
    body = brand_stylesheet(Branding(css=".card{color:red}"), _PLAIN).body
    assert body.endswith(b"\n@layer merchant {\n.portal-page .card{color:red;}\n}\n")


def test_css_that_was_published_under_weaker_rules_is_left_out() -> None:
    sheet = brand_stylesheet(Branding(css="body{color:red} @import '//evil.example';"), _PLAIN)
    assert sheet.body == brand_stylesheet(Branding(), _PLAIN).body


def test_a_compact_portal_has_less_room_and_the_same_colours() -> None:
    usual = brand_stylesheet(Branding(), _PLAIN).body.decode()
    compact = brand_stylesheet(Branding(density="compact"), _PLAIN).body.decode()
    assert "--space-5:1rem;" in compact
    assert "--space-5" not in usual
    assert compact.count("--accent:") == usual.count("--accent:")


@given(chosen, own_colours)
def test_a_correction_says_the_contrast_that_was_missing(choice: Colours, own: OwnColours) -> None:
    for correction in resolve("light", choice, own)[1]:
        if correction.setting != "light.surface":
            assert correction.ratio_given < TEXT_RATIO <= correction.ratio_used


@given(st.text(), st.integers(), st.text())
def test_nothing_that_a_merchant_typed_is_copied(accent: str, radius: int, font: str) -> None:
    branding = Branding(light=Colours(accent=accent), radius=radius, font=font)
    body = brand_stylesheet(branding, _PLAIN).body.decode()
    assert body.count("{") == body.count("}") == 4
    assert "<" not in body
    assert "url(" not in body
    assert "@import" not in body


def test_an_accent_for_the_light_is_the_brands_colour_in_the_dark_too() -> None:
    sheet = brand_stylesheet(Branding(light=Colours(accent="#ff6600")), _PLAIN)
    assert sheet.body.count(b"--accent:#ff6600;") == 3


def test_a_stylesheets_address_changes_with_its_content() -> None:
    one = brand_stylesheet(Branding(radius=3), _PLAIN)
    other = brand_stylesheet(Branding(radius=4), _PLAIN)
    assert one.path != other.path
    assert one.path == brand_stylesheet(Branding(radius=3), _PLAIN).path
