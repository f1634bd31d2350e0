"""The history of publications: who, when, why and what, and the way back to each of them."""

import re
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import PathParameter, QueryParameter
from litestar.response.base import ASGIResponse

from guichet.console.access import EDITORS
from guichet.console.publishing.comparing import compare, tell
from guichet.console.publishing.findings import mistakes_in, show_mistake
from guichet.console.publishing.publish import (
    LONGEST_REASON,
    DraftChanged,
    read_reason,
)
from guichet.console.visit import Visit
from guichet.db import Unit
from guichet.errors import Conflict, InvalidInput, NotFound
from guichet.web.forms import MissingField
from tenants.checks import InvalidConfiguration
from tenants.configuration import UnknownVersion, load_published, load_version
from tenants.drafts import SectionChanged, load_draft, replace_draft
from tenants.history import (
    PAGE_SIZE,
    PublishedMeanwhile,
    find_version,
    list_versions,
    load_predecessor,
    roll_back,
)

Answer = TypeVar("Answer")
_NUMBER = re.compile(r"[0-9]{1,9}", re.ASCII)
Number = Annotated[int, PathParameter(ge=0, le=2_147_483_647)]
Before = Annotated[int | None, QueryParameter(name="before", ge=1, le=2_147_483_647)]


class PublishedAnother(Conflict):
    """Another version was published in the meantime, so nothing was done. Please look again."""

    code = "published_another"


class ReasonTooLong(InvalidInput):
    """The reason is too long. Please write 500 characters at most."""

    code = "reason_too_long"


class CannotReturn(Conflict):
    """This version breaks rules of today. Put it into the draft and correct it there."""

    code = "cannot_return"


@get("/merchants/{merchant:str}/history", opt=EDITORS)
async def history(visit: NamedDependency[Visit], before: Before = None) -> ASGIResponse:
    """All versions, the newest first."""
    async with visit.deployment.db.unit(visit.place.id) as unit:
        found = await list_versions(unit.connection, unit.tenant_id, before)
        draft = await load_draft(unit.connection, unit.tenant_id)
    visit.has_draft = draft.is_changed
    shown = found[:PAGE_SIZE]
    has_more = len(found) > PAGE_SIZE
    return visit.page(
        "history.html",
        versions=shown,
        current=draft.published.version,
        older=visit.path(f"/history?before={shown[-1].version}") if has_more else "",
        newest=visit.path("/history") if before else "",
    )


@get("/merchants/{merchant:str}/history/{version:int}", opt=EDITORS)
async def version_page(visit: NamedDependency[Visit], version: Number) -> ASGIResponse:
    """What a version changed, what returning to it would change, and both ways back."""
    return await _in_unit(visit, lambda unit: _show(visit, unit, version))


@post("/merchants/{merchant:str}/history/{version:int}/roll-back", opt=EDITORS)
async def return_to(visit: NamedDependency[Visit], version: Number) -> ASGIResponse:
    """Publish a former version anew.

    Raises `PublishedAnother`, `CannotReturn` or `ReasonTooLong`.
    """
    reason, seen = read_reason(visit)
    if len(reason) > LONGEST_REASON:
        raise ReasonTooLong
    if not _NUMBER.fullmatch(seen):
        raise MissingField
    try:
        made = await _in_unit(visit, lambda unit: _return(visit, unit, version, reason, seen))
    except PublishedMeanwhile as meanwhile:
        raise PublishedAnother from meanwhile
    except InvalidConfiguration as refused:
        raise CannotReturn from refused
    return visit.redirect(visit.path(f"/publish?published={made}"))


@post("/merchants/{merchant:str}/history/{version:int}/draft", opt=EDITORS)
async def take_into_draft(visit: NamedDependency[Visit], version: Number) -> ASGIResponse:
    """Put a former version in the draft's place. Raises `DraftChanged`."""
    _reason, seen = read_reason(visit)
    try:
        await _in_unit(visit, lambda unit: _take(visit, unit, version, seen))
    except SectionChanged as changed:
        raise DraftChanged from changed
    return visit.redirect(visit.path("/publish"))


HANDLERS = (history, version_page, return_to, take_into_draft)


async def _in_unit(visit: Visit, work: Callable[[Unit], Awaitable[Answer]]) -> Answer:
    """Do the work in one transaction; raises `NotFound` for a version that there never was."""
    try:
        async with visit.deployment.db.unit(visit.place.id) as unit:
            return await work(unit)
    except UnknownVersion as unknown:
        raise NotFound from unknown


async def _show(visit: Visit, unit: Unit, number: int) -> ASGIResponse:
    connection, tenant_id, locale = unit.connection, unit.tenant_id, visit.locale
    version = await find_version(connection, tenant_id, number)
    shown = (await load_version(connection, tenant_id, number)).configuration
    predecessor = await load_predecessor(connection, tenant_id, number)
    draft = await load_draft(connection, tenant_id)
    visit.has_draft = draft.is_changed
    mistakes = await mistakes_in(unit, shown)
    return visit.page(
        "version.html",
        version=version,
        changes=await compare(unit, predecessor.configuration, shown, locale),
        undone=await compare(unit, draft.published.configuration, shown, locale),
        mistakes=tuple(show_mistake(visit, it) for it in mistakes),
        current=draft.published.version,
        draft=draft,
        most=LONGEST_REASON,
    )


async def _return(visit: Visit, unit: Unit, version: int, reason: str, seen: str) -> int:
    before = await load_published(unit.connection, unit.tenant_id)
    by = visit.staff.email
    made = await roll_back(unit.connection, unit.tenant_id, version, by, reason, int(seen))
    after = await load_version(unit.connection, unit.tenant_id, version)
    changes = await tell(unit, before.configuration, after.configuration)
    details: dict[str, object] = {
        "version": made,
        "returned_to": version,
        "reason": reason,
        "changes": changes,
    }
    await visit.record(unit, "configuration.rolled_back", str(made), details)
    return made


async def _take(visit: Visit, unit: Unit, version: int, seen: str) -> None:
    before = (await load_draft(unit.connection, unit.tenant_id)).configuration
    former = await load_version(unit.connection, unit.tenant_id, version)
    await replace_draft(
        unit.connection, unit.tenant_id, former.configuration, visit.staff.email, seen
    )
    changes = await tell(unit, before, former.configuration)
    details: dict[str, object] = {"version": version, "changes": changes}
    await visit.record(unit, "draft.replaced", "draft", details)
