"""Every English sentence that a person may be shown, and where the translations stand.

`python -m tests.theming.messages` adds what is new to each catalogue and takes out what is gone.
"""

import ast
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.pofile import read_po, write_po

import guichet
import tenants
from guichet.errors import GuichetError
from guichet.theming.locale import LANGUAGES, TRANSLATIONS
from guichet.theming.themes import read_themes, themes_directory

_KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2)}
_HEADER = """msgid ""
msgstr ""
"Language: {language}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: {plural}\\n"

"""
_OPTIONS = {"trimmed": "true"}


def template_catalogue() -> Catalog:
    """All msgids of templates, Python code, errors' docstrings and themes, untranslated."""
    catalogue = Catalog(project="Guichet", charset="utf-8")
    root = themes_directory().parent
    sources = [
        *((path, "jinja2") for path in themes_directory().glob("*/templates/**/*.*")),
        *((path, "python") for path in Path(guichet.__path__[0]).rglob("*.py")),
        *((path, "python") for path in Path(tenants.__path__[0]).rglob("*.py")),
    ]
    for path, method in sorted(sources):
        name = path.relative_to(root).as_posix()
        for message in _messages(path, method):
            catalogue.add(message, locations=[(name, 0)])
    for message, path in _error_messages():
        catalogue.add(message, locations=[(path.relative_to(root).as_posix(), 0)])
    for slug, theme in read_themes(themes_directory()).items():
        if theme.file.offered:
            catalogue.add(theme.file.description, locations=[(f"themes/{slug}/theme.toml", 0)])
    return catalogue


def _messages(path: Path, method: str) -> Iterator[Any]:
    source = BytesIO(path.read_bytes())
    for _, message, _, _ in extract(method, source, keywords=_KEYWORDS, options=_OPTIONS):
        yield message


def _error_messages() -> list[tuple[str, Path]]:
    """The title and the docstring's first paragraph of every error of the package, with its file.

    The sources are parsed, not imported: an error is a class whose bases lead to `GuichetError`.
    """
    classes: dict[str, tuple[ast.ClassDef, Path]] = {}
    for path in Path(guichet.__path__[0]).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef):
                classes[node.name] = (node, path)
    return sorted(
        (words, path)
        for node, path in classes.values()
        if _is_error(node.name, classes)
        for words in (_message(node), *_title(node))
    )


def _message(error: ast.ClassDef) -> str:
    return " ".join((ast.get_docstring(error) or "").split("\n\n")[0].split())


def _title(error: ast.ClassDef) -> Iterator[str]:
    """What stands above the message, where the class has a title of its own."""
    for statement in error.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id="title")], value=ast.Constant(value=str(title))):
                yield title


def _is_error(name: str, classes: dict[str, tuple[ast.ClassDef, Path]]) -> bool:
    if name == GuichetError.__name__:
        return True
    bases = classes[name][0].bases if name in classes else []
    return any(_is_error(ast.unparse(base).rpartition(".")[2], classes) for base in bases)


def translated_languages() -> list[str]:
    """The languages that need a catalogue: all but the one that the msgids are in."""
    return [language for language in LANGUAGES if language != "en"]


def read_catalogue(language: str) -> Catalog:
    """A committed catalogue."""
    with (TRANSLATIONS / f"{language}.po").open("rb") as source:
        return read_po(source, locale=language)


def write_catalogue(language: str, catalogue: Catalog) -> None:
    """Write a catalogue under a header that says no more than it must, so that diffs are small."""
    body = BytesIO()
    write_po(body, catalogue, ignore_obsolete=True, width=100, omit_header=True)
    header = _HEADER.format(language=language, plural=catalogue.plural_forms)
    (TRANSLATIONS / f"{language}.po").write_text(header + body.getvalue().decode())


def strings(message: Message) -> tuple[str, ...]:
    """A message's translation, or one for each plural form."""
    found = message.string or ""
    return (found,) if isinstance(found, str) else tuple(found)


def main() -> None:
    """Bring every catalogue up to date with the sources."""
    template = template_catalogue()
    for language in translated_languages():
        catalogue = read_catalogue(language)
        catalogue.update(template, no_fuzzy_matching=True)
        write_catalogue(language, catalogue)
        missing = [str(message.id) for message in catalogue if not all(strings(message))]
        sys.stdout.write("\n  ".join([f"{language}: to translate", *missing]) + "\n")


if __name__ == "__main__":
    main()
