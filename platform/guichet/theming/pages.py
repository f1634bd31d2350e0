"""From a theme, a template, a language and Structs to the bytes of a page."""

from collections.abc import Callable, Mapping, MutableMapping
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import (
    ChoiceLoader,
    Environment,
    FileSystemLoader,
    PrefixLoader,
    StrictUndefined,
    Template,
    nodes,
)
from jinja2.compiler import CodeGenerator, Frame
from jinja2.visitor import NodeTransformer

from guichet.theming.assets import Asset, Assets
from guichet.theming.branding import Stylesheet, brand_stylesheet
from guichet.theming.locale import DEFAULT, LANGUAGES, Speech, speech
from guichet.theming.plan_names import plan_name
from guichet.theming.themes import PLAIN, read_themes
from tenants.branding import Branding

# An environment and its compiled templates take 0.6 MiB; a theme that falls out costs 2 ms a page.
_KEPT_ENVIRONMENTS = 128


def utc_now() -> datetime:
    """The present moment."""
    return datetime.now(UTC)


class Pages:
    """Every theme, ready to render. Safe to share between requests.

    There is one environment for a theme and a language, so that a template's fixed words are
    translated when it is compiled and cost nothing when it is rendered.
    """

    def __init__(self, directory: Path, clock: Callable[[], datetime] = utc_now) -> None:
        self.themes = read_themes(directory)
        self._assets = Assets(self.themes)
        self._clock = clock
        self._environment = lru_cache(maxsize=_KEPT_ENVIRONMENTS)(self._make_environment)

    def render(self, theme: str, template: str, locale: str, **context: object) -> bytes:
        """Render a template.

        Raises `jinja2.TemplateNotFound`, and `jinja2.UndefinedError` for a name that the
        template needs and the context lacks.
        """
        return self.template(theme, template, locale).render(context).encode()

    def template(self, theme: str, name: str, locale: str) -> Template:
        """A compiled template; a theme or language that does not exist falls back to plain English.

        Raises `jinja2.TemplateNotFound`.
        """
        environment = self._environment(
            theme if theme in self.themes else PLAIN, locale if locale in LANGUAGES else DEFAULT
        )
        return environment.get_template(name)

    def asset(self, path: str) -> Asset | None:
        """The file of a theme at a path such as `/assets/<hash>/plain.css`, or None."""
        return self._assets.find(path)

    def stylesheet_urls(self, theme: str) -> tuple[str, ...]:
        """The paths of a theme's stylesheets; the branding's comes after them."""
        return (self._assets.stylesheets[theme if theme in self.themes else PLAIN],)

    def script(self, name: str) -> str:
        """The path of a script, such as `portal.js`, that makes pages smoother."""
        return self._assets.scripts[name]

    def offers(self, theme: str) -> bool:
        """Whether a merchant may choose this theme."""
        return theme in self.themes and self.themes[theme].file.offered

    def branding_stylesheet(self, branding: Branding, theme: str) -> Stylesheet:
        """The stylesheet of a branding, with what had to be corrected; keep it per version."""
        return brand_stylesheet(branding, self.themes.get(theme, self.themes[PLAIN]))

    def _make_environment(self, theme: str, locale: str) -> Environment:
        own, plain = (FileSystemLoader(self.themes[name].templates) for name in (theme, PLAIN))
        # `plain/layout.html` is what a theme's own `layout.html` extends.
        loader = ChoiceLoader([own, plain, PrefixLoader({PLAIN: plain})])
        environment = TranslatedEnvironment(speech(locale), loader)
        environment.globals |= {
            "theme_stylesheets": self.stylesheet_urls(theme),
            "theme_icon": self._assets.icons[theme],
            "now": self._clock,
        }
        return environment


class _FixedWords(NodeTransformer):
    """Replaces `_("…")` without values by the translated text."""

    def __init__(self, gettext: Callable[[str], str]) -> None:
        self._gettext = gettext

    def visit_Call(self, node: nodes.Call) -> nodes.Node:  # noqa: N802 - jinja2 names the method.
        self.generic_visit(node)
        match node:
            case nodes.Call(
                node=nodes.Name(name="_"), args=[nodes.Const(value=str(text))], kwargs=[]
            ):
                return nodes.Const(self._gettext(text), lineno=node.lineno)
        return node


class _TranslatingGenerator(CodeGenerator):
    """Compiles templates with their fixed words already in the environment's language."""

    def visit_Template(self, node: nodes.Template, frame: Frame | None = None) -> None:  # noqa: N802
        assert isinstance(self.environment, TranslatedEnvironment)
        _FixedWords(self.environment.speech.gettext).visit(node)
        super().visit_Template(node, frame)


class TranslatedEnvironment(Environment):
    """A Jinja environment that speaks one language: `_`, `ngettext` and the locale's formats."""

    code_generator_class = _TranslatingGenerator

    def __init__(self, speech: Speech, loader: ChoiceLoader) -> None:
        super().__init__(
            loader=loader,
            # Words of mails go into headers and plain text too; what makes HTML of them escapes.
            autoescape=lambda name: not (name or "").endswith((".txt", ".words")),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self.speech = speech
        words: Mapping[str, object] = {
            "_": speech.gettext,
            "ngettext": speech.ngettext,
            "plan_name": plan_name(speech.gettext),
            "lang": speech.code,
            "dir": speech.direction,
        }
        self.globals |= words
        self.filters |= {
            "money": speech.money,
            "date": speech.date,
            "period": speech.period,
            "interval": speech.interval,
        }

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """All of a template's globals in one dict: they are complete before one is compiled.

        Jinja chains maps instead, which each page walks again for each import of macros.
        """
        return {**self.globals, **(d or {})}
