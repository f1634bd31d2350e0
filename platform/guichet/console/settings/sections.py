"""Showing and saving one section of the draft: what every settings page does alike.

A page's template gets `fields` (text by the field's name), `mistakes` (sentence by the field's
name), `seen` (the fingerprint that its form carries) and `draft`. A script may send the form in
the background with the header `x-autosave`; it is answered JSON then.
"""

from typing import Any, NamedTuple

import msgspec
from litestar.response.base import ASGIResponse

from guichet.console.settings.documents import Entered, fields_of, place_in_form, read_section
from guichet.console.visit import Visit
from guichet.theming.locale import gettext
from tenants.checks import InvalidConfiguration
from tenants.configuration import DocumentTooLarge
from tenants.drafts import Draft, SectionChanged, load_draft, lock_configuration, save_section
from tenants.mistakes import Mistake


class SectionPage(NamedTuple):
    """One settings page."""

    #: A field of the configuration, such as `branding`.
    section: str
    #: The page's path in the workspace, such as `/branding`.
    path: str
    template: str


class Saved(msgspec.Struct, frozen=True, kw_only=True):
    """What a script is told of a form that it sent in the background."""

    saved: bool
    #: The fingerprint to send with the form from now on.
    seen: str
    mistakes: dict[str, str] = msgspec.field(default_factory=dict)
    #: Whether somebody else has changed the section meanwhile: the page has to be loaded again.
    outrun: bool = False


async def read_draft(visit: Visit) -> Draft:
    """The draft of this workspace; the page's frame says whether there is something to publish."""
    async with visit.deployment.db.unit(visit.place.id) as unit:
        draft = await load_draft(unit.connection, unit.tenant_id)
    visit.has_draft = draft.is_changed
    return draft


async def show_section(visit: Visit, page: SectionPage, **context: object) -> ASGIResponse:
    """The page with what the draft says."""
    draft = await read_draft(visit)
    fields = fields_of(page.section, getattr(draft.configuration, page.section))
    return _render(visit, page, draft, fields, {}, context=context)


async def save_posted(
    visit: Visit, page: SectionPage, found: tuple[Mistake, ...] = (), /, **context: object
) -> ASGIResponse:
    """Save the section as the form has it, or show it again with all of its mistakes.

    `found` are those that the page has found itself, such as in a picture.
    """
    entered = read_section(page.section, visit.form)
    if entered.value is None or found:
        return await _refuse(visit, page, entered, (*found, *entered.mistakes), **context)
    try:
        draft = await _save(visit, page.section, entered.value)
    except InvalidConfiguration as refused:
        return await _refuse(visit, page, entered, refused.mistakes, **context)
    except DocumentTooLarge:
        text = "All settings together are larger than they may be. Please shorten something."
        return await _refuse(visit, page, entered, (Mistake(page.section, text),), **context)
    except SectionChanged as changed:
        return _show_change(visit, page, entered, changed, **context)
    if _is_autosave(visit):
        return _told(Saved(saved=True, seen=draft.fingerprint(page.section)))
    return visit.redirect(visit.path(f"{page.path}?saved=1"))


async def _save(visit: Visit, section: str, value: Any) -> Draft:
    async with visit.deployment.db.unit(visit.place.id) as unit:
        # What was there before is told as it was when this was saved, and a double click is one.
        await lock_configuration(unit.connection, unit.tenant_id)
        before = getattr((await load_draft(unit.connection, unit.tenant_id)).configuration, section)
        draft = await save_section(
            unit.connection,
            unit.tenant_id,
            section,
            value,
            visit.form.get("seen", ""),
            visit.staff.email,
        )
        if value != before:
            details = _difference(fields_of(section, before), fields_of(section, value))
            await visit.record(unit, "draft.saved", section, details)
    return draft


def _difference(before: dict[str, str], after: dict[str, str]) -> dict[str, object]:
    """What changed, field by field, for the audit log."""
    names = [name for name in before | after if before.get(name) != after.get(name)]
    return {
        "before": {name: before[name] for name in names if name in before},
        "after": {name: after[name] for name in names if name in after},
    }


async def _refuse(
    visit: Visit,
    page: SectionPage,
    entered: Entered,
    mistakes: tuple[Mistake, ...],
    **context: object,
) -> ASGIResponse:
    translate = gettext(visit.locale)
    told = {it.path: translate(it.text) % it.values for it in reversed(mistakes)}
    seen = visit.form.get("seen", "")
    if _is_autosave(visit):
        # The page is not drawn anew: its rows are still those of the form.
        told = {place_in_form(path, visit.form): text for path, text in told.items()}
        return _told(Saved(saved=False, seen=seen, mistakes=told), status=422)
    draft = await read_draft(visit)
    return _render(visit, page, draft, entered.fields, told, status=422, seen=seen, context=context)


def _show_change(
    visit: Visit, page: SectionPage, entered: Entered, changed: SectionChanged, **context: object
) -> ASGIResponse:
    """Somebody else was faster: what they wrote, beside a form that still has what was entered.

    The form now carries their state, so sending it once more replaces it knowingly.
    """
    draft = changed.draft
    seen = draft.fingerprint(page.section)
    if _is_autosave(visit):
        return _told(Saved(saved=False, seen=visit.form.get("seen", ""), outrun=True), status=409)
    theirs = fields_of(page.section, getattr(draft.configuration, page.section))
    differences = _difference(theirs, entered.fields)
    return _render(
        visit,
        page,
        draft,
        entered.fields,
        {},
        status=409,
        seen=seen,
        outrun_by=draft.changed_by,
        differences=differences,
        context=context,
    )


def _render(
    visit: Visit,
    page: SectionPage,
    draft: Draft,
    fields: dict[str, str],
    mistakes: dict[str, str],
    *,
    status: int = 200,
    seen: str | None = None,
    outrun_by: str | None = None,
    differences: dict[str, object] | None = None,
    context: dict[str, object],
) -> ASGIResponse:
    return visit.page(
        page.template,
        status=status,
        fields=fields,
        mistakes=mistakes,
        seen=draft.fingerprint(page.section) if seen is None else seen,
        draft=draft,
        was_saved=b"saved=1" in visit.scope["query_string"],
        outrun_by=outrun_by,
        differences=differences,
        **context,
    )


def _is_autosave(visit: Visit) -> bool:
    return bool(visit.header(b"x-autosave"))


def _told(saved: Saved, status: int = 200) -> ASGIResponse:
    body = msgspec.json.encode(saved)
    return ASGIResponse(body=body, status_code=status, media_type="application/json")
