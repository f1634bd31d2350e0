"""Pictures of a branding: taken from a form, and shown in the console before anybody else."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated

from litestar import get
from litestar.di import NamedDependency
from litestar.params import PathParameter
from litestar.response.base import ASGIResponse

from guichet.console.access import EDITORS
from guichet.console.visit import Visit
from guichet.errors import NotFound
from guichet.web.caching import PICTURE_POLICY, kept_for_ever
from tenants.assets import MOST_PICTURES, TooManyPictures, keep_picture, load_asset
from tenants.mistakes import Mistake
from tenants.pictures import LARGEST_PICTURE, read_picture
from tenants.unusable_pictures import UnusablePicture

#: Fields of the branding that hold a picture's id. Each is a file in the form; the id that is
#: there stands in `kept.<field>`, and the box `remove.<field>` takes it away.
PICTURES = ("branding.logo", "branding.logo_dark", "branding.favicon")

# One at a time: a picture takes up to 100 MiB while it is drawn anew.
_painter = ThreadPoolExecutor(max_workers=1, thread_name_prefix="pictures")


def _(message: str) -> str:
    """Mark a sentence for the catalogues; it is translated where it is shown."""
    return message


async def take_pictures(visit: Visit) -> tuple[Mistake, ...]:
    """Keep what was uploaded and put the pictures' ids into the form, where a section reads them.

    Answers what could not be taken; for those, what was there before stays.
    """
    mistakes = []
    for name in PICTURES:
        kept = visit.form.pop(f"kept.{name}", "")
        visit.form[name] = "" if visit.form.pop(f"remove.{name}", "") else kept
        try:
            visit.form[name] = await _take(visit, name) or visit.form[name]
        except UnusablePicture as refused:
            mistakes.append(Mistake(name, refused.text, refused.values))
        except TooManyPictures:
            text = _(
                "There are %(most)s pictures already, which is as many as are kept. What neither "
                "your draft nor a published version shows any more makes room after 30 days."
            )
            mistakes.append(Mistake(name, text, {"most": MOST_PICTURES}))
    return tuple(mistakes)


async def _take(visit: Visit, name: str) -> str:
    """The id of the picture that was uploaded in this field, or nothing."""
    upload = visit.uploads.get(name)
    if upload is None:
        return ""
    body = await upload.read(LARGEST_PICTURE + 1)
    picture = await asyncio.get_running_loop().run_in_executor(_painter, read_picture, body)
    async with visit.deployment.db.unit(visit.place.id) as unit:
        picture_id = await keep_picture(unit.connection, unit.tenant_id, picture)
        details: dict[str, object] = {
            "media_type": picture.media_type,
            "bytes": len(picture.body),
        }
        await visit.record(unit, "picture.added", picture_id, details)
    return picture_id


@get("/merchants/{merchant:str}/pictures/{picture_id:str}", opt=EDITORS)
async def picture(
    visit: NamedDependency[Visit],
    picture_id: Annotated[str, PathParameter(max_length=64)],
) -> ASGIResponse:
    """A picture of this merchant's, whether it is published or not."""
    async with visit.deployment.db.unit(visit.place.id) as unit:
        found = await load_asset(unit.connection, unit.tenant_id, picture_id)
    if found is None:
        raise NotFound
    response = kept_for_ever(found.body, found.media_type)
    response.headers["cache-control"] = "private, max-age=86400"
    response.headers.add("content-security-policy", PICTURE_POLICY)
    return response


HANDLERS = (picture,)
