"""A merchant's own CSS stays in the page's box, loads nothing, and is refused with its line."""

import re
from collections.abc import Iterator, Sequence

import pytest
import tinycss2
from hypothesis import given
from hypothesis import strategies as st
from tinycss2.ast import AtRule, Node, QualifiedRule

from tenants.custom_css.sheets import LARGEST_SHEET, scope_sheet


def _squeeze(css: str) -> str:
    return re.sub(r" ?([;!{}]) ?", r"\1", re.sub(r"\s+", " ", css)).strip()


@pytest.mark.parametrize(
    ("sheet", "scoped"),
    [
        (".card { color: red }", ".portal-page .card{color: red;}"),
        ("h1, .a > .b ~ i {}", ".portal-page h1,.portal-page .a > .b ~ i{}"),
        ("body { margin: 0 }", ".portal-page{margin: 0;}"),
        ("html body.home h1 { margin: 0 }", ".portal-page.home h1{margin: 0;}"),
        (":root { --gap: 1rem }", ".portal-page{--gap: 1rem;}"),
        (":root > body > main { order: 1 }", ".portal-page > main{order: 1;}"),
        (".portal-page:hover .a { opacity: .5 }", ".portal-page:hover .a{opacity: .5;}"),
        ("body::before { content: 'Hi' }", '.portal-page::before{content: "Hi";}'),
        ("a:not(.x, .y):hover{}", ".portal-page a:not(.x, .y):hover{}"),
        ("li:nth-child(2n + 1){}", ".portal-page li:nth-child(2n + 1){}"),
        (
            "[aria-current='page'], [class^=a]{}",
            '.portal-page [aria-current="page"],.portal-page [class^=a]{}',
        ),
        (".a{color:re\\64 !important}", ".portal-page .a{color:red!important;}"),
        ("/* why */ .a{/* b */}", ".portal-page .a{}"),
        (
            "@media (min-width: 40em) { .a { gap: 1px } }",
            "@media (min-width: 40em){.portal-page .a{gap: 1px;}}",
        ),
        (
            "@supports (display: grid) and (not (gap: 1px)) { .a {} }",
            "@supports (display: grid) and (not (gap: 1px)){.portal-page .a{}}",
        ),
        (
            ".a{background:linear-gradient(90deg, rgb(0 0 0 / 5%), var(--accent))}",
            ".portal-page .a{background:linear-gradient(90deg, rgb(0 0 0 / 5%), var(--accent));}",
        ),
        (
            ".a{width:calc(100% - (2 * var(--gap)))}",
            ".portal-page .a{width:calc(100% - (2 * var(--gap)));}",
        ),
        (".a{z-index:-100;position:absolute}", ".portal-page .a{z-index:-100;position:absolute;}"),
        ('.a{font-family:"My Font", serif}', '.portal-page .a{font-family:"My Font", serif;}'),
        (".a{color:red", ".portal-page .a{color:red;}"),
        ("", ""),
    ],
)
def test_what_styles_the_page_is_written_anew_within_its_scope(sheet: str, scoped: str) -> None:
    made = scope_sheet(sheet)
    assert made.mistakes == ()
    assert _squeeze(made.css) == scoped


HOSTILE = [
    # What loads.
    "@import 'https://evil.example/x.css';",
    "@IMPORT url(//evil.example);",
    "@\\69mport '//evil.example';",
    "@font-face { font-family: x; src: url(//evil.example) }",
    "@namespace x 'http://www.w3.org/1999/xhtml';",
    "@charset 'utf-7';",
    "@layer theme { .a { color: red } }",
    "@keyframes x { from { color: red } }",
    "@property --x { syntax: '*'; inherits: true }",
    "@page { margin: 0 }",
    "@container (width > 1px) { .a { color: red } }",
    ".a{background:url(https://evil.example/pixel)}",
    ".a{background:URL('//evil.example')}",
    ".a{background:u\\72l(//evil.example)}",
    ".a{background:url(data:image/svg+xml,x)}",
    ".a{background:image-set('//evil.example' 1x)}",
    ".a{background:-webkit-image-set(url(//evil.example) 1x)}",
    ".a{background:image('//evil.example')}",
    ".a{background:cross-fade(url(a), url(b))}",
    ".a{background:src('//evil.example')}",
    ".a{background:element(#x)}",
    ".a{--x:url(//evil.example);background:var(--x)}",
    ".a{list-style:url(//evil.example)}",
    ".a{list-style-image:none}",
    ".a{cursor:url(//evil.example), auto}",
    ".a{filter:url(//evil.example#f)}",
    ".a{clip-path:url(//evil.example#f)}",
    ".a{mask:none}",
    ".a{border-image:none}",
    "@supports (background: url(//evil.example)) { .a {} }",
    "@media url(//evil.example) { .a {} }",
    # What runs, or did once.
    ".a{width:expression(alert(1))}",
    ".a{behavior:url(x.htc)}",
    ".a{-moz-binding:url(x.xml#x)}",
    # What covers or leaves.
    ".a{position:fixed}",
    ".a{position:sticky}",
    ".a{position:-webkit-sticky}",
    ".a{position:fi\\78 ed}",
    ".a{position:var(--x)}",
    ".a{z-index:101}",
    ".a{z-index:-101}",
    ".a{z-index:1e9}",
    ".a{z-index:calc(99 * 99)}",
    ".a{z-index:var(--x)}",
    ".a{contain:none}",
    ".a{all:initial}",
    ".a{animation:x 1s}",
    "body + .deployment-mark{display:none}",
    "body:hover ~ *{display:none}",
    "html > body.page + *{display:none}",
    ".portal-page ~ .deployment-mark{display:none}",
    "> .a{color:red}",
    "+ .a{color:red}",
    ".a >{color:red}",
    ", .a{color:red}",
    ".a,,.b{color:red}",
    ".a || .b{color:red}",
    ".a:has(.b){color:red}",
    ":host{color:red}",
    ":host-context(body){color:red}",
    "::part(x){color:red}",
    "::slotted(x){color:red}",
    "::backdrop{color:red}",
    "::view-transition{color:red}",
    ":is(> .a){color:red}",
    ":not(){color:red}",
    "& .a{color:red}",
    ".a{& .b{color:red}}",
    ".a{.b{color:red}}",
    ".a{@media print{color:red}}",
    "*|a{color:red}",
    # What spies.
    "input[value^='a']{color:red}",
    "input[VALUE]{color:red}",
    "[v\\61lue='a']{color:red}",
    "[name='csrf']{color:red}",
    "[*|value='a']{color:red}",
    "[type|value]{color:red}",
    ":nth-child(1 of [value]){color:red}",
    ":is([value='a']){color:red}",
    ".a::before{content:attr(value)}",
    ".a::before{content:var(--x)}",
    ".a::before{content:counter(x)}",
    ".a::before{content:url(//evil.example)}",
    # What is broken.
    ".a{color:red}}.b{color:red}",
    ".a{color:'red\n}",
    ".a{color}",
    ".a{color:red;;width}",
    ".a",
    "</style><script>alert(1)</script>",
    ".a{color:(]}",
    ".a{width:" + "(" * 4000 + "1" + ")" * 4000 + "}",
    ":not(" * 200 + ".a" + ")" * 200 + "{color:red}",
    "@media print{" * 10 + ".a{color:red}" + "}" * 10,
    ".a{color:red}" * 1001,
    ",".join([".a"] * 1001) + "{color:red}",
    ".a{color:red}" + " " * LARGEST_SHEET,
]


