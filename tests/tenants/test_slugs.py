"""Slugs become the first label of a host, so they are what DNS takes and nobody else's name."""

import pytest

from tenants.slugs import RESERVED_SLUGS, MalformedSlug, ReservedSlug, check_slug


@pytest.mark.parametrize("slug", ["a", "lumen", "volta-2", "9", "a" * 40, "a--b", "ab-c"])
def test_a_dns_label_of_at_most_40_characters_is_a_slug(slug: str) -> None:
    check_slug(slug)


@pytest.mark.parametrize(
    "slug",
    [
        "",
        "-a",
        "a-",
        "Lumen",
        "a.b",
        "a_b",
        "a b",
        "a\n",
        "été",
        "ａ",
        "a" * 41,
        "xn--a",
        "..",
        "a/",
    ],
)
def test_anything_else_is_not(slug: str) -> None:
    with pytest.raises(MalformedSlug):
        check_slug(slug)


@pytest.mark.parametrize("slug", ["console", "api", "www", "mail", "admin", "assets", "login"])
def test_hosts_of_the_deployment_itself_are_reserved(slug: str) -> None:
    with pytest.raises(ReservedSlug):
        check_slug(slug)


def test_the_demo_s_names_are_free() -> None:
    assert not RESERVED_SLUGS & {"atelier", "lumen", "marmite", "volta"}
