"""Every mail reads well in each language, as HTML and as text, whatever its facts and names are."""

import re
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from html.parser import HTMLParser
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guichet.messages.composing import Envelope, compose, plain_address
from guichet.messages.facts import one_line
from guichet.messages.kinds import KINDS
from guichet.messages.looks import make_look
from guichet.messages.wording import Letter
from guichet.theming.contrast import TEXT_RATIO, contrast
from guichet.theming.pages import Pages
from guichet.theming.themes import themes_directory
from tenants.branding import Branding, Colours, Link
from tests.messages.letters import LINKS, NOW, SITUATIONS, demo_brand, letter

PAGES = Pages(themes_directory())
HEADERS = {
    "From",
    "To",
    "Reply-To",
    "Subject",
    "Date",
    "Message-ID",
    "Auto-Submitted",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "MIME-Version",
    "Content-Type",
}
_HOSTILE = st.text(
    st.one_of(st.characters(codec="utf-8"), st.sampled_from("\r\n\0\"<>&'@,;:=?\\\u2028\u202e{%")),
    max_size=80,
) | st.sampled_from(
    [
        "Lumen\r\nBcc: all@example.com",
        "x\r\n\r\n<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "{{ 7*7 }}{% raw %}",
        "=?utf-8?q?a=0ABcc=3A_b?= <b@example.com>",
        "a, b <evil@example.com>",
        "=\0?utf-8?q?a=0ABcc=3A_b?=",
        'Bücher, "GmbH" (Süd); ' * 6,
        "%(date)s %s %",
    ]
)


