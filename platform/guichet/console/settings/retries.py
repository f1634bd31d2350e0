"""When failed payments are tried again, with a timeline of what that would do to one."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal, get_args

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import QueryParameter
from litestar.response.base import ASGIResponse

from guichet.billing.dunning.decisions.facts import DeclineClass
from guichet.billing.dunning.decisions.simulating import Scenario
from guichet.console.access import EDITORS
from guichet.console.publishing.labels import LABELS, VALUES, WEEKDAYS
from guichet.console.settings.documents import fields_of
from guichet.console.settings.sections import SectionPage, read_draft, save_posted, show_section
from guichet.console.settings.timeline import tell_timeline
from guichet.console.visit import Visit
from guichet.theming.locale import speech
from tenants.retries import PRESETS, RetryPolicy

_PAGE = SectionPage("retries", "/retries", "retries.html")
#: What a preset says; everything else of the policy stays the merchant's.
_OF_PRESET = ("collector", "waits_days", "tries", "window_days")
_HOURS_OF_A_YEAR = 365 * 24


class Choices(msgspec.Struct, frozen=True):
    """The payment that the timeline is about, as its form says it."""

    decline: DeclineClass = "later"
    country: str = ""
    methods: Literal[1, 2, 3] = 1
    #: Hours from now.
    hours: Annotated[int, msgspec.Meta(ge=0, le=_HOURS_OF_A_YEAR)] = 0


_Text = Annotated[str, QueryParameter(max_length=20)]


@get("/merchants/{merchant:str}/retries", opt=EDITORS)
async def retries(
    visit: NamedDependency[Visit],
    decline: _Text = "later",
    country: _Text = "",
    methods: _Text = "1",
    hours: _Text = "0",
) -> ASGIResponse:
    """What the draft says, and what it would do."""
    asked = _choices({"decline": decline, "country": country, "methods": methods, "hours": hours})
    return await show_section(visit, _PAGE, **await _context(visit, asked))


@post("/merchants/{merchant:str}/retries", opt=EDITORS)
async def save_retries(visit: NamedDependency[Visit]) -> ASGIResponse:
    """Save it into the draft; the button of a preset fills in what the preset says first."""
    preset = PRESETS.get(visit.form.pop("preset", ""))
    if preset is not None:
        visit.form = _with_preset(visit.form, preset)
    return await save_posted(visit, _PAGE, **await _context(visit, Choices()))


HANDLERS = (retries, save_retries)


def _choices(given: dict[str, str]) -> Choices:
    """What was asked for; the plainest case where it makes no sense."""
    try:
        asked = msgspec.convert(given, Choices, strict=False)
    except msgspec.ValidationError:
        return Choices()
    country = asked.country.strip().upper()
    is_one = len(country) == 2 and country.isascii() and country.isalpha()
    return msgspec.structs.replace(asked, country=country if is_one else "")


async def _context(visit: Visit, asked: Choices) -> dict[str, object]:
    draft = await read_draft(visit)
    words = speech(visit.locale)
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    scenario = Scenario(
        failed_at=now + timedelta(hours=asked.hours),
        decline=asked.decline,
        country=asked.country or None,
        methods=asked.methods,
    )
    return {
        "timeline_items": tell_timeline(draft.configuration.retries, scenario, words),
        "asked": asked,
        "declines": get_args(DeclineClass),
        "labels": LABELS,
        "values": VALUES,
        "weekdays": WEEKDAYS,
        "presets": tuple(PRESETS),
    }


def _with_preset(form: dict[str, str], preset: RetryPolicy) -> dict[str, str]:
    """The form with the preset's own fields in the place of those that were entered."""
    wanted = fields_of("retries", preset)
    names = tuple(f"retries.{name}" for name in _OF_PRESET)
    kept = {name: text for name, text in form.items() if not name.startswith(names)}
    return kept | {name: text for name, text in wanted.items() if name.startswith(names)}
