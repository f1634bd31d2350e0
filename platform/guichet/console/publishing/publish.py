"""The page that publishes the draft: what would change, in words, and what stands against it."""

from typing import Annotated

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import QueryParameter
from litestar.response.base import ASGIResponse

from guichet.console.access import EDITORS
from guichet.console.publishing.comparing import compare, tell
from guichet.console.publishing.findings import mistakes_in, show_mistake, warnings_of
from guichet.console.settings.preview import preview_context
from guichet.console.visit import Visit
from guichet.db import Unit
from guichet.errors import Conflict
from guichet.web.forms import MissingField
from tenants.checks import InvalidConfiguration
from tenants.configuration import DocumentTooLarge
from tenants.drafts import (
    Draft,
    NothingToPublish,
    SectionChanged,
    catch_up,
    discard_draft,
    load_base,
    load_draft,
    publish_draft,
)

LONGEST_REASON = 500


def _(message: str) -> str:
    """Mark a sentence for the catalogues; it is translated where it is shown."""
    return message


_CHANGED = _("This has changed in the meantime. Below is how it stands now: please look again.")
_TOO_LONG = _("Write %(most)s characters at most.")


class DraftChanged(Conflict):
    """The draft has changed in the meantime, so nothing was done. Please look at it again."""

    code = "draft_changed"


@get("/merchants/{merchant:str}/publish", opt=EDITORS)
async def review(
    visit: NamedDependency[Visit],
    published: Annotated[int | None, QueryParameter(name="published", ge=1)] = None,
) -> ASGIResponse:
    """What publishing would change."""
    return await _show(visit, published=published)


@post("/merchants/{merchant:str}/publish", opt=EDITORS)
async def publish(visit: NamedDependency[Visit]) -> ASGIResponse:
    """Publish exactly what the page has shown."""
    reason, seen = read_reason(visit)
    if len(reason) > LONGEST_REASON:
        return await _show(visit, status=422, message=_TOO_LONG)
    try:
        async with visit.deployment.db.unit(visit.place.id) as unit:
            version = await _publish(visit, unit, reason, seen)
    except NothingToPublish:
        # A second click finds the work of the first one done.
        return visit.redirect(visit.path("/publish"))
    except SectionChanged:
        return await _show(visit, status=409, message=_CHANGED)
    except (InvalidConfiguration, DocumentTooLarge):
        return await _show(visit, status=422)
    return visit.redirect(visit.path(f"/publish?published={version}"))


async def _publish(visit: Visit, unit: Unit, reason: str, seen: str) -> int:
    draft = await load_draft(unit.connection, unit.tenant_id)
    mistakes = await mistakes_in(unit, draft.configuration)
    if mistakes:
        raise InvalidConfiguration(mistakes)
    version = await publish_draft(unit.connection, unit.tenant_id, visit.staff.email, reason, seen)
    changes = await tell(unit, draft.published.configuration, draft.configuration)
    details: dict[str, object] = {"version": version, "reason": reason, "changes": changes}
    await visit.record(unit, "configuration.published", str(version), details)
    return version


def read_reason(visit: Visit) -> tuple[str, str]:
    """The reason that was given, and the state that was seen. Raises `MissingField`."""
    if "seen" not in visit.form:
        raise MissingField
    return visit.form.get("reason", "").strip(), visit.form["seen"]


@post("/merchants/{merchant:str}/publish/discard", opt=EDITORS)
async def discard(visit: NamedDependency[Visit]) -> ASGIResponse:
    """Go back to what is published. Raises `DraftChanged`."""
    _reason, seen = read_reason(visit)
    try:
        async with visit.deployment.db.unit(visit.place.id) as unit:
            draft = await load_draft(unit.connection, unit.tenant_id)
            await discard_draft(unit.connection, unit.tenant_id, seen)
            lost = await tell(unit, draft.configuration, draft.published.configuration)
            await visit.record(unit, "draft.discarded", "draft", {"changes": lost})
    except SectionChanged as changed:
        raise DraftChanged from changed
    return visit.redirect(visit.path("/publish"))


@post("/merchants/{merchant:str}/publish/catch-up", opt=EDITORS)
async def take_over(visit: NamedDependency[Visit]) -> ASGIResponse:
    """Take into the draft what was published since it was begun. Raises `DraftChanged`."""
    _reason, seen = read_reason(visit)
    try:
        async with visit.deployment.db.unit(visit.place.id) as unit:
            before = (await load_draft(unit.connection, unit.tenant_id)).configuration
            draft = await catch_up(unit.connection, unit.tenant_id, visit.staff.email, seen)
            taken = await tell(unit, before, draft.configuration)
            details: dict[str, object] = {"version": draft.based_on, "changes": taken}
            await visit.record(unit, "draft.caught_up", "draft", details)
    except SectionChanged as changed:
        raise DraftChanged from changed
    return visit.redirect(visit.path("/publish"))


HANDLERS = (review, publish, discard, take_over)


async def _show(
    visit: Visit, status: int = 200, message: str = "", published: int | None = None
) -> ASGIResponse:
    async with visit.deployment.db.unit(visit.place.id) as unit:
        draft = await load_draft(unit.connection, unit.tenant_id)
        shown = await _read(visit, unit, draft)
    visit.has_draft = draft.is_changed
    return visit.page(
        "publish.html",
        status=status,
        draft=draft,
        message=message,
        reason=visit.form.get("reason", ""),
        most=LONGEST_REASON,
        just_published=published if published == draft.published.version else None,
        **shown,
        **await preview_context(visit),
    )


async def _read(visit: Visit, unit: Unit, draft: Draft) -> dict[str, object]:
    """What the page tells of a draft."""
    published, base = draft.published.configuration, draft.published.configuration
    if draft.is_outrun:
        base = await load_base(unit.connection, unit.tenant_id, draft)
    mistakes = await mistakes_in(unit, draft.configuration)
    return {
        "changes": await compare(unit, published, draft.configuration, visit.locale),
        "meanwhile": await compare(unit, base, published, visit.locale),
        "mistakes": tuple(show_mistake(visit, it) for it in mistakes),
        "warnings": await warnings_of(visit, unit, draft.configuration),
    }