class _Reader(HTMLParser):
    """The elements of a page with their attributes' names, and its visible text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: set[tuple[str, tuple[str, ...]]] = set()
        self.links: list[str] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add((tag, tuple(name for name, _ in attrs)))
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]

    def handle_data(self, data: str) -> None:
        self.text += data


def _envelope(**changes: Any) -> Envelope:
    usual = Envelope(
        sender_name="Lumen",
        sender="mail@guichet.example",
        recipient="ada@example.com",
        reply_to="help@lumen.example",
        message_id="0b7c@guichet.example",
        sent_at=NOW,
        unsubscribe=LINKS.unsubscribe,
    )
    return msgspec.structs.replace(usual, **changes)


@pytest.mark.parametrize("locale", ["en", "fr"])
@pytest.mark.parametrize("situation", SITUATIONS)
def test_a_mail_says_the_same_in_both_of_its_forms(situation: str, locale: str) -> None:
    written = letter(PAGES, situation, locale)
    read = _Reader(written.html)
    shown = " ".join(read.text.split())
    for line in written.text.splitlines():
        said = line.split("http")[0].strip(" -:\N{NO-BREAK SPACE}")
        for part in re.split(r"\N{NO-BREAK SPACE}?: ", said):
            assert " ".join(part.split()) in shown, part
    assert LINKS.action in read.links
    assert LINKS.action in written.text
    assert f'lang="{locale}"' in written.html
    assert "None" not in shown + written.text + written.subject
    assert "&#" not in written.text
    assert written.subject == one_line(written.subject) != ""


@pytest.mark.parametrize("situation", SITUATIONS)
def test_a_mail_is_whole_in_french(situation: str) -> None:
    english, french = letter(PAGES, situation, "en"), letter(PAGES, situation, "fr")
    same = {it for it in english.text.splitlines() if len(it.split()) > 3 and "http" not in it}
    assert same & set(french.text.splitlines()) == set()
    assert english.subject != french.subject


@pytest.mark.parametrize("situation", ["plan_changed-now", "plan_changed-planned"])
@pytest.mark.parametrize(("locale", "label"), [("en", "Until now"), ("fr", "Jusqu’ici")])
def test_a_changed_plan_is_told_with_the_former_one(
    situation: str, locale: str, label: str
) -> None:
    written = letter(PAGES, situation, locale, previous_plan="Solo")
    for form in (written.text, _Reader(written.html).text):
        assert re.search(rf"{label}\W+Solo\b", form)


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_customer_may_do_without_can_be_ended_in_the_mail(kind: str) -> None:
    written = letter(PAGES, f"{kind}-bare")
    offered = LINKS.unsubscribe in written.html and LINKS.unsubscribe in written.text
    assert offered is not KINDS[kind].required  # type: ignore[index]
    assert (LINKS.unsubscribe in written.html) == (LINKS.unsubscribe in written.text)


def test_money_and_days_are_written_as_the_language_does() -> None:
    english = letter(PAGES, "renewal_coming", "en")
    french = letter(PAGES, "renewal_coming", "fr")
    assert english.subject == "Your subscription renews on December 1, 2026"
    assert french.subject == "Votre abonnement se renouvelle le 1er décembre 2026"
    assert "$29.00" in english.text
    assert "29,00\N{NO-BREAK SPACE}$US" in french.text


def test_a_picture_that_mail_programs_draw_stands_for_the_name() -> None:
    brand = demo_brand(PAGES, logo="https://lumen.example/a", logo_dark="https://lumen.example/b")
    html = letter(PAGES, "receipt", brand=brand).html
    assert re.search(r'<img class="logo" src="https://lumen.example/a" alt="Lumen"', html)
    assert "https://lumen.example/b" in html


@pytest.mark.parametrize(("scheme", "is_dark", "switches"), [
    ("auto", False, True), ("light", False, False), ("dark", True, False),
])  # fmt: skip
def test_a_merchant_with_one_scheme_has_mails_in_it(
    scheme: str, is_dark: bool, switches: bool
) -> None:
    look = make_look(PAGES, Branding(scheme=scheme))
    html = letter(PAGES, "receipt", brand=demo_brand(PAGES, look=look)).html
    assert (contrast(look.colours["background"], "#000000") < 2) == is_dark
    assert ("prefers-color-scheme" in html) == switches


@given(st.integers(0, 0xFFFFFF), st.integers(0, 0xFFFFFF))
def test_any_colours_of_a_brand_can_be_read(accent: int, background: int) -> None:
    colours = Colours(accent=f"#{accent:06x}", background=f"#{background:06x}")
    look = make_look(PAGES, Branding(light=colours, dark=colours))
    assert look.dark
    for used in (look.colours, look.dark):
        for ink, grounds in {
            "text": ("surface",),
            "muted": ("background", "surface"),
            "accent-text": ("background", "surface"),
            "on-accent": ("accent",),
            "sunken-text": ("sunken",),
            "sunken-muted": ("sunken",),
        }.items():
            for ground in grounds:
                assert contrast(used[ink], used[ground]) >= TEXT_RATIO, (ink, ground)


_BENIGN = {
    name: _Reader(
        letter(PAGES, name, brand=demo_brand(PAGES, links=(Link("a", "https://a.example"),))).html
    ).elements
    for name in ("payment_failed", "plan_changed-now", "card_expiring")
}


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(_BENIGN)), _HOSTILE, _HOSTILE, _HOSTILE)
def test_no_name_makes_html(situation: str, name: str, plan: str, label: str) -> None:
    brand = demo_brand(PAGES, name=one_line(name) or "x", links=(Link(label, "https://a.example"),))
    written = letter(PAGES, situation, brand=brand, plan=plan, invoice_number=plan, brand_=name)
    assert _Reader(written.html).elements <= _BENIGN[situation]
    assert "\N{RIGHT-TO-LEFT OVERRIDE}" not in written.subject


@settings(max_examples=150, deadline=None)
@given(_HOSTILE, _HOSTILE)
def test_no_name_breaks_a_header(name: str, subject: str) -> None:
    subject = f"Plan {subject}"
    content = compose(Letter(subject, "text", "<p>html</p>"), _envelope(sender_name=name))
    head = content.split(b"\r\n\r\n")[0]
    assert all(len(line) <= 120 for line in head.split(b"\r\n") if b"=?utf-8?" in line)
    assert all(len(line) <= 998 and line.isascii() for line in content.split(b"\r\n"))
    assert b"\n" not in content.replace(b"\r\n", b"")
    read = message_from_bytes(content, policy=policy.default)
    assert sorted(read.keys()) == sorted(HEADERS), head
    (sender,) = read["From"].addresses
    assert sender.addr_spec == "mail@guichet.example"
    # The parser of the standard library puts spaces between encoded words of a name.
    raw = message_from_bytes(content, policy=policy.compat32)["From"]
    shown = str(make_header(decode_header(raw))).removesuffix("<mail@guichet.example>").strip()
    assert shown == one_line(name, 120)
    assert [it.addr_spec for it in read["To"].addresses] == ["ada@example.com"]
    assert str(read["Subject"]) == one_line(subject)


def test_the_headers_say_who_writes_and_how_to_end_it() -> None:
    content = compose(letter(PAGES, "receipt"), _envelope())
    read = message_from_bytes(content, policy=policy.default)
    assert str(read["From"]) == "Lumen <mail@guichet.example>"
    assert read["Reply-To"] == "help@lumen.example"
    assert read["Message-ID"] == "<0b7c@guichet.example>"
    assert read["Date"].datetime == NOW
    assert read["Auto-Submitted"] == "auto-generated"
    assert read["List-Unsubscribe"] == f"<{LINKS.unsubscribe}>"
    assert read["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    # A mail program reads the address from the line as it stands.
    assert f"\r\nList-Unsubscribe: <{LINKS.unsubscribe}>\r\n".encode() in content
    assert [it.get_content_type() for it in read.iter_parts()] == ["text/plain", "text/html"]


def test_without_a_way_to_end_it_there_is_no_such_header() -> None:
    content = compose(letter(PAGES, "payment_failed"), _envelope(unsubscribe="", reply_to=""))
    assert b"List-Unsubscribe" not in content
    assert b"Reply-To" not in content


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("ada@example.com", "ada@example.com"),
        (" ada+lumen@mail.example.com ", "ada+lumen@mail.example.com"),
        ("o'hara@example.com", "o'hara@example.com"),
        ("ada@bücher.example", "ada@xn--bcher-kva.example"),
        ("ada@BÜCHER.example", "ada@xn--bcher-kva.example"),
        # To IDNA 2003 these are spellings of domains that are others' now.
        ("ada@straße.example", None),
        ("ada@ναυς.example", None),
        ("ada@exam\u200dple.com", None),
        ("ada@exam\u00adple.com", None),
        ("ada@ｅxample.com", None),
        ("адам@example.com", None),
        ('"a b"@example.com', None),
        ("ada", None),
        ("@example.com", None),
        ("ada@", None),
        ("ada@example..com", None),
        ("ada@[127.0.0.1]", None),
        ("ada@example.com>\r\nRCPT TO:<bob@example.com", None),
        (f"{'a' * 65}@example.com", None),
        (f"ada@{'a' * 300}.com", None),
        (None, None),
    ],
)
def test_an_address_is_one_that_smtp_takes_as_it_is(text: str | None, plain: str | None) -> None:
    assert plain_address(text) == plain


@given(st.text(max_size=60))
def test_no_address_ends_its_command(text: str) -> None:
    plain = plain_address(text)
    assert plain is None or re.fullmatch(r"[!-~]+", plain)
    assert plain is None or not set('<>\\"') & set(plain)
