"""Every act that the code writes down has words in the audit log, in each language."""

import ast
from collections.abc import Iterator
from itertools import chain, product
from pathlib import Path
from typing import get_args, get_type_hints

from guichet.billing.change_requests import ChangeRequest, Kind
from guichet.billing.dunning.cases.cases import CLOSED, UNDER_WAY, AttemptState
from guichet.console.audit.words import ACTS
from guichet.theming.locale import gettext

_FOLDERS = ("platform/guichet", "workers", "tenants")
#: What writes an audit row, and what hands an act on to it.
_WRITERS = {"record", "record_for_agency", "_record", "_note", "_record_refusal"}


def _families() -> dict[str, set[str]]:
    """The acts whose names are put together, by how they are."""
    states = set(get_args(get_type_hints(ChangeRequest)["state"])) - {"started", "unknown"}
    done = ("added", "ordered", "removed")
    attempts = set(get_args(AttemptState)) - set(UNDER_WAY)
    return {
        "subscription.{}.{}": {
            f"subscription.{kind}.{state}" for kind, state in product(get_args(Kind), states)
        },
        "payment_method.{}": {
            f"payment_method.{it}{much}" for it, much in product(done, ("", "_in_part"))
        },
        "dunning_case.{}": {f"dunning_case.{state}" for state in CLOSED},
        "payment_attempt.{}": {f"payment_attempt.{state}" for state in attempts},
    }


def _texts(tree: ast.AST) -> Iterator[str]:
    """The texts in an expression; what is put into one stands as `{}`."""
    if isinstance(tree, ast.JoinedStr):
        yield "".join(
            str(part.value) if isinstance(part, ast.Constant) else "{}" for part in tree.values
        )
    elif isinstance(tree, ast.Constant):
        if isinstance(tree.value, str):
            yield tree.value
    elif isinstance(tree, ast.IfExp):
        yield from chain(_texts(tree.body), _texts(tree.orelse))


def _written(path: Path) -> Iterator[str]:
    """The acts of one module, those in constants and variables too."""
    tree = ast.parse(path.read_text())
    named: dict[str, list[str]] = {}
    for it in ast.walk(tree):
        if isinstance(it, ast.Assign) and isinstance(it.targets[0], ast.Name):
            named.setdefault(it.targets[0].id, []).extend(_texts(it.value))
    for it in ast.walk(tree):
        if not isinstance(it, ast.Call):
            continue
        name = it.func.attr if isinstance(it.func, ast.Attribute) else getattr(it.func, "id", "")
        if name in _WRITERS:
            for argument in it.args:
                found = named.get(argument.id, []) if isinstance(argument, ast.Name) else None
                yield from _texts(argument) if found is None else found


def _acts() -> set[str]:
    families = _families()
    files = chain.from_iterable(Path(folder).rglob("*.py") for folder in _FOLDERS)
    texts = {text for path in files for text in _written(path)}
    acts = {it for it in texts if it.replace(".", "").replace("_", "").isalpha() and "." in it}
    put_together = {it for it in texts if ".{}" in it}
    assert put_together == set(families)
    return acts.union(*families.values())


def test_every_act_has_words_in_each_language() -> None:
    acts = _acts()
    assert acts == set(ACTS)
    french = gettext("fr")
    assert [text for text in ACTS.values() if french(text) == text] == []
