"""Reading a posted form: small, flat, each field once."""

from typing import Any

from litestar.connection import Request
from litestar.datastructures import UploadFile
from litestar.enums import RequestEncodingType
from litestar.exceptions import ClientException

from guichet.errors import InvalidInput, MalformedRequest

#: No form of the portal has more fields than this.
MAX_FIELDS = 50

Form = dict[str, str]
Uploads = dict[str, UploadFile]
AnyRequest = Request[Any, Any, Any]


class MalformedForm(MalformedRequest):
    """This form could not be read. Please go back and send it again."""

    code = "malformed_form"


class MissingField(InvalidInput):
    """Something is missing in this form. Please go back and send it again."""

    code = "missing_field"


async def read_form(request: AnyRequest) -> Form:
    """The fields of a form; raises `MalformedForm` for anything but plain single values."""
    form, uploads = await read_posted(request, MAX_FIELDS)
    if uploads:
        raise MalformedForm
    return form


async def read_posted(request: AnyRequest, most: int) -> tuple[Form, Uploads]:
    """The fields of a form and the files among them, `most` in all.

    A file field in which nothing was chosen is left out. Raises `MalformedForm`.
    """
    if request.content_type[0] != RequestEncodingType.MULTI_PART:
        # Counted before they are read, which takes a second for a million of them.
        body = await request.body()
        if body.count(b"&") >= most:
            raise MalformedForm
    try:
        data = await request.form()
    except (ClientException, ValueError) as error:
        raise MalformedForm from error
    fields = list(data.multi_items())
    if len(fields) > most or len(fields) != len({name for name, _ in fields}):
        raise MalformedForm
    texts = {name: value for name, value in fields if isinstance(value, str)}
    uploads = {name: value for name, value in fields if isinstance(value, UploadFile)}
    if len(texts) + len(uploads) != len(fields) or any("\0" in text for text in texts.values()):
        raise MalformedForm
    return texts, {name: file for name, file in uploads.items() if file.filename}
