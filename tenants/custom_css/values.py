"""What a declaration and a condition may hold."""

import re
from collections.abc import Sequence

from tinycss2 import parse_one_declaration
from tinycss2.ast import (
    Declaration,
    DimensionToken,
    FunctionBlock,
    HashToken,
    IdentToken,
    LiteralToken,
    Node,
    NumberToken,
    ParenthesesBlock,
    PercentageToken,
    SquareBracketsBlock,
    StringToken,
    WhitespaceToken,
)

from tenants.custom_css.refusals import (
    CONDITION,
    CONTENT,
    DEPTH,
    FUNCTION,
    POSITION,
    PROPERTY,
    VALUE,
    Z_INDEX,
    NotAllowed,
)

_MOST_Z = 100
_DEEPEST = 8
_LONGEST_PART = 40
_SIDE = r"(-(top|right|bottom|left|block|inline|start|end)){0,2}"
_PROPERTIES = re.compile(
    rf"""
    --[a-z0-9_-]{{1,60}}
    | (accent-|caret-|column-rule-|text-decoration-|text-emphasis-)?color | color-scheme | opacity
    | background(-(color|image|position|position-[xy]|size|repeat|clip|origin|attachment))?
    | background-blend-mode
    | border(-(collapse|spacing))? | border{_SIDE}(-(color|style|width))?
    | border(-(top|bottom|start|end)-(left|right|start|end))?-radius
    | outline(-(color|style|width|offset))? | box-(shadow|sizing|decoration-break)
    | (padding|margin|inset|scroll-margin|scroll-padding){_SIDE} | top | right | bottom | left
    | (min-|max-)?(width|height|inline-size|block-size) | aspect-ratio
    | font(-(family|size|size-adjust|style|weight|stretch|variant|variant-[a-z-]+|kerning
        |feature-settings|optical-sizing|variation-settings|synthesis))?
    | line-height | (letter|word)-spacing | word-break | tab-size | quotes | hyphens
    | text-(align|align-last|decoration|decoration-(line|style|thickness|skip-ink)|indent|overflow
        |shadow|transform|underline-offset|underline-position|wrap|wrap-style|wrap-mode|rendering)
    | overflow(-(x|y|wrap|clip-margin))? | white-space(-collapse)? | vertical-align
    | display | visibility | position | z-index | isolation | float | clear | order
    | flex(-(basis|direction|flow|grow|shrink|wrap))?
    | grid(-(area|auto-(columns|flow|rows)|(row|column)(-(start|end))?|template
        |template-(areas|columns|rows)))?
    | (row-|column-)?gap | (align|justify|place)-(content|items|self)
    | columns | column-(count|fill|rule|rule-style|rule-width|span|width)
    | break-(after|before|inside) | orphans | widows
    | transform(-(origin|box|style))? | translate | rotate | scale | perspective(-origin)?
    | transition(-(property|duration|delay|timing-function|behavior))?
    | filter | backdrop-filter | mix-blend-mode | clip-path | object-(fit|position)
    | list-style(-(type|position))? | caption-side | empty-cells | table-layout
    | fill | stroke(-(width|linecap|linejoin|dasharray))? | cursor | user-select | content
    | scroll-behavior | scrollbar-(color|width|gutter) | counter-(reset|increment)
    """,
    re.VERBOSE,
)
_FUNCTION_NAMES = """
var calc min max clamp abs sign round mod rem
rgb rgba hsl hsla hwb lab lch oklab oklch color color-mix light-dark
linear-gradient radial-gradient conic-gradient
repeating-linear-gradient repeating-radial-gradient repeating-conic-gradient
translate translatex translatey scale scalex scaley rotate skew skewx skewy matrix
cubic-bezier steps linear
blur brightness contrast drop-shadow grayscale hue-rotate invert opacity saturate sepia
minmax repeat fit-content circle ellipse inset polygon
"""
_FUNCTIONS = frozenset(_FUNCTION_NAMES.split())
_SIGNS = frozenset(",/+-*")
#: Where a text in quotes is a name or a picture of areas, and never an address.
_QUOTED = re.compile(
    r"--.*|font|font-family|font-feature-settings|font-variation-settings|quotes|grid.*|list-style(-type)?|text-overflow|hyphens"
)
_CONTENT_WORDS = frozenset(
    ("none", "normal", "open-quote", "close-quote", "no-open-quote", "no-close-quote")
)


