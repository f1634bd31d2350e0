"""After the sign-in a visitor goes to a page of this very host, whatever the link says."""

from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guichet.auth.paths import local_path, sign_in_path


@pytest.mark.parametrize(
    "path", ["/", "/invoices", "/subscriptions/sub_1/change?price=a%20b&x=1#y"]
)
def test_a_local_path_is_kept(path: str) -> None:
    assert local_path(path) == path


@pytest.mark.parametrize(
    "wanted",
    [
        None,
        "",
        "invoices",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "\t//evil.example",
        " //evil.example",
        "https://evil.example",
        "https:evil.example",
        "javascript:alert(1)",
        "/a\\..\\..\\evil",
        "/\u2044/evil.example",
        "/\x00",
        "/a\r\nset-cookie: x=1",
        "/" + "a" * 2000,
    ],
)
def test_anything_else_leads_home(wanted: str | None) -> None:
    assert local_path(wanted) == "/"


@given(st.text(alphabet=st.sampled_from("/\\.@:?#%\t\n\r a\u00a0"), max_size=12))
def test_no_text_leaves_the_host(wanted: str) -> None:
    target = urlsplit(urljoin("https://lumen.example/sign-in", local_path(wanted)))
    assert (target.scheme, target.netloc) == ("https", "lumen.example")


def test_the_sign_in_page_remembers_where_to_go() -> None:
    assert sign_in_path("/") == "/sign-in"
    assert sign_in_path("//evil.example") == "/sign-in"
    assert sign_in_path("/a?b=1&c") == "/sign-in?next=/a%3Fb%3D1%26c"
    assert sign_in_path("/a", "work") == "/sign-in/work?next=/a"
    assert sign_in_path("/a", "../x") == "/sign-in/..%2Fx?next=/a"