@pytest.mark.parametrize("sheet", HOSTILE, ids=[sheet[:50] for sheet in HOSTILE])
def test_a_hostile_sheet_is_refused_with_a_reason(sheet: str) -> None:
    made = scope_sheet(sheet)
    assert made.css == ""
    assert made.mistakes
    assert made.mistakes[0].path == "branding.css"
    for mistake in made.mistakes:
        assert mistake.english.startswith(("Line ", "This is larger"))


def test_every_mistake_is_told_with_its_line() -> None:
    made = scope_sheet(".a{color:red}\n.b{position:fixed;\n  behavior:x}\n@import 'x';\n")
    assert [it.english for it in made.mistakes] == [
        "Line 2: position is static, relative or absolute.",
        "Line 3: the property “behavior” is not allowed.",
        "Line 4: @import is not allowed. Only @media and @supports are.",
    ]
    assert [it.path for it in made.mistakes] == [
        "branding.css",
        "branding.css[1]",
        "branding.css[2]",
    ]


_TOKENS = r"""
.a #b h1 * body html :root .portal-page > + ~ , : :: [ ] ( ) { } ; & | @media @import hover before
has not is var url( expression( attr( calc( color position fixed z-index content 'x' "y url(x)
src(x) 1px 100 101 #fff -- --x /* */ \ \75rl( <!-- --> !important
"""
_PIECES = [*_TOKENS.split(), " ", "\n"]
_sheets = st.one_of(
    st.text(max_size=200), st.lists(st.sampled_from(_PIECES), max_size=30).map("".join)
)
_rules = st.lists(
    st.tuples(
        st.lists(st.sampled_from(_PIECES), min_size=1, max_size=6).map(" ".join),
        st.lists(st.sampled_from(_PIECES), min_size=1, max_size=6).map(" ".join),
    ),
    max_size=4,
).map(lambda rules: "".join(f"{selector}{{color:{value}}}" for selector, value in rules))


def _style_rules(nodes: Sequence[Node]) -> Iterator[QualifiedRule]:
    for node in nodes:
        match node:
            case QualifiedRule():
                yield node
            case AtRule(lower_at_keyword="media" | "supports", content=content):
                yield from _style_rules(
                    tinycss2.parse_rule_list(content or [], skip_whitespace=True)
                )
            case _:
                pytest.fail(f"a rule that is none of ours: {node!r}")


def _tokens(nodes: Sequence[Node]) -> Iterator[Node]:
    for node in nodes:
        yield node
        yield from _tokens(getattr(node, "content", None) or getattr(node, "arguments", None) or [])


@given(st.one_of(_sheets, _rules))
def test_whatever_passes_loads_nothing_and_each_selector_begins_at_the_page(sheet: str) -> None:
    made = scope_sheet(sheet)
    assert not (made.css and made.mistakes)
    # Read anew as a browser would: nothing in it has another meaning than what was checked.
    for rule in _style_rules(tinycss2.parse_stylesheet(made.css, skip_whitespace=True)):
        selectors = tinycss2.serialize(
            [token for token in rule.prelude if not hasattr(token, "arguments")]
        )
        for selector in selectors.split(","):
            assert re.match(r"\s*\.portal-page(?![\w-])", selector)
            assert not re.match(r"\s*\.portal-page[^\s>]*\s*[+~]", selector)
        for token in _tokens(rule.content):
            assert token.type not in ("url", "error", "{} block", "at-keyword")
            assert getattr(token, "lower_name", "") not in ("url", "src", "attr", "expression")
