"""A merchant's sheet as a whole: refused with every reason, or written anew within its scope."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

import tinycss2
from tinycss2.ast import AtRule, Declaration, Node, QualifiedRule

from tenants.custom_css.refusals import (
    AT_RULE,
    BROKEN,
    DEPTH,
    NESTED,
    TOO_MANY_RULES,
    NotAllowed,
)
from tenants.custom_css.selectors import scope_selectors
from tenants.custom_css.values import check_condition, check_declaration
from tenants.mistakes import Mistake

#: In bytes of UTF-8.
LARGEST_SHEET = 32 * 1024
_MOST_RULES = 1000
_DEEPEST = 2
_MOST_TOLD = 20
#: A sheet takes milliseconds to read, and one that is edited or previewed is read many times.
_KEPT = 64


def _(message: str) -> str:
    """Mark a sentence for the catalogues; it is translated where it is shown."""
    return message


class Scoped(NamedTuple):
    """What became of a merchant's sheet."""

    #: Empty where there is any mistake: half of a sheet is what nobody meant.
    css: str
    #: The first one at the field itself, further ones below it: `branding.css[1]`.
    mistakes: tuple[Mistake, ...]


@lru_cache(maxsize=_KEPT)
def scope_sheet(sheet: str, path: str = "branding.css") -> Scoped:
    """The sheet within its scope, or every mistake in it."""
    if len(sheet.encode(errors="replace")) > LARGEST_SHEET:
        text = _("This is larger than %(most)s KiB.")
        return Scoped("", (Mistake(path, text, {"most": LARGEST_SHEET // 1024}),))
    reader = _Reader()
    css = reader.read(tinycss2.parse_stylesheet(sheet, skip_comments=True, skip_whitespace=True))
    if not reader.refused:
        return Scoped(css, ())
    told = enumerate(reader.refused[:_MOST_TOLD])
    return Scoped(
        "", tuple(Mistake(f"{path}[{n}]" if n else path, it.text, it.values) for n, it in told)
    )


class _Reader:
    """Reads all rules, whatever is wrong with some of them."""

    def __init__(self) -> None:
        self.refused: list[NotAllowed] = []
        self._rules = 0

    def read(self, nodes: Iterable[Node], depth: int = 0) -> str:
        return "".join(self._rule(node, depth) for node in nodes)

    def _rule(self, node: Node, depth: int) -> str:
        try:
            match node:
                case QualifiedRule():
                    return self._style_rule(node)
                case AtRule():
                    return self._conditional(node, depth)
                case _:
                    raise NotAllowed(node, BROKEN)
        except NotAllowed as reason:
            self.refused.append(reason)
            return ""

    def _conditional(self, rule: AtRule, depth: int) -> str:
        name = rule.lower_at_keyword
        if name not in ("media", "supports") or rule.content is None:
            raise NotAllowed(rule, AT_RULE, name=name[:40])
        if depth >= _DEEPEST:
            raise NotAllowed(rule, DEPTH)
        check_condition(name, rule.prelude)
        inside = tinycss2.parse_rule_list(rule.content, skip_comments=True, skip_whitespace=True)
        condition = tinycss2.serialize(rule.prelude).strip()
        return f"@{name} {condition}{{{self.read(inside, depth + 1)}}}\n"

    def _style_rule(self, rule: QualifiedRule) -> str:
        selectors = scope_selectors(rule, rule.prelude)
        self._rules += len(selectors)
        if self._rules > _MOST_RULES:
            raise NotAllowed(rule, TOO_MANY_RULES, most=_MOST_RULES)
        return f"{','.join(selectors)}{{{self._declarations(rule.content)}}}\n"

    def _declarations(self, content: Sequence[Node]) -> str:
        return "".join(
            self._declaration(node)
            for node in tinycss2.parse_blocks_contents(
                content, skip_comments=True, skip_whitespace=True
            )
        )

    def _declaration(self, node: Node) -> str:
        try:
            if isinstance(node, QualifiedRule | AtRule):
                raise NotAllowed(node, NESTED)
            if not isinstance(node, Declaration):
                raise NotAllowed(node, BROKEN)
            check_declaration(node)
        except NotAllowed as reason:
            self.refused.append(reason)
            return ""
        return f"{node.serialize()};"
