"""What keeps a draft from being published, and what should be looked at before it is."""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from guichet.console.publishing.labels import SECTIONS, label_of
from guichet.console.visit import Visit
from guichet.db import Unit
from guichet.payments.choose import SECRET_KEY
from guichet.theming.locale import gettext
from tenants.checks import broken_rules
from tenants.configuration import Configuration
from tenants.mistakes import Mistake
from tenants.vault import secret_names

_PLACE = re.compile(r"\[[^\]]*\]")
_PICTURES = ("logo", "logo_dark", "favicon")


def _(message: str) -> str:
    """Mark a sentence for the catalogues; it is translated where it is shown."""
    return message


class Finding(NamedTuple):
    """A sentence, what it is about, and the page on which that is changed."""

    text: str
    label: str = ""
    url: str = ""


async def mistakes_in(unit: Unit, configuration: Configuration) -> tuple[Mistake, ...]:
    """Every mistake that keeps a configuration from being published in this workspace."""
    named = {name: getattr(configuration.branding, name) for name in _PICTURES}
    there = await _pictures_among(unit, list(named.values()))
    foreign = (
        Mistake(f"branding.{name}", _("There is no such picture here. Please upload it."))
        for name, picture in named.items()
        if picture and picture not in there
    )
    return (*broken_rules(configuration), *foreign)


async def _pictures_among(unit: Unit, asset_ids: list[str]) -> set[str]:
    """Those of the ids that are pictures of this merchant."""
    rows = await unit.fetch(
        """
        select id
        from assets
        where tenant_id = $1
        and id = any($2::text[])
        """,
        unit.tenant_id,
        asset_ids,
    )
    return {row["id"] for row in rows}


def show_mistake(visit: Visit, mistake: Mistake) -> Finding:
    """A mistake in the visitor's language, with the way to its field."""
    translate = gettext(visit.locale)
    section = SECTIONS.get(re.split(r"[.\[]", mistake.path, maxsplit=1)[0])
    url = visit.path(f"{section.path}#{mistake.path}") if section else ""
    text = translate(mistake.text) % mistake.values
    return Finding(text, translate(_named(mistake.path)), url)


def _named(path: str) -> str:
    pattern = _PLACE.sub("[]", path)
    without_language = pattern.rpartition(".")[0]
    known = label_of(pattern)
    return known if known != pattern else label_of(without_language) if without_language else path


async def warnings_of(
    visit: Visit, unit: Unit, configuration: Configuration
) -> tuple[Finding, ...]:
    """What does not keep anybody from publishing, and would surprise them."""
    has_key = SECRET_KEY in await secret_names(unit.connection, unit.tenant_id)
    translate = gettext(visit.locale)
    found = (*_missing(configuration, has_key=has_key), *_corrected(visit, configuration))
    return tuple(
        Finding(translate(text) % values, "", visit.path(path)) for text, values, path in found
    )


_Warning = tuple[str, Mapping[str, object], str]


def _missing(configuration: Configuration, *, has_key: bool) -> Iterator[_Warning]:
    if not has_key:
        text = _("There is no key of the payment provider yet, so nothing can be shown or changed.")
        yield text, {}, "/connections"
    if not configuration.plans:
        yield _("No plan is offered, so customers cannot change theirs."), {}, "/plans"
    if not configuration.identity_providers:
        text = _("There is no sign-in provider, so customers cannot sign in by themselves.")
        yield text, {}, "/sign-in-providers"


def _corrected(visit: Visit, configuration: Configuration) -> Iterator[_Warning]:
    """Colours that the portal changes so that they can be read."""
    branding = configuration.branding
    sheet = visit.deployment.pages.branding_stylesheet(branding, branding.theme)
    translate = gettext(visit.locale)
    for it in sheet.corrections:
        text = _("%(what)s: %(given)s is used as %(used)s, so that everybody can read it.")
        if it.reason != "unreadable":
            text = _("%(what)s: “%(given)s” cannot be used; it is %(used)s instead.")
        what = translate(label_of(f"branding.{it.setting}"))
        yield text, {"what": what, "given": it.given, "used": it.used}, "/branding"
