"""Selectors of a merchant's CSS, each put below the box of a portal's page."""

import itertools
import re
from collections.abc import Iterator, Sequence

from tinycss2 import serialize
from tinycss2.ast import (
    FunctionBlock,
    HashToken,
    IdentToken,
    LiteralToken,
    Node,
    SquareBracketsBlock,
    StringToken,
    WhitespaceToken,
)

from tenants.custom_css.refusals import ATTRIBUTE, DEPTH, OUTSIDE, SELECTOR, NotAllowed

#: The box that holds a portal's page, and nothing that the deployment itself says.
SCOPE = "portal-page"

_LONGEST_PART = 40
_DEEPEST = 4
_STATE_NAMES = """
hover focus focus-visible focus-within active visited link any-link target root
first-child last-child only-child first-of-type last-of-type only-of-type empty
checked disabled enabled required optional placeholder-shown
"""
_STATES = frozenset(_STATE_NAMES.split())
_PARTS = frozenset(
    ("before", "after", "placeholder", "marker", "selection", "first-line", "first-letter")
)
_PLACES = frozenset(("nth-child", "nth-last-child", "nth-of-type", "nth-last-of-type"))
_LISTS = frozenset(("is", "where", "not"))
# What somebody types, and the tokens in forms, are nobody's to look at.
_ATTRIBUTES = re.compile(r"aria-[a-z]+|class|lang|dir|open|role|type|disabled|hidden|scope")
_COMPARISONS = frozenset(("=", "~=", "|=", "^=", "$=", "*="))
_NTH = re.compile(r"[n0-9+\s-]{1,20}|odd|even")


def scope_selectors(rule: Node, prelude: Sequence[Node]) -> list[str]:
    """The selectors of a rule, each within the page. Raises `NotAllowed`."""
    return [_scope(rule, selector) for selector in _split(prelude)]


def _split(tokens: Sequence[Node]) -> Iterator[list[Node]]:
    """The selectors of a list, without the white space around them."""
    selector: list[Node] = []
    for token in tokens:
        if isinstance(token, LiteralToken) and token.value == ",":
            yield _strip(selector)
            selector = []
        else:
            selector.append(token)
    yield _strip(selector)


def _strip(tokens: list[Node]) -> list[Node]:
    while tokens and isinstance(tokens[0], WhitespaceToken):
        tokens = tokens[1:]
    while tokens and isinstance(tokens[-1], WhitespaceToken):
        tokens = tokens[:-1]
    return tokens


def _scope(rule: Node, selector: list[Node]) -> str:
    _check(rule, selector)
    rest = _after_page(selector)
    if rest is None:
        return f".{SCOPE} {serialize(selector)}"
    # What stands beside the page's box is not the merchant's.
    if _leads_beside(rest):
        raise NotAllowed(rule, OUTSIDE)
    return f".{SCOPE}{serialize(rest)}"


def _after_page(selector: list[Node]) -> list[Node] | None:
    """What follows `html`, `body`, `:root` or the page's own class, or None if it has no such."""
    rest: list[Node] | None = None
    while (length := _page_length(selector)) > 0:
        rest = selector[length:]
        following = _strip(list(rest))
        # `html > body` is the one page, named twice.
        if following and _is_sign(following[0], ">"):
            following = _strip(following[1:])
        if len(following) == len(rest) or not _page_length(following):
            break
        selector = following
    return rest


def _leads_beside(rest: Sequence[Node]) -> bool:
    """Whether the first step from the page's box, after its classes and states, is to a sibling."""
    steps = itertools.dropwhile(lambda it: not _is_step(it), rest)
    sign = next((it for it in steps if not isinstance(it, WhitespaceToken)), None)
    return sign is not None and _is_sign(sign, "+~")


def _is_step(token: Node) -> bool:
    return isinstance(token, WhitespaceToken) or _is_sign(token, ">+~")


def _page_length(selector: Sequence[Node]) -> int:
    match selector:
        case [IdentToken(lower_value="html" | "body"), *_rest]:
            return 1
        case [LiteralToken(value=":"), IdentToken(lower_value="root"), *_rest]:
            return 2
        case [LiteralToken(value="."), IdentToken(value="portal-page"), *_rest]:
            return 2
    return 0


def _is_sign(token: Node, signs: str) -> bool:
    return isinstance(token, LiteralToken) and token.value in tuple(signs)


def _check(rule: Node, selector: Sequence[Node], depth: int = 0) -> None:
    """Raises `NotAllowed` unless the selector is made of what is known to stay within."""
    if not selector or depth > _DEEPEST:
        raise NotAllowed(rule, DEPTH if selector else SELECTOR, part="")
    place, is_compound = 0, False
    while place < len(selector):
        token = selector[place]
        if isinstance(token, WhitespaceToken):
            place += 1
            continue
        if _is_sign(token, ">+~"):
            # One that begins or ends so would lean on something outside.
            if not is_compound or place == len(selector) - 1:
                raise NotAllowed(token, OUTSIDE)
            is_compound, place = False, place + 1
            continue
        place += _simple(selector, place, depth)
        is_compound = True
    if not is_compound:
        raise NotAllowed(rule, OUTSIDE)


def _simple(selector: Sequence[Node], place: int, depth: int) -> int:
    """How many tokens the simple selector at this place has."""
    token = selector[place]
    following = selector[place + 1] if place + 1 < len(selector) else None
    match token, following:
        case IdentToken() | HashToken(is_identifier=True), _:
            return 1
        case LiteralToken(value="*"), _:
            return 1
        case LiteralToken(value="."), IdentToken():
            return 2
        case SquareBracketsBlock(), _:
            _check_attribute(token)
            return 1
        case LiteralToken(value=":"), _:
            return 1 + _state(selector, place + 1, depth)
    raise _refuse(token)


def _state(selector: Sequence[Node], place: int, depth: int) -> int:
    """How many tokens follow the colon of a state or a part."""
    match list(selector[place : place + 2]):
        case [LiteralToken(value=":"), IdentToken(lower_value=name)] if name in _PARTS:
            return 2
        case [IdentToken(lower_value=name), *_rest] if name in _STATES:
            return 1
        case [FunctionBlock() as function, *_rest]:
            _check_function(function, depth)
            return 1
        case [token, *_rest]:
            raise _refuse(token)
    raise _refuse(selector[place - 1])


def _check_function(function: FunctionBlock, depth: int) -> None:
    if function.lower_name in _LISTS:
        for selector in _split(function.arguments):
            _check(function, selector, depth + 1)
    elif not (
        function.lower_name in _PLACES and _NTH.fullmatch(serialize(function.arguments).strip())
    ):
        raise _refuse(function)


def _check_attribute(block: SquareBracketsBlock) -> None:
    match [token for token in block.content if not isinstance(token, WhitespaceToken)]:
        case [IdentToken(lower_value=name), *_rest] if not _ATTRIBUTES.fullmatch(name):
            raise NotAllowed(block, ATTRIBUTE, name=name[:_LONGEST_PART])
        case [IdentToken()]:
            return
        case [IdentToken(), LiteralToken(value=sign), StringToken() | IdentToken()]:
            if sign in _COMPARISONS:
                return
    raise _refuse(block)


def _refuse(token: Node) -> NotAllowed:
    part = "?" if token.type == "error" else token.serialize()[:_LONGEST_PART]
    return NotAllowed(token, SELECTOR, part=part)
