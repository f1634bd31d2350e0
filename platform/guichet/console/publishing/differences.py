"""What one configuration says and another does not, in words.

Every place in which the two differ is named once: a field with its two values, a thing of a list
that came, went or moved. A place without a label of its own is named by its path, so nothing that
changes is ever left out.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, get_origin

import msgspec

from guichet.console.publishing.labels import (
    ITEMS,
    OFF,
    ON,
    ORDER,
    SECTIONS,
    VALUES,
    WEEKDAYS,
    Section,
    label_of,
)
from guichet.theming.locale import LANGUAGES
from tenants.configuration import Configuration
from tenants.shapes import items_of

Kind = Literal["text", "colour", "picture", "picture_on_dark", "long"]

#: By what the things of a list are known; those of others by their place in it.
_KEYS = {"plans": "price_id", "branding.links": "label", "identity_providers": "id"}
#: Texts that are one of a few words, although the type does not say so.
_CHOICES = {
    "locale",
    "branding.scheme",
    "branding.density",
    "mails.switched_off",
    "cancel.standard_reasons",
}
_PICTURES: dict[str, Kind] = {
    "branding.logo": "picture",
    "branding.logo_dark": "picture_on_dark",
    "branding.favicon": "picture",
}
_COLOUR = re.compile(r"#[0-9a-f]{6}", re.ASCII | re.IGNORECASE)
_SHORT = 80


class Change(msgspec.Struct, frozen=True):
    """One place that differs; an empty side says that nothing is set there."""

    label: str
    before: str
    after: str
    kind: Kind = "text"


class Changes(msgspec.Struct, frozen=True):
    """What differs in one section."""

    heading: str
    #: The page of the workspace on which it is changed, such as `/branding`.
    path: str
    changes: tuple[Change, ...]


def differences(
    before: Configuration,
    after: Configuration,
    translate: Callable[[str], str],
    plan_names: Mapping[str, str],
) -> tuple[Changes, ...]:
    """Everything that differs, by section; `plan_names` are what people call prices, by id."""
    words = _Words(translate, plan_names)
    found: dict[Section, list[Change]] = {}
    for field in msgspec.structs.fields(Configuration):
        was, is_now = getattr(before, field.name), getattr(after, field.name)
        if was != is_now:
            section = SECTIONS.get(field.name, Section(field.name, ""))
            changes = words.compare(field.type, field.name, was, is_now, "")
            found.setdefault(section, []).extend(changes)
    return tuple(
        Changes(translate(section.heading), section.path, tuple(changes))
        for section, changes in found.items()
    )


class _Words:
    """Puts differences into the words of one language."""

    def __init__(self, translate: Callable[[str], str], plan_names: Mapping[str, str]) -> None:
        self._translate = translate
        self._plan_names = plan_names

    def compare(
        self, wanted: Any, pattern: str, before: Any, after: Any, of: str
    ) -> Iterator[Change]:
        """What differs at a place; `of` names the thing of a list that it is a part of."""
        items = items_of(wanted)
        if before == after:
            return
        if _is_struct(wanted):
            yield from self._compare_structs(wanted, pattern, before, after, of)
        elif items is not None and _is_struct(items):
            yield from self._compare_lists(items, pattern, before, after)
        elif get_origin(wanted) is dict:
            for key in [*before, *(key for key in after if key not in before)]:
                label = f"{self._label(pattern, of)} ({LANGUAGES.get(key, key)})"
                yield from _texts(label, before.get(key, ""), after.get(key, ""))
        else:
            was, is_now = (self._say(pattern, wanted, value) for value in (before, after))
            yield from _texts(self._label(pattern, of), was, is_now, _PICTURES.get(pattern))

    def _compare_structs(
        self, wanted: Any, pattern: str, before: Any, after: Any, of: str
    ) -> Iterator[Change]:
        for field in msgspec.structs.fields(wanted):
            was, is_now = getattr(before, field.name), getattr(after, field.name)
            path = f"{pattern}.{field.encode_name}"
            yield from self.compare(field.type, path, was, is_now, of)

    def _compare_lists(
        self, wanted: Any, pattern: str, before: tuple[Any, ...], after: tuple[Any, ...]
    ) -> Iterator[Change]:
        was, is_now = self._by_name(pattern, before), self._by_name(pattern, after)
        for name, item in was.items():
            if name not in is_now:
                yield Change(self._label(pattern), self._tell(wanted, pattern, name, item), "")
        for name, item in is_now.items():
            if name in was:
                yield from self.compare(wanted, f"{pattern}[]", was[name], item, name)
            else:
                yield Change(self._label(pattern), "", self._tell(wanted, pattern, name, item))
        stayed = [name for name in was if name in is_now], [name for name in is_now if name in was]
        if stayed[0] != stayed[1]:
            label = self._translate(ORDER) % {"what": self._label(pattern)}
            yield Change(label, ", ".join(stayed[0]), ", ".join(stayed[1]))

    def _by_name(self, pattern: str, items: tuple[Any, ...]) -> dict[str, Any]:
        """The things of a list by what people call them."""
        named: dict[str, Any] = {}
        for number, item in enumerate(items, start=1):
            key = _KEYS.get(pattern)
            name = str(getattr(item, key)) if key else ""
            name = self._plan_names.get(name, name) if pattern == "plans" else name
            if not name or name in named:
                text = ITEMS.get(pattern, ITEMS[""])
                name = f"{name} {self._translate(text) % {'number': number}}".strip()
            named[name] = item
        return named

    def _tell(self, wanted: Any, pattern: str, name: str, item: Any) -> str:
        """A whole thing of a list: its name, and what is said of it besides."""
        key = _KEYS.get(pattern)
        told = []
        for field in msgspec.structs.fields(wanted):
            value = getattr(item, field.name)
            if field.name == key or value == _default(field):
                continue
            path = f"{pattern}[].{field.encode_name}"
            told.append(f"{self._label(path)}: {self._say(path, field.type, value)}")
        return f"{name} ({'; '.join(told)})" if told else name

    def _label(self, pattern: str, of: str = "") -> str:
        label = self._translate(label_of(pattern))
        return f"{of}: {label}" if of else label

    def _say(self, pattern: str, wanted: Any, value: Any) -> str:
        """A value as people read it; the empty text where there is none."""
        if isinstance(value, bool):
            return self._translate(ON if value else OFF)
        if value is None:
            return ""
        if isinstance(value, tuple):
            return ", ".join(self._say(pattern, items_of(wanted), item) for item in value)
        if isinstance(value, dict):
            return ", ".join(f"{text} ({LANGUAGES.get(key, key)})" for key, text in value.items())
        if pattern == "retries.quiet.weekdays":
            return self._translate(WEEKDAYS[value])
        if isinstance(value, int | float):
            return f"{value:g}"
        if pattern in _CHOICES or _is_choice(wanted):
            return self._translate(VALUES.get(value, value))
        # A rule names plans by their ids.
        return self._plan_names.get(value, str(value))


def _texts(label: str, before: str, after: str, known: Kind | None = None) -> Iterator[Change]:
    if before != after:
        yield Change(label, before, after, known or _kind(before, after))


def _kind(before: str, after: str) -> Kind:
    both = [text for text in (before, after) if text]
    if all(_COLOUR.fullmatch(text) for text in both):
        return "colour"
    return "long" if any(len(text) > _SHORT or "\n" in text for text in both) else "text"


def _is_struct(wanted: Any) -> bool:
    return isinstance(wanted, type) and issubclass(wanted, msgspec.Struct)


def _is_choice(wanted: Any) -> bool:
    """Whether a type is one of a few words."""
    return "typing.Literal" in repr(wanted)


def _default(field: msgspec.structs.FieldInfo) -> Any:
    if field.default_factory is not msgspec.NODEFAULT:
        return field.default_factory()
    return field.default