def check_declaration(declaration: Declaration) -> None:
    """Raises `NotAllowed` for a property or a value that is not known to stay in the page."""
    name = declaration.lower_name
    if not _PROPERTIES.fullmatch(name):
        raise NotAllowed(declaration, PROPERTY, name=name[:_LONGEST_PART])
    written = [token for token in declaration.value if not isinstance(token, WhitespaceToken)]
    match name:
        case "position":
            _check_position(declaration, written)
        case "z-index":
            _check_z_index(declaration, written)
        case "content":
            _check_content(declaration, written)
        case _:
            _check_tokens(name, declaration.value)


def _check_position(declaration: Declaration, written: Sequence[Node]) -> None:
    # A variable could hold any word.
    match written:
        case [IdentToken(lower_value="static" | "relative" | "absolute")]:
            return
    raise NotAllowed(declaration, POSITION)


def _check_z_index(declaration: Declaration, written: Sequence[Node]) -> None:
    match written:
        case [IdentToken(lower_value="auto")]:
            return
        case [NumberToken(int_value=int() as number)] if abs(number) <= _MOST_Z:
            return
    raise NotAllowed(declaration, Z_INDEX, most=_MOST_Z)


def _check_content(declaration: Declaration, written: Sequence[Node]) -> None:
    for token in written:
        match token:
            case StringToken():
                continue
            case IdentToken(lower_value=word) if word in _CONTENT_WORDS:
                continue
        raise NotAllowed(declaration, CONTENT)


def _check_tokens(name: str, tokens: Sequence[Node], depth: int = 0) -> None:
    for token in tokens:
        if depth > _DEEPEST:
            raise NotAllowed(token, DEPTH)
        match token:
            case (
                WhitespaceToken()
                | IdentToken()
                | HashToken()
                | NumberToken()
                | PercentageToken()
                | DimensionToken()
            ):
                continue
            case LiteralToken(value=sign) if sign in _SIGNS:
                continue
            case StringToken() if _QUOTED.fullmatch(name):
                continue
            case FunctionBlock(lower_name=function, arguments=arguments):
                if function not in _FUNCTIONS:
                    raise NotAllowed(token, FUNCTION, name=function[:_LONGEST_PART])
                _check_tokens(name, arguments, depth + 1)
            case ParenthesesBlock(content=content) | SquareBracketsBlock(content=content):
                _check_tokens(name, content, depth + 1)
            case _:
                part = token.serialize()[:_LONGEST_PART] if token.type != "error" else "?"
                raise NotAllowed(token, VALUE, part=part, name=name)


def check_condition(rule: str, tokens: Sequence[Node], depth: int = 0) -> None:
    """Raises `NotAllowed` unless a condition of `@media` or `@supports` is made of plain words."""
    for token in tokens:
        if depth > _DEEPEST:
            raise NotAllowed(token, DEPTH)
        match token:
            case WhitespaceToken() | IdentToken() | NumberToken() | DimensionToken():
                continue
            case LiteralToken(value=sign) if sign in frozenset(":,/<>=") | {"<=", ">="}:
                continue
            case ParenthesesBlock(content=content):
                _check_brackets(rule, content, depth)
            case _:
                raise NotAllowed(token, CONDITION, name=rule)


def _check_brackets(rule: str, content: Sequence[Node], depth: int) -> None:
    """In `@supports`, brackets hold a declaration, or conditions."""
    declaration = parse_one_declaration(content) if rule == "supports" else None
    if isinstance(declaration, Declaration):
        check_declaration(declaration)
    else:
        check_condition(rule, content, depth + 1)
