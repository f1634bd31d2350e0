"""A configuration as a file: taken out as documented JSON, and put into the draft."""

from typing import Annotated

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import QueryParameter
from litestar.response.base import ASGIResponse

from guichet.console.access import EDITORS, STATIC
from guichet.console.publishing.comparing import tell
from guichet.console.publishing.document_schema import document_schema
from guichet.console.publishing.findings import Finding, mistakes_in
from guichet.console.publishing.publish import read_reason
from guichet.console.visit import Visit
from guichet.db import Unit
from guichet.errors import NotFound
from guichet.theming.locale import gettext
from tenants.checks import InvalidConfiguration, read_document
from tenants.configuration import (
    LARGEST_DOCUMENT,
    Configuration,
    DocumentTooLarge,
    UnknownVersion,
    load_version,
)
from tenants.drafts import SectionChanged, load_draft, replace_draft
from tenants.mistakes import Mistake


def _(message: str) -> str:
    """Mark a sentence for the catalogues; it is translated where it is shown."""
    return message


_NO_FILE = _("Choose a file.")
_WOULD_BE_LOST = _("The draft has changes that nobody has published. Say that they may be lost.")
_CHANGED = _("The draft has changed in the meantime. Nothing was imported; please look again.")
_TOO_LARGE = _("This is larger than %(most)s bytes.")

Which = Annotated[str, QueryParameter(name="version", max_length=10)]


@get("/merchants/{merchant:str}/configuration", opt=EDITORS)
async def files(visit: NamedDependency[Visit]) -> ASGIResponse:
    """Where files are taken out and put in."""
    return await _show(visit)


@get("/merchants/{merchant:str}/configuration.json", opt=EDITORS)
async def export(visit: NamedDependency[Visit], version: Which = "") -> ASGIResponse:
    """The published configuration; `version` names a former one, or `draft`."""
    async with visit.deployment.db.unit(visit.place.id) as unit:
        name, configuration = await _find(unit, version)
    body = msgspec.json.format(msgspec.json.encode(configuration), indent=2)
    file = f"{visit.place.slug}-{name}.json"
    headers = {"content-disposition": f'attachment; filename="{file}"'}
    return ASGIResponse(body=body, headers=headers, media_type="application/json")


@get("/configuration.schema.json", opt=STATIC)
async def schema(visit: NamedDependency[Visit]) -> ASGIResponse:
    """The JSON Schema of such a file."""
    return ASGIResponse(body=document_schema(), media_type="application/schema+json")


@post("/merchants/{merchant:str}/configuration", opt=EDITORS)
async def import_file(visit: NamedDependency[Visit]) -> ASGIResponse:
    """Put a file into the draft whole, or say everything that is wrong with it."""
    _reason, seen = read_reason(visit)
    upload = visit.uploads.get("file")
    if upload is None:
        return await _show(visit, 422, _NO_FILE)
    document = await upload.read(LARGEST_DOCUMENT + 1)
    try:
        configuration = read_document(document)
        async with visit.deployment.db.unit(visit.place.id) as unit:
            replaces = await _put(visit, unit, configuration, seen)
    except InvalidConfiguration as refused:
        return await _show(visit, 422, mistakes=refused.mistakes)
    except DocumentTooLarge:
        mistake = Mistake("", _TOO_LARGE, {"most": LARGEST_DOCUMENT})
        return await _show(visit, 422, mistakes=(mistake,))
    except SectionChanged:
        return await _show(visit, 409, _CHANGED)
    if not replaces:
        return await _show(visit, 409, _WOULD_BE_LOST)
    return visit.redirect(visit.path("/publish"))


HANDLERS = (files, export, import_file, schema)


async def _find(unit: Unit, version: str) -> tuple[str, Configuration]:
    if version.isascii() and version.isdigit():
        try:
            number = min(int(version), 2_147_483_647)
            found = await load_version(unit.connection, unit.tenant_id, number)
        except UnknownVersion as unknown:
            raise NotFound from unknown
        return f"version-{number}", found.configuration
    draft = await load_draft(unit.connection, unit.tenant_id)
    if version == "draft":
        return "draft", draft.configuration
    if version:
        raise NotFound
    return f"version-{draft.published.version}", draft.published.configuration


async def _put(visit: Visit, unit: Unit, configuration: Configuration, seen: str) -> bool:
    """Whether it was put into the draft: not where something would be lost unasked.

    Raises `InvalidConfiguration`, `DocumentTooLarge` or `SectionChanged`.
    """
    mistakes = await mistakes_in(unit, configuration)
    if mistakes:
        raise InvalidConfiguration(mistakes)
    draft = await load_draft(unit.connection, unit.tenant_id)
    if draft.is_changed and "replace" not in visit.form:
        return False
    await replace_draft(unit.connection, unit.tenant_id, configuration, visit.staff.email, seen)
    changes = await tell(unit, draft.configuration, configuration)
    await visit.record(unit, "draft.imported", "draft", {"changes": changes})
    return True


async def _show(
    visit: Visit, status: int = 200, message: str = "", mistakes: tuple[Mistake, ...] = ()
) -> ASGIResponse:
    async with visit.deployment.db.unit(visit.place.id) as unit:
        draft = await load_draft(unit.connection, unit.tenant_id)
    visit.has_draft = draft.is_changed
    translate = gettext(visit.locale)
    # A file is told by the places in it, not by fields of pages.
    found = tuple(Finding(translate(it.text) % it.values, it.path) for it in mistakes)
    return visit.page(
        "configuration.html",
        status=status,
        draft=draft,
        message=message,
        mistakes=found,
        most=LARGEST_DOCUMENT // 1024,
    )
